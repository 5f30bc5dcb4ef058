"""``diff`` and ``apply``: sinks, selections, approvals by fingerprint, the examples."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault

NOWHERE = "0123456789abcdef"


def changed(place: Place, *names: str) -> None:
    for name in names:
        place.plan(name, description="new")
        place.plant(name, description="old")


def fingerprints(place: Place) -> dict[str, str]:
    changes = place.json("diff").json["changes"]
    return {change["key"]: change["fingerprint"] for change in changes}


def written(place: Place) -> list[str]:
    return sorted(plan["name"] for plan in place.zadig.plans() if plan["description"] == "new")


# ------------------------------------------------------------------------------------------- sinks


def test_several_sinks_get_the_same_report(place: Place) -> None:
    changed(place, "a")
    ended = place.planops("diff", "-f", "markdown=r/m.md", "-f", "json=r/deep/j.json", "-f", "text")
    assert ended.out.startswith("planops diff")
    assert (place.folder / "r/m.md").read_text().startswith("### planops diff")
    assert json.loads((place.folder / "r/deep/j.json").read_text())["outcome"] == "changes"
    assert sorted(path.name for path in (place.folder / "r").iterdir()) == ["deep", "m.md"]


def test_only_files_leave_standard_output_empty(place: Place) -> None:
    changed(place, "a")
    assert place.planops("diff", "-f", "json=a.json").out == ""


def test_a_file_that_cannot_be_written_keeps_no_other_sink_from_it(place: Place) -> None:
    changed(place, "a")
    place.write("taken/inside", "")
    ended = place.planops("diff", "-f", "json=taken", "-f", "text", "-f", "markdown=b.md")
    assert ended.code == ExitCode.FAILED
    assert "taken: the report cannot be written there: Is a directory; choose" in ended.err
    assert ended.out.startswith("planops diff")
    assert (place.folder / "b.md").exists()
    assert [path.name for path in place.folder.glob(".planops*")] == []


@pytest.mark.parametrize("file", ["plans/a.yaml/x", "x" * 300, "plans/a.yaml/\x1b[2J"])
def test_a_hostile_name_of_a_sink_is_told_and_not_shown_raw(file: str, place: Place) -> None:
    changed(place, "a")
    ended = place.planops("diff", "-f", f"json={file}")
    assert ended.code == ExitCode.FAILED
    assert "the report cannot be written there" in ended.err
    assert "\x1b" not in ended.err


def test_an_unwritable_report_does_not_make_a_worse_ending_milder(place: Place) -> None:
    changed(place, "a")
    place.zadig.faults.add(Fault("drop-before", method="PATCH"))
    assert place.planops("apply", "--yes", "-f", "json=plans").code == ExitCode.UNKNOWN


def test_a_report_follows_a_link_and_replaces_no_device(place: Place) -> None:
    changed(place, "a")
    os.mkfifo(place.folder / "pipe")
    reader = os.open(place.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    place.write("kept.json", "old")
    (place.folder / "link.json").symlink_to("kept.json")
    words = ("-f", "text=pipe", "-f", "json=link.json", "-f", "markdown=/dev/null")
    assert place.planops("diff", *words).code == ExitCode.OK
    assert os.read(reader, 1 << 16).startswith(b"planops diff")
    os.close(reader)
    assert (place.folder / "pipe").is_fifo()
    assert (place.folder / "link.json").is_symlink()
    assert json.loads((place.folder / "kept.json").read_text())["command"] == "diff"
    assert Path("/dev/null").is_char_device()


def test_a_report_is_readable_by_whom_the_mask_allows(place: Place) -> None:
    changed(place, "a")
    before = os.umask(0o027)
    try:
        place.planops("diff", "-f", "json=a.json")
    finally:
        os.umask(before)
    assert (place.folder / "a.json").stat().st_mode & 0o777 == 0o640


# -------------------------------------------------------------------------------------- selections


def test_path_target_and_label_narrow_a_run(place: Place) -> None:
    place.settings("one", "two")
    place.plan("a", target="one", labels="{team: x}")
    place.plan("b", target="two", labels="{team: x, tier: '1'}")
    place.plan("c", target="two", labels="{team: z}")

    def keys(*words: str) -> list[str]:
        return [change["key"] for change in place.json("diff", *words).json["changes"]]

    assert keys() == ["a", "b", "c"]
    assert keys("plans/a.yaml", "plans/c.yaml") == ["a", "c"]
    assert keys("-t", "two") == ["b", "c"]
    assert keys("-t", "two", "-t", "one") == ["a", "b", "c"]
    assert keys("-l", "team=x") == ["a", "b"]
    assert keys("-l", "team=x,tier") == ["b"]
    assert keys("-l", "team!=x") == ["c"]
    assert keys("-t", "one", "-l", "team=z") == []
    assert place.planops("apply", "--yes", "-t", "two", "-l", "team=x").code == ExitCode.OK
    assert [plan["name"] for plan in place.zadig.plans()] == ["Plan b"]


def test_a_target_that_is_not_selected_needs_no_token_and_is_not_called(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.settings("one", "two")
    settings = (place.folder / "planops.yaml").read_text()
    place.write("planops.yaml", settings.replace("ZADIG_TOKEN", "OTHER_TOKEN", 1))
    place.plan("a", target="one")
    place.plan("b", target="two")
    monkeypatch.delenv("OTHER_TOKEN", raising=False)
    assert place.json("diff", "-t", "two").code == ExitCode.OK
    ended = place.json("diff")
    assert ended.code == ExitCode.FAILED
    assert [change["key"] for change in ended.json["changes"]] == ["b"]
    assert [bool(target["error"]) for target in ended.json["targets"]] == [True, False]


# ------------------------------------------------------------------------------------------ guards


def test_a_guard_is_lifted_for_as_many_plans_as_were_said(place: Place) -> None:
    for name in ("a", "b"):
        place.plan(name, **place.window(-7200, -3600))
    ended = place.json("apply", "--yes", "--allow", "past")
    assert ended.code == ExitCode.REFUSED
    assert "--allow past=2" in ended.out
    assert place.zadig.plans() == ()
    assert place.json("apply", "--yes", "--allow", "past=2").code == ExitCode.OK
    assert len(place.zadig.plans()) == 2


def test_names_say_which_plans_are_ours_only_if_somebody_says_so(place: Place) -> None:
    changed(place, "a")
    settings = (place.folder / "planops.yaml").read_text()
    place.write("planops.yaml", settings.replace("adopt-by-name: true", "adopt-by-name: false"))
    ended = place.json("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "--adopt-by-name" in ended.out
    assert written(place) == []
    assert place.json("apply", "--yes", "--adopt-by-name").code == ExitCode.OK
    assert written(place) == ["Plan a"]


# ------------------------------------------------------------------------------------------- apply


def test_nobody_can_be_asked_without_a_terminal(place: Place) -> None:
    changed(place, "a")
    ended = place.planops("apply")
    assert ended.code == ExitCode.USAGE
    assert ended.out == ""
    assert place.zadig.received == ()


def test_yes_applies_what_diff_shows_and_then_nothing_is_left(place: Place) -> None:
    changed(place, "a", "b")
    place.plan("c", description="new", jobs=[TEXT])
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert written(place) == ["Plan a", "Plan b", "Plan c"]
    assert place.planops("diff", "--exit-code").code == ExitCode.OK
    before = len(place.zadig.writes)
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert len(place.zadig.writes) == before


def test_what_was_approved_is_applied_and_nothing_else(place: Place) -> None:
    changed(place, "a", "b")
    ended = place.json("apply", "--expect", fingerprints(place)["a"])
    assert written(place) == ["Plan a"]
    assert ended.code == ExitCode.REFUSED
    outcomes = {change["key"]: change["outcome"] for change in ended.json["changes"]}
    assert outcomes == {"a": "applied", "b": "refused"}
    assert f"--expect {fingerprints(place)['b']}" in ended.out


def test_all_that_was_approved_is_applied(place: Place) -> None:
    changed(place, "a", "b")
    marks = [word for mark in fingerprints(place).values() for word in ("--expect", mark)]
    assert place.json("apply", *marks).code == ExitCode.OK
    assert written(place) == ["Plan a", "Plan b"]


def test_what_was_never_shown_is_stale_and_the_report_is_there(place: Place) -> None:
    changed(place, "a")
    ended = place.json("apply", "--expect", NOWHERE)
    assert ended.code == ExitCode.STALE
    assert ended.json["changes"][0]["outcome"] == "refused"
    assert f"{NOWHERE}: no change has this fingerprint now" in ended.err
    assert written(place) == []


def test_an_approval_of_what_has_moved_is_stale(place: Place) -> None:
    changed(place, "a")
    mark = fingerprints(place)["a"]
    place.zadig.edit(str(place.zadig.plans()[0]["id"]), {"description": "Bob's"}, "Bob")
    ended = place.json("apply", "--expect", mark)
    assert ended.code == ExitCode.STALE
    assert written(place) == []


def test_of_two_approvals_the_one_that_still_holds_is_applied(place: Place) -> None:
    changed(place, "a", "b")
    marks = fingerprints(place)
    place.plan("b", description="newer")
    ended = place.json("apply", "--expect", marks["a"], "--expect", marks["b"])
    assert ended.code == ExitCode.STALE
    assert written(place) == ["Plan a"]
    assert marks["b"] in ended.err
    assert marks["a"] not in ended.err


def test_an_unknown_outcome_is_worse_than_a_stale_approval(place: Place) -> None:
    changed(place, "a")
    place.zadig.faults.add(Fault("drop-before", method="PATCH"))
    ended = place.json("apply", "--expect", fingerprints(place)["a"], "--expect", NOWHERE)
    assert ended.code == ExitCode.UNKNOWN
    assert NOWHERE in ended.err


def test_an_approval_of_what_could_not_be_compared_is_not_said_to_be_done(place: Place) -> None:
    place.settings("prod", "away")
    text = (place.folder / "planops.yaml").read_text().rpartition(place.url)
    place.write("planops.yaml", f"{text[0]}http://127.0.0.1:9{text[2]}")
    place.plan(target="prod")
    place.plan("other", target="away")
    (change,) = place.json("diff", "--target", "prod").json["changes"]
    words = ("apply", "--expect", NOWHERE, "--expect", change["fingerprint"])
    ended = place.planops(*words)
    assert (ended.code, len(place.zadig.writes)) == (ExitCode.PARTIAL, 1)
    assert f"{NOWHERE}: no change that was compared has this fingerprint; away could" in ended.err
    assert "done already" not in ended.err
    place.write("plans/other.yaml", "oops: [\n")
    ended = place.planops("apply", "--expect", NOWHERE)
    assert "; prod and away could not be: mend that first" in ended.err


def test_an_approval_of_what_is_not_selected_is_told(place: Place) -> None:
    place.settings("prod", "other")
    place.plan(target="prod")
    (change,) = place.json("diff", "--target", "prod").json["changes"]
    ended = place.planops("apply", "--target", "other", "--expect", change["fingerprint"])
    assert (ended.code, place.zadig.writes) == (ExitCode.STALE, ())
    assert "what was approved is not selected, is done already or has moved" in ended.err
