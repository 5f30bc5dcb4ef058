"""The formats that forges and CI systems read, from every command that has formats."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.place import Place
from planops.core.report import ExitCode
from planops.sandbox.zadig.visitor import Visitor

PATIENCE = 60.0
FORMATS = ("github", "gitlab", "sarif", "junit")
PLAN = """apiVersion: planops/v1
kind: ZadigReleasePlan
metadata:
  name: train
spec:
  name: Train
  manager: patrick
  description: {description}
"""


@pytest.fixture
def kept(place: Place) -> Place:
    """A plan that was applied, with a ledger, so that drift can be told from edits."""
    place.ledgered("local", "drift: correct")
    place.write("plans/train.yaml", PLAN.format(description="one"))
    place.commit()
    ended = place.planops("apply", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    return place


def drift(place: Place) -> None:
    """Change the plan on the server by hand."""
    (plan,) = place.zadig.plans()
    reply = Visitor(place.zadig, place.url).edit(
        str(plan["id"]), "update_description", {"description": "by hand"}, who="alice"
    )
    assert reply.status == 200, reply


def commands(report: str) -> list[str]:
    assert all(line.startswith("::") for line in report.splitlines())
    return report.splitlines()


READ: Mapping[str, Callable[[str], Any]] = {
    "github": commands,
    "gitlab": json.loads,
    "sarif": json.loads,
    "junit": ET.fromstring,
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "words",
    [
        ("validate",),
        ("diff",),
        ("apply", "--yes"),
        ("drift",),
        ("status",),
        ("adopt", "--all", "--yes"),
    ],
    ids=" ".join,
)
def test_every_command_has_every_format_and_ends_as_ever(
    words: tuple[str, ...], kind: str, kept: Place
) -> None:
    kept.write("plans/train.yaml", PLAN.format(description="two"))
    kept.plant("other", jobs=[])
    expected = kept.planops(*words, "--format", "json") if words[0] != "apply" else None
    ended = kept.planops(*words, "--format", kind)
    assert ended.code == (expected.code if expected else ExitCode.OK)
    READ[kind](ended.out)


def test_one_run_writes_them_all(kept: Place) -> None:
    sinks = [word for kind in FORMATS for word in ("-f", f"{kind}=out/{kind}")]
    ended = kept.planops("validate", *sinks)
    assert (ended.code, ended.both) == (ExitCode.OK, "")
    for kind in FORMATS:
        READ[kind]((kept.folder / "out" / kind).read_text())


@pytest.mark.parametrize("broken", ["text=/dev/null/x", "junit=plans"])
@pytest.mark.parametrize("words", [("diff",), ("diff", "--exit-code"), ("apply", "--yes")], ids=str)
def test_what_tells_the_exit_code_tells_the_one_that_the_run_ends_with(
    words: tuple[str, ...], broken: str, kept: Place
) -> None:
    kept.write("plans/train.yaml", PLAN.format(description="two"))
    files = ("-f", "json=a.json", "-f", "sarif=a.sarif")
    ended = kept.planops(*words, *files, "-f", broken, "-f", "json")
    assert ended.code == ExitCode.FAILED
    for found in (ended.json, json.loads((kept.folder / "a.json").read_text())):
        assert (found["exit_code"], found["outcome"]) == (ExitCode.FAILED, "failed")
    (run,) = json.loads((kept.folder / "a.sarif").read_text())["runs"]
    assert run["invocations"][0]["exitCode"] == ExitCode.FAILED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_file_tells_of_a_standard_output_that_is_full(kept: Place) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with kept.start("diff", "-f", "text", "-f", "json=a.json", stdout=full) as started:
        os.close(full)
        started.communicate(timeout=PATIENCE)
    assert started.returncode == ExitCode.FAILED
    assert json.loads((kept.folder / "a.json").read_text())["exit_code"] == ExitCode.FAILED


@pytest.mark.parametrize("words", [("diff",), ("apply", "--yes")], ids=" ".join)
def test_a_reader_that_leaves_a_named_pipe_or_stream_changes_nothing(
    words: tuple[str, ...], kept: Place
) -> None:
    kept.write("plans/train.yaml", PLAN.format(description="x" * 100_000))
    reader, writer = os.pipe()
    os.close(reader)
    sinks = ("-f", "json=/dev/stdout", "-f", "json=a.json")
    with kept.start(*words, "--quiet", *sinks, stdout=writer) as started:
        os.close(writer)
        _, err = started.communicate(timeout=PATIENCE)
    assert (started.returncode, err) == (ExitCode.OK, "")
    assert json.loads((kept.folder / "a.json").read_text())["exit_code"] == ExitCode.OK


def test_a_stream_that_leads_to_a_file_is_written_on_and_not_replaced(
    kept: Place, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as stream:
        stream.write("before\n")
        stream.flush()
        words = ("-f", "json=/dev/stdout", "-f", "github=/dev/stderr")
        with kept.start("diff", "--quiet", *words, stdout=stream, stderr=stream) as started:
            assert started.wait(PATIENCE) == ExitCode.OK
        stream.seek(0, os.SEEK_END)
        stream.write("after\n")
    first, *report, last = log.read_text().splitlines()
    assert (first, last) == ("before", "after")
    assert json.loads("\n".join(report))["exit_code"] == ExitCode.OK


def test_a_problem_is_told_on_its_line(place: Place) -> None:
    place.plan("good")
    place.write("plans/train.yaml", PLAN.format(description="one") + "  descripton: two\n")
    ended = place.planops("validate", "-f", "github")
    assert ended.code == ExitCode.FAILED
    (line,) = commands(ended.out)
    assert line.startswith("::error file=plans/train.yaml,line=9,col=3,title=unknown-key::")
    (entry,) = json.loads(place.planops("validate", "-f", "gitlab").out)
    assert entry["location"] == {"path": "plans/train.yaml", "lines": {"begin": 9}}
    root = ET.fromstring(place.planops("validate", "-f", "junit").out)  # noqa: S314 - our own
    verdicts = {case.get("name"): [e.tag for e in case] for case in root.iter("testcase")}
    assert verdicts == {"plans/good.yaml": [], "plans/train.yaml": ["failure"]}


def test_drift_and_what_overwrites_it_are_told_on_the_line_of_the_field(kept: Place) -> None:
    drift(kept)
    (notice,) = commands(kept.planops("diff", "-f", "github").out)
    at = "file=plans/train.yaml,line=8,col=3,title=prod/train%3A drift"
    assert notice.startswith(f"::notice {at}::description was changed on the server to")
    assert notice.endswith('; the file says "one", and the file overwrites that')
    ended = kept.planops("drift", "-f", "junit")
    assert ended.code == ExitCode.CHANGES
    (case,) = ET.fromstring(ended.out).iter("testcase")  # noqa: S314 - our own
    assert (case.get("name"), next(each.tag for each in case)) == ("train", "failure")


def test_a_refusal_is_told_on_the_line_that_causes_it(place: Place) -> None:
    file = place.waiting()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.waiting(description="changed")
    (refused,) = commands(place.planops("diff", "-f", "github").out)
    number = next(n for n, s in enumerate(file.read_text().splitlines(), 1) if "changed" in s)
    assert refused.startswith(f"::error file=plans/train.yaml,line={number},col=")
    assert "title=prod/train%3A refused by reopen::" in refused
    shown = commands(place.planops("diff", "--allow", "reopen", "-f", "github").out)
    assert [line.partition(" ")[0] for line in shown] == ["::warning"] * len(shown)
    assert f"line={number},col=" in shown[0]
    assert "cancels the approval" in shown[0]
    applied = place.planops("apply", "--yes", "-f", "junit")
    assert applied.code == ExitCode.REFUSED
    (case,) = ET.fromstring(applied.out).iter("testcase")  # noqa: S314 - our own
    assert [each.tag for each in case] == ["failure", "system-out"]


def test_files_are_named_from_the_top_of_the_repository(place: Place) -> None:
    (place.folder / "ops").mkdir()
    (place.folder / "planops.yaml").rename(place.folder / "ops/planops.yaml")
    place.write("ops/plans/bad.yaml", "x: 1\n")
    place.commit()
    for line in commands(place.planops("validate", "-C", "ops", "-f", "github").out):
        assert line.startswith("::error file=ops/plans/bad.yaml,line=1")
    said = place.planops("validate", "-C", "ops").out
    assert "ops/plans" not in said


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "name", ["a\n::stop-commands::x.yaml", "a\x1b[31m.yaml", "a\u202eb.yaml", "##[error]x.yaml"]
)
def test_a_hostile_file_name_does_nothing(name: str, kind: str, place: Place) -> None:
    place.write(f"plans/{name}", "x: yes\n")
    said = place.planops("validate", "-f", kind).both
    assert not {"\x1b", "\u202e"} & set(said)
    assert "##[" not in said
    assert not [line for line in said.splitlines() if line.startswith("::stop")]
    READ[kind](said)


@pytest.mark.parametrize("kind", [*FORMATS, "text", "json", "markdown"])
@pytest.mark.parametrize("token", ["p%:,\"<&'{x}9", "eyJhbGciOiJIUzI1NiJ9." + "Zq9" * 60])
def test_a_token_in_a_plan_is_masked_however_it_is_shown(
    token: str, kind: str, kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.zadig.issue_token("admin", token)
    monkeypatch.setenv("ZADIG_TOKEN", token)
    kept.write("plans/train.yaml", PLAN.format(description=json.dumps(token)))
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    drift(kept)
    said = kept.planops("diff", "-f", kind).both
    assert [part for part in (token, token[:8]) if part in said] == []
    assert ("***" in said) == (kind != "junit")  # which shows no values
