"""The acceptance: a server with every documented feature, adopted; then nothing is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.adopting import PLAIN, changes, ledgered, nothing_left, why
from cli.place import ROOT, Place, later
from planops.core.report import ExitCode
from planops.sandbox.brpm import BrpmSandbox
from planops.sandbox.server import serve

ZADIG = ROOT / "examples" / "plans" / "zadig"
BRPM = ROOT / "examples" / "plans" / "brpm"
EXAMPLES = sorted({*ZADIG.rglob("*.yaml")})
CREDENTIALS = ("s3cret", "t0ken")
"""What the fixtures mark as credentials, and return in clear."""


REPO = {"codehost_id": 1, "repo_namespace": "team", "repo_name": "cart", "branch": "main"}


HIDDEN = {"is_credential": True}


def held(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A workflow job as the server holds it, with one job that runs."""
    stages = [{"jobs": [{"name": "one", "type": kind, "skipped": False, "spec": spec}]}]
    workflow = {"name": "everything", "project": "shop", "params": [], "stages": stages}
    return {"id": "", "name": "Release", "type": "workflow", "spec": {"workflow": workflow}}


@pytest.fixture
def kept(place: Place, tmp_path: Path) -> Place:
    """The repository, with a remote and a ledger in it."""
    return ledgered(place, tmp_path / "origin.git")


def planted(place: Place, files: list[Path]) -> None:
    """Put the plans of files on the server, and forget files and ledger."""
    for number, file in enumerate(files):
        text = later(file.read_text())
        kept_lines = [line for line in text.splitlines() if not line.startswith("  target: ")]
        place.write(f"plans/{number}.yaml", "\n".join(kept_lines) + "\n")
    place.commit()
    lifted = ("--adopt-by-name", "--allow", "mass-change", "--allow", "reset=99")
    ended = place.planops("apply", "--yes", *lifted)
    assert ended.code in (ExitCode.OK, ExitCode.PARTIAL), ended.both
    forgotten(place)


def forgotten(place: Place) -> None:
    for file in (place.folder / "plans").rglob("*.yaml"):
        file.unlink()
    place.git("push", "--quiet", "--delete", "origin", "refs/planops/ledger/prod")
    place.git("update-ref", "-d", "refs/planops/seen/prod")


def test_everything_that_zadig_documents_is_adopted(kept: Place) -> None:
    planted(kept, EXAMPLES)
    since, there = len(kept.zadig.writes), kept.zadig.plans()
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    adopted = changes(ended, "applied")
    assert {one["id"] for one in adopted} == {plan["id"] for plan in there}
    assert ended.json["summary"]["adopt"] == len(adopted) == len(there)
    for one in adopted:
        text = (kept.folder / one["file"]).read_text()
        assert text.startswith(
            "# yaml-language-server: $schema=../schemas/plan.schema.json\napiVersion: planops/v1\n"
        )
        assert not [secret for secret in CREDENTIALS if secret in text]
    kept.commit()
    nothing_left(kept)
    assert kept.zadig.writes[since:] == ()


REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "Of a kind": (
        {"jobs": [held("apollo", {"namespaceList": []})]},
        "input one of job Release is a apollo job, which updates can neither keep nor be given",
    ),
    "Chosen": (
        {"jobs": [held("k8s-canary-deploy", {"targets": [{"k8s_service_name": "cart"}]})]},
        "input one of job Release has chosen what a k8s-canary-deploy job works on",
    ),
    "Tagged": (
        {"jobs": [held("freestyle", {"repos": [{**REPO, "tag": "v1"}]})]},
        "uses the tag v1 of cart, and inputs know branches",
    ),
    "Host": (
        {"jobs": [held("freestyle", {"repos": [{**REPO, "codehost_id": 99}]})]},
        "uses the code host 99, and files need its name: the server has none of that id",
    ),
    "Whole": (
        {"jobs": [held("zadig-deploy", {"env": "dev", "services": [{"service_name": "cart"}]})]},
        "deploys cart without naming a module",
    ),
    "Managed job": ({"jobs": [{**PLAIN, "manager": "alice"}]}, "has a manager of its own (alice)"),
    "Twice": ({"jobs": [PLAIN, PLAIN]}, "the text job `Announce` is there twice"),
    "Another job": ({"jobs": [{**PLAIN, "type": "odd"}]}, "`odd`"),
    "Displayed": ({"manager": "Patrick Star"}, "shows 'Patrick Star' as the manager, which is not"),
    "Secret": (
        {
            "description": "s3cret",
            "jobs": [held("freestyle", {"envs": [{"key": "A", "value": "s3cret", **HIDDEN}]})],
        },
        "/spec/description holds what the server calls a credential elsewhere",
    ),
    "Bell": ({"description": "\a"}, "holds the character U+0007, which no plan file may hold"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_file_can_say_is_refused_and_stops_no_other(name: str, kept: Place) -> None:
    document, reason = REFUSED[name]
    kept.plant("other", jobs=[PLAIN])
    id_ = kept.plant("odd", **document)
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ended.json["exit_code"] == ExitCode.REFUSED
    (refused,) = changes(ended, "refused")
    assert refused["id"] == id_
    assert reason in why(ended)
    (adopted,) = changes(ended, "applied")
    assert [path.name for path in (kept.folder / "plans").iterdir()] == ["plan-other.yaml"]
    assert adopted["file"] == "plans/plan-other.yaml"
    kept.commit()
    nothing_left(kept)
    assert kept.zadig.writes == ()


def test_everything_that_brpm_documents_is_adopted(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(BrpmSandbox()) as brpm, serve(brpm.app) as at:
        monkeypatch.setenv("BRPM_TOKEN", "sandbox-admin-token")
        target = f"backend: brpm, url: '{at.url}/brpm', token: '${{env:BRPM_TOKEN}}'"
        ledgered(place, tmp_path / "origin.git", target)
        planted(place, sorted(BRPM.glob("*.yaml")))
        for state in ("planned", "hold", "locked"):
            brpm.insert_plan({"name": f"In {state}", "aasm_state": state, "description": "a\nb"})
        brpm.insert_plan({"name": "Over", "aasm_state": "archived"})
        since, there = len(brpm.writes), brpm.plans()
        ended = place.json("adopt", "--all", "--yes")
        assert ended.code == ExitCode.OK, ended.both
        assert len(changes(ended, "applied")) == len(there) - 1
        assert "1 finished plan is left out" in str(ended.json["targets"])
        assert (
            'release_manager: admin\n  release_date: "2012-10-31"'
            in (place.folder / "plans/sample-plan.yaml").read_text()
        )
        place.commit()
        nothing_left(place)
        assert brpm.writes[since:] == ()
        ended = place.json("adopt", "--all", "--finished", "--yes")
        assert [one["key"] for one in changes(ended, "applied")] == ["over"]
        assert not brpm.defects


def test_a_job_of_which_something_is_unreadable_by_hand_is_adopted_by_its_key(kept: Place) -> None:
    id_ = kept.plant("odd", manager="Patrick Star", description="one")
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.REFUSED
    kept.plan("odd", description="one")
    kept.commit()
    ended = kept.json("adopt", "odd", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    assert [one["id"] for one in changes(ended, "applied")] == [id_]
    nothing_left(kept)
