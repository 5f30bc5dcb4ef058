"""Whoever may push the ledger may write anything into it: no call is made on the strength of that.

Every forgery is tried where a call would be due if it were believed: the file of the plan has an
edit, or is gone and may be pruned, or a call of an earlier run seems lost.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cli.place import TEXT, Place
from planops.core.ledger import Intent, Record, intent_document, record_document
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger

REF = "refs/planops/ledger/prod"
WHO = ("-c", "user.name=M", "-c", "user.email=m@example.com", "-c", "commit.gpgsign=false")
NAME = "Their plan"
THEIRS = {"name": NAME, "description": "their words", "jobs": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A repository with two applied plans, and one on the server that is nobody's."""

    place: Place
    foreign: str

    @property
    def ledger(self) -> GitLedger:
        """The ledger, which lies in the repository itself."""
        return GitLedger(root=self.place.folder, ref=REF, remote=None)

    def record(self, key: str = "train") -> Record:
        """What is recorded of a plan."""
        return self.ledger.load().records[key]

    def forge(self, *documents: tuple[str, bytes | None]) -> None:
        """Write documents past planops, by git alone, as somebody would who means harm."""
        entries = {line.split("\t")[1]: line for line in self._git("ls-tree", "-r", REF)}
        for path, data in documents:
            entries.pop(path, None)
            if data is not None:
                (blob,) = self._git("hash-object", "-w", "--stdin", data=data)
                entries[path] = f"100644 blob {blob}\t{path}"
        folders: dict[str, list[str]] = {}
        for path, line in entries.items():
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(f"{line.split(chr(9))[0]}\t{name}\n")
        top = folders.pop("", [])
        for folder, lines in folders.items():
            (tree,) = self._git("mktree", data="".join(lines).encode())
            top.append(f"040000 tree {tree}\t{folder}\n")
        (tree,) = self._git("mktree", data="".join(top).encode())
        (commit,) = self._git(*WHO, "commit-tree", "-p", REF, "-m", "forged", tree)
        self._git("update-ref", REF, commit)

    def _git(self, *words: str, data: bytes = b"") -> list[str]:
        run = subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607
            cwd=self.place.folder,
            input=data,
            capture_output=True,
            check=True,
        )
        return run.stdout.decode().splitlines()

    def plan(self, id_: str) -> dict[str, Any]:
        """A plan of the server."""
        (found,) = (one for one in self.place.zadig.plans() if one["id"] == id_)
        return found


@pytest.fixture
def scene(place: Place) -> Scene:
    """The scene; what follows is written from a commit that has an edit."""
    place.ledgered(limits="{delete: 9, mass-change: 100%}")
    place.plan(description="one", jobs=[TEXT])
    place.plan("other", description="one", jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.plan(description="two", jobs=[TEXT])
    place.commit()
    foreign = place.zadig.insert_plan({"manager": "patrick", **THEIRS})
    return Scene(place=place, foreign=str(foreign["id"]))


def spoiled(record: Record, **fields: Any) -> tuple[str, bytes]:
    """A record's document with other fields, of whatever form."""
    path, data = record_document(record)
    return path, json.dumps({**json.loads(data), **fields}).encode()


def cut(record: Record) -> tuple[str, bytes]:
    path, data = record_document(record)
    return path, data[: len(data) // 2]


FORGERIES: Mapping[str, Callable[[Scene], tuple[str, bytes]]] = {
    "the id of a plan never ours": lambda at: spoiled(at.record(), id=at.foreign),
    "its id and its name": lambda at: spoiled(at.record(), id=at.foreign, name=NAME),
    "its id, its name and its content": lambda at: spoiled(
        at.record(), id=at.foreign, name=NAME, spec=THEIRS, echo=THEIRS
    ),
    "its id, its content and a commit": lambda at: spoiled(
        at.record(),
        id=at.foreign,
        spec=THEIRS,
        echo=THEIRS,
        origin={"commit": at.place.git("rev-parse", "HEAD").strip(), "file": "plans/other.yaml"},
    ),
    "the id of another file's plan": lambda at: spoiled(at.record(), id=at.record("other").id),
    "a foreign address": lambda at: spoiled(at.record(), url="https://elsewhere.example.com"),
    "an address that is none": lambda at: spoiled(at.record(), url="file:///etc/passwd"),
    "an id that leads elsewhere": lambda at: spoiled(at.record(), id=f"x/../{at.foreign}"),
    "an id with a query": lambda at: spoiled(at.record(), id=f"{at.foreign}?force=true"),
    "an id with a line break": lambda at: spoiled(at.record(), id=f"{at.foreign}\n"),
    "an id that is empty": lambda at: spoiled(at.record(), id=""),
    "another key": lambda at: spoiled(at.record(), key="other"),
    "another kind": lambda at: spoiled(at.record(), kind="BrpmPlan"),
    "a huge document": lambda at: spoiled(at.record(), spec={"description": "x" * 5_000_000}),
    "a truncated document": lambda at: cut(at.record()),
    "a newer version": lambda at: spoiled(at.record(), format=2),
    "a version that is none": lambda at: spoiled(at.record(), format=True),
    "a field from nowhere": lambda at: spoiled(at.record(), run="curl"),
    "deep nesting": lambda at: (
        record_document(at.record())[0],
        b'{"format": 1, "spec": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_record_leads_to_no_call(scene: Scene, forgery: str) -> None:
    mine = scene.record().id
    scene.forge(FORGERIES[forgery](scene))
    before, calls = scene.plan(scene.foreign), len(scene.place.zadig.writes)
    assert scene.place.planops("diff").code == ExitCode.OK
    ended = scene.place.json("apply", "--yes", "--allow", "conflict", "--allow", "recreate")
    assert ended.code == ExitCode.REFUSED, ended.both
    (train,) = (one for one in ended.json["changes"] if one["key"] == "train")
    assert train["outcome"] == "refused"
    assert {one["guard"] for one in train["refusals"]} == {"ledger"}
    assert len(scene.place.zadig.writes) == calls
    assert scene.plan(scene.foreign) == before
    assert scene.plan(mine)["description"] == "one"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_record_of_a_file_that_is_gone_deletes_nothing(scene: Scene, forgery: str) -> None:
    mine = scene.record().id
    document = FORGERIES[forgery](scene)
    scene.place.git("rm", "--quiet", "plans/train.yaml")
    scene.place.git("commit", "--quiet", "--message", "drop")
    scene.forge(document)
    before, calls = scene.place.zadig.plans(), len(scene.place.zadig.writes)
    for _ in range(2):
        scene.place.planops("apply", "--yes", "--prune", "--allow", "delete=9")
    assert len(scene.place.zadig.writes) == calls
    assert scene.place.zadig.plans() == before
    assert scene.plan(mine)["description"] == "one"


def test_the_same_without_a_forgery_is_written_and_deleted(scene: Scene) -> None:
    """What the tests above would see if nothing were forged: otherwise they would prove nothing."""
    mine = scene.record().id
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    assert scene.plan(mine)["description"] == "two"
    scene.place.git("rm", "--quiet", "plans/train.yaml")
    scene.place.git("commit", "--quiet", "--message", "drop")
    assert scene.place.planops("apply", "--yes", "--prune").code == ExitCode.OK
    assert mine not in {one["id"] for one in scene.place.zadig.plans()}


def test_a_record_of_a_plan_that_no_file_ever_was_deletes_nothing(scene: Scene) -> None:
    ghost = replace(scene.record(), key="ghost", id=scene.foreign, name=NAME, spec={}, echo={})
    scene.forge(record_document(ghost))
    calls = len(scene.place.zadig.writes)
    ended = scene.place.json("apply", "--yes", "--prune")
    assert ended.code == ExitCode.REFUSED
    (change,) = (one for one in ended.json["changes"] if one["key"] == "ghost")
    assert {one["guard"] for one in change["refusals"]} == {"prune"}
    assert all(scene.foreign not in one.path for one in scene.place.zadig.writes[calls:])
    assert scene.plan(scene.foreign)["name"] == NAME


LOST = Intent(key="new", kind="ZadigReleasePlan", op="create", name="Plan new", at=1)


def wanted(scene: Scene, **more: Any) -> str:
    """A file without a record, and somebody's plan of the same name; its id."""
    scene.place.plan("new", description="ours", jobs=[TEXT])
    scene.place.commit()
    planted = {"name": "Plan new", "manager": "patrick", "description": "their words", **more}
    return str(scene.place.zadig.insert_plan(planted)["id"])


@pytest.mark.parametrize("op", ["create", "update"])
def test_a_forged_intent_makes_nobodys_plan_ours(scene: Scene, op: str) -> None:
    theirs = wanted(scene)
    scene.forge(intent_document(replace(LOST, op=op, id="" if op == "create" else theirs)))
    before = scene.plan(theirs)
    ended = scene.place.json("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    (change,) = (one for one in ended.json["changes"] if one["key"] == "new")
    assert {one["guard"] for one in change["refusals"]} == {"adopt"}
    assert scene.plan(theirs) == before
    assert len([one for one in scene.place.zadig.plans() if one["name"] == "Plan new"]) == 1


def test_a_forged_intent_of_another_kind_makes_nobodys_plan_ours(scene: Scene) -> None:
    theirs = wanted(scene)
    scene.forge(intent_document(replace(LOST, kind="BrpmPlan")))
    before = scene.plan(theirs)
    assert scene.place.planops("apply", "--yes").code == ExitCode.REFUSED
    assert scene.plan(theirs) == before


def test_a_forged_intent_of_a_file_that_never_was_deletes_nothing(scene: Scene) -> None:
    scene.forge(intent_document(replace(LOST, key="ghost", name=NAME)))
    for _ in range(2):
        scene.place.planops("apply", "--yes", "--prune", "--allow", "delete=9")
    assert scene.plan(scene.foreign)["name"] == NAME


def test_a_forged_intent_leads_no_plan_on(scene: Scene) -> None:
    """No file names a state: what an intent says that a plan was led back from starts no jobs."""
    mine = scene.record().id
    forged = replace(
        LOST, key="train", op="update", name="Plan train", id=mine, return_to="executing"
    )
    scene.forge(intent_document(forged))
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    assert (scene.plan(mine)["status"], scene.plan(mine)["description"]) == ("planning", "two")


def lost(scene: Scene) -> str:
    """A plan whose creation was never recorded, and whose file says something else since."""
    high_water = max(int(one["index"]) for one in scene.place.zadig.plans())
    scene.place.plan("new", description="ours", jobs=[TEXT])
    scene.place.commit()
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    record = scene.record("new")
    path, document = intent_document(
        replace(LOST, high_water=high_water, origin=record.origin, at=1)
    )
    scene.forge(("plans/new.json", None), (path, document))
    scene.place.plan("new", description="ours, edited", jobs=[TEXT])
    scene.place.commit()
    return record.id


def test_what_was_really_lost_is_found_though_the_file_has_moved_on(scene: Scene) -> None:
    """The plan holds what the file said when it was made: git knows that, and the intent where."""
    made = lost(scene)
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    assert scene.plan(made)["description"] == "ours, edited"
    assert scene.record("new").id == made


def test_what_was_lost_and_changed_by_somebody_since_is_theirs_to_settle(scene: Scene) -> None:
    made = lost(scene)
    scene.place.zadig.edit(made, {"description": "their words"})
    ended = scene.place.planops("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert f"{made} may be it, but holds what the file does not say: /spec/description" in ended.out
    assert scene.plan(made)["description"] == "their words"
    assert scene.place.planops("adopt", "new", "--yes").code == ExitCode.OK
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    assert scene.plan(made)["description"] == "ours, edited"


def test_a_dirty_file_is_not_applied_in_ci(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = scene.record().id
    scene.place.plan(description="three", jobs=[TEXT])
    monkeypatch.setenv("CI", "true")
    ended = scene.place.planops("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "plans/train.yaml is not as the commit has it, and this is CI; commit it" in ended.out
    assert scene.plan(mine)["description"] == "one"
    monkeypatch.setenv("CI", "false")
    assert scene.place.planops("apply", "--yes").code == ExitCode.OK
    assert scene.plan(mine)["description"] == "three"


def test_what_a_checkout_makes_of_a_file_is_not_applied_in_ci(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A review reads what is committed: attributes must not make something else of it."""
    place, mine = scene.place, scene.record().id
    file = place.plan(description="YENx68idden", jobs=[TEXT])
    file.write_text(file.read_text().replace("YEN", "\N{YEN SIGN}"), encoding="utf-8")
    place.commit()
    place.write(".gitattributes", "plans/*.yaml working-tree-encoding=SHIFT-JIS\n")
    place.git("add", ".gitattributes")
    place.git("commit", "--quiet", "--message", "attributes")
    file.unlink()
    place.git("checkout", "--quiet", "--", "plans/train.yaml")
    assert place.git("status", "--porcelain") == ""
    assert b"\\x68idden" in file.read_bytes()  # the sign is the backslash there
    monkeypatch.setenv("CI", "true")
    ended = place.planops("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "plans/train.yaml is not as the commit has it, and this is CI; commit it" in ended.out
    assert scene.plan(mine)["description"] == "one"
