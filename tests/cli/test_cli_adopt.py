"""Taking plans over: which is meant, where its file goes, what is recorded, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.adopting import (
    PLAIN,
    changes,
    files,
    held_by,
    hook,
    ledger_of,
    ledgered,
    nothing_left,
    released,
    settings,
    why,
)
from cli.place import TEXT, Place
from planops.cli.writer import Writer
from planops.core.ledger import Lease, lease_document
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault

HEAD = "# yaml-language-server: $schema=../schemas/plan.schema.json"
FILE = f"""{HEAD}
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata:
  name: plan-train
spec:
  name: Plan train
  manager: patrick
  description: |
    one
    two
  jobs:
    - name: Announce
      type: text
      spec:
        content: Hello
"""


@pytest.fixture
def kept(place: Place, tmp_path: Path) -> Place:
    """The repository, with a remote and a ledger in it."""
    made = ledgered(place, tmp_path / "origin.git")
    made.git("commit", "--quiet", "--allow-empty", "--message", "first")
    return made


def plant(place: Place, name: str = "train", **more: object) -> str:
    return place.plant(name, jobs=[PLAIN], **more)


# -------------------------------------------------------------------------------- a file is written


@pytest.mark.parametrize("word", ["Plan train", "plan-train", "{id}", "--all"])
def test_a_plan_gets_a_file_and_a_record(word: str, kept: Place) -> None:
    id_ = plant(kept, description="one\ntwo\n")
    ended = kept.json("adopt", word.format(id=id_), "--yes")
    assert ended.code == ended.json["exit_code"] == ExitCode.OK, ended.both
    assert (ended.json["command"], ended.json["outcome"]) == ("adopt", "applied")
    (one,) = changes(ended, "applied")
    assert (one["kind"], one["key"], one["id"]) == ("adopt", "plan-train", id_)
    assert (one["file"], one["steps"]) == ("plans/plan-train.yaml", [])
    assert files(kept) == ["plans/plan-train.yaml"]
    assert (kept.folder / "plans/plan-train.yaml").read_text() == FILE
    record = ledger_of(kept).load().records["plan-train"]
    assert (record.id, record.goal, record.origin.file) == (id_, None, "plans/plan-train.yaml")
    assert record.origin.commit == kept.git("rev-parse", "HEAD").strip()
    assert "the next diff of what was adopted is empty (1)" in str(ended.json["targets"])
    nothing_left(kept)
    assert kept.zadig.writes == ()
    log = kept.planops("log").out.splitlines()
    assert any(line.endswith("  prod  adopt prod: plan-train") for line in log)


def test_the_text_says_what_is_written_and_what_is_next(kept: Place) -> None:
    plant(kept)
    ended = kept.planops("adopt", "--all", "--yes")
    assert 'plan-train  "Plan train"  plans/plan-train.yaml:2  applied\n' in ended.out
    assert "note: writes plans/plan-train.yaml, 13 lines" in ended.out
    assert "note: the next diff of what was adopted is empty (1)" in ended.out
    assert ended.out.endswith("1 applied.\nNext: commit the files that were written.\n")


def test_what_the_server_changes_later_is_drift(kept: Place) -> None:
    id_ = plant(kept, description="one")
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    kept.zadig.edit(id_, {"description": "theirs"}, "Bob")
    ended = kept.json("drift")
    assert ended.code == ExitCode.CHANGES
    assert [delta["cause"] for delta in ended.json["changes"][0]["deltas"]] == ["drift"]


def test_the_key_and_the_folder_can_be_chosen(kept: Place) -> None:
    plant(kept)
    ended = kept.json("adopt", "train-1=Plan train", "--yes", "--into", "plans/a/b")
    assert ended.code == ExitCode.OK, ended.both
    assert files(kept) == ["plans/a/b/train-1.yaml"]
    text = (kept.folder / "plans/a/b/train-1.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../../../schemas/plan.schema.json\n")
    nothing_left(kept)


def test_the_folder_is_meant_from_where_the_user_is(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(kept)
    (kept.folder / "plans/team").mkdir(parents=True)
    monkeypatch.chdir(kept.folder / "plans/team")
    assert kept.planops("adopt", "--all", "--yes", "--into", ".").code == ExitCode.OK
    assert files(kept) == ["plans/team/plan-train.yaml"]


def test_names_in_other_scripts_get_a_key(kept: Place) -> None:
    made = kept.zadig.insert_plan({"name": "发布", "manager": "patrick", "manager_id": "u"})
    kept.zadig.edit(str(made["id"]), {"manager_id": kept.zadig.plans()[0]["manager_id"]})
    plant(kept)
    uid = next(one["manager_id"] for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.edit(str(made["id"]), {"manager_id": uid})
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    assert files(kept) == [f"plans/plan-{str(made['id'])[-6:]}.yaml", "plans/plan-train.yaml"]
    nothing_left(kept)


def test_with_several_targets_the_file_says_its_own(place: Place, tmp_path: Path) -> None:
    ledgered(place, tmp_path / "origin.git", "", "")
    plant(place)
    ended = place.planops("adopt", "Plan train", "--yes")
    assert ended.code == ExitCode.USAGE
    assert "prod and other have such a plan; say which with --target" in ended.err
    assert place.planops("adopt", "Plan train", "--yes", "-t", "other").code == ExitCode.OK
    assert "\n  target: other\n" in (place.folder / "plans/plan-train.yaml").read_text()
    ended = place.json("adopt", "--all", "--yes")
    assert [one["target"] for one in changes(ended, "applied")] == ["prod"]
    assert len(files(place)) == 2


# ----------------------------------------------------------------------------- a file that is there


def test_a_file_that_is_there_is_recorded_and_what_differs_stays_an_edit(kept: Place) -> None:
    id_ = plant(kept, description="theirs")
    path = kept.plan(description="ours", jobs=[TEXT])
    before = path.read_text()
    kept.commit()
    ended = kept.json("adopt", "train", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    (one,) = changes(ended, "applied")
    assert [(d["path"], d["cause"]) for d in one["deltas"]] == [("/spec/description", "edit")]
    assert path.read_text() == before
    assert ledger_of(kept).load().records["train"].spec == {}
    shown = kept.json("diff")
    assert [d["cause"] for d in shown.json["changes"][0]["deltas"]] == ["edit"]
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    assert [(p["id"], p["description"]) for p in kept.zadig.plans()] == [(id_, "ours")]


@pytest.mark.parametrize("word", ["train", "train=Plan train", "--all"])
def test_a_plan_that_somebody_made_again_by_hand_becomes_the_files(kept: Place, word: str) -> None:
    kept.plan(jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    kept.zadig.remove_plan(str(kept.zadig.plans()[0]["id"]))
    id_ = plant(kept)
    said = "on the server, or planops adopt train takes it over"
    assert said in kept.planops("apply", "--yes", "--allow", "recreate").out
    ended = kept.json("adopt", word, "--yes")
    assert ended.code == ExitCode.OK, ended.both
    (one,) = changes(ended, "applied")
    assert (one["key"], one["id"]) == ("train", id_)
    assert ledger_of(kept).load().records["train"].id == id_
    nothing_left(kept)
    assert [plan["id"] for plan in kept.zadig.plans()] == [id_]


def test_a_plan_that_is_gone_for_good_is_not_called_adopted(kept: Place) -> None:
    kept.plan(jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    id_ = str(kept.zadig.plans()[0]["id"])
    kept.zadig.remove_plan(id_)
    ended = kept.json("adopt", "train", "--yes")
    assert "there is nothing to adopt; planops apply --allow recreate makes it" in why(ended)
    path = f"/openapi/release_plan/v1/{id_}"
    kept.zadig.faults.add(Fault("status-before", path=path, nth=None, status=403, body=b"no"))
    (one,) = changes(kept.json("adopt", "train", "--yes"), "unchanged")
    assert one["notices"] == ["adopted already, as train (plans/train.yaml)"]


def test_where_no_file_is_written_there_is_none_to_commit(kept: Place) -> None:
    plant(kept)
    kept.plan(jobs=[TEXT])
    kept.commit()
    ended = kept.planops("adopt", "train", "--yes")
    assert (ended.code, ended.out.endswith("1 applied.\n")) == (ExitCode.OK, True), ended.both


def test_a_plan_that_was_put_back_stays_where_it_is(kept: Place) -> None:
    plant(kept, planning_time=1)
    kept.plan(jobs=[TEXT], state="finish_planning")
    kept.commit()
    assert kept.planops("adopt", "train", "--yes").code == ExitCode.OK
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    assert kept.zadig.writes == ()


def test_a_run_killed_between_file_and_record_is_taken_up(kept: Place) -> None:
    plant(kept, description="one\ntwo\n")
    script = hook(kept, "exit 1")
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.UNKNOWN
    assert "the ledger cannot be written" in str(ended.json["targets"])
    assert (kept.folder / "plans/plan-train.yaml").read_text() == FILE
    script.unlink()
    assert kept.planops("diff").code == ExitCode.OK
    again = kept.json("adopt", "--all", "--yes")
    assert again.code == ExitCode.OK
    assert [one["file"] for one in changes(again, "applied")] == ["plans/plan-train.yaml"]
    assert ledger_of(kept).load().records["plan-train"].spec["description"] == "one\ntwo\n"
    nothing_left(kept)


def test_adopting_twice_does_nothing(kept: Place) -> None:
    id_ = plant(kept)
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    before = kept.git("ls-remote", "origin")
    for word in ("plan-train", "Plan train", id_):
        ended = kept.json("adopt", word, "--yes")
        assert ended.code == ExitCode.OK
        (one,) = changes(ended, "unchanged")
        assert one["notices"] == ["adopted already, as plan-train (plans/plan-train.yaml)"]
    ended = kept.planops("adopt", "--all", "--yes")
    assert (ended.code, "Nothing to adopt." in ended.out) == (ExitCode.OK, True)
    assert kept.git("ls-remote", "origin") == before


def test_where_the_file_is_gone_it_is_said_how_the_plan_gets_one(kept: Place) -> None:
    plant(kept)
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    file = kept.folder / "plans/plan-train.yaml"
    text = file.read_text()
    file.unlink()
    ended = kept.planops("adopt", "plan-train", "--yes")
    assert ended.code == ExitCode.OK
    assert (
        '  * reported    plan-train  "Plan train"  plans/plan-train.yaml:1\n'
        "      note: adopted already, as plan-train (plans/plan-train.yaml, which is gone or"
        " declares it no more: write or restore a file with this key, and it is that file's"
        " again)\n"
    ) in ended.out
    file.write_text(text)
    assert "In sync: 1 plan as declared, nothing to do." in kept.planops("diff").out


# ----------------------------------------------------------------------------------- not every plan


def test_finished_plans_are_left_out_unless_they_are_named(kept: Place) -> None:
    plant(kept, "done", status="success")
    plant(kept, "gone", status="cancel")
    ended = kept.planops("adopt", "--all", "--yes")
    assert "note: 2 finished plans are left out; --finished adopts them too" in ended.out
    assert files(kept) == []
    assert kept.planops("adopt", "Plan gone", "--yes").code == ExitCode.OK
    assert kept.planops("adopt", "--all", "--finished", "--yes").code == ExitCode.OK
    assert files(kept) == ["plans/plan-done.yaml", "plans/plan-gone.yaml"]


def test_two_plans_of_one_name_are_told_apart_by_id(kept: Place) -> None:
    first, second = plant(kept), plant(kept)
    for words in (("--all",), ("Plan train",), ("plan-train",)):
        ended = kept.json("adopt", *words, "--yes")
        assert ended.code == ExitCode.REFUSED
        assert f"{first} (Plan train) and {second} (Plan train)" in why(ended)
        assert f"planops adopt {first}" in why(ended)
    assert kept.planops("adopt", f"train={second}", "--yes").code == ExitCode.OK
    assert ledger_of(kept).load().records["train"].id == second
    ended = kept.json("adopt", first, "--yes")
    assert "plans/train.yaml declares the name 'Plan train' for another plan" in why(ended)


def test_a_file_chooses_among_plans_of_its_name_by_id(kept: Place) -> None:
    first, second = plant(kept), plant(kept)
    kept.plan(jobs=[TEXT])
    kept.commit()
    ended = kept.json("adopt", "train", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert f"planops adopt train={first}" in why(ended)
    assert kept.planops("adopt", f"train={second}", "--yes").code == ExitCode.OK
    assert ledger_of(kept).load().records["train"].id == second


def test_a_file_without_a_plan_is_for_apply(kept: Place) -> None:
    kept.plan(jobs=[TEXT])
    ended = kept.json("adopt", "train", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "no plan on the server is named 'Plan train'" in why(ended)
    assert "planops apply makes it" in why(ended)


def test_a_key_that_is_taken_is_refused(kept: Place) -> None:
    plant(kept)
    plant(kept, "other")
    assert kept.planops("adopt", "train=Plan train", "--yes").code == ExitCode.OK
    ended = kept.json("adopt", "train=Plan other", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "the key train is taken" in why(ended)
    assert "  no file\n" in kept.planops("adopt", "train=Plan other", "--yes").out
    ended = kept.json("adopt", "again=Plan train", "--yes")
    assert "is adopted already, as train" in why(ended)


def test_one_slug_of_two_plans_is_told_apart(kept: Place) -> None:
    plant(kept, "a b")
    second = plant(kept, "a-b")
    ended = kept.json("adopt", "plan-a-b", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "2 plans on the server are called 'plan-a-b'" in why(ended)
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    assert files(kept) == [f"plans/plan-a-b-{second[-6:]}.yaml", "plans/plan-a-b.yaml"]
    nothing_left(kept)


# ---------------------------------------------------------------------------------------- the place


def test_no_file_is_overwritten(kept: Place) -> None:
    id_ = plant(kept)
    kept.plant("else")
    mine = kept.plan("else").rename(kept.folder / "plans/plan-train.yaml")
    before = mine.read_text()
    assert kept.planops("adopt", "Plan train", "--yes").code == ExitCode.OK
    assert files(kept) == [f"plans/plan-train-{id_[-6:]}.yaml", "plans/plan-train.yaml"]
    assert mine.read_text() == before


def test_a_chosen_key_whose_file_is_there_is_refused(kept: Place) -> None:
    plant(kept)
    kept.plan("x").rename(kept.folder / "plans/train.yaml")
    ended = kept.json("adopt", "train=Plan train", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "plans/train.yaml: something is there already, and stays" in why(ended)


@pytest.mark.parametrize("link", ["dangling", "outside"])
def test_a_link_in_the_files_place_is_no_place(link: str, kept: Place, tmp_path: Path) -> None:
    plant(kept)
    (kept.folder / "plans").mkdir()
    (tmp_path / "outside").write_text("x")
    (kept.folder / "plans/train.yaml").symlink_to(tmp_path / link)
    assert kept.planops("adopt", "train=Plan train", "--yes").code != ExitCode.OK
    assert (tmp_path / "outside").read_text() == "x"
    assert not (tmp_path / "dangling").exists()


USAGE = {
    ("adopt", "--yes"): "name the plans, or say --all",
    ("adopt", "a", "--all", "--yes"): "name the plans, or say --all",
    ("adopt", "a", "--finished", "--yes"): "--finished goes with --all",
    ("adopt", "--all"): "nobody can be asked here: this is no terminal; say --yes",
    ("adopt", "a", "--yes"): "no file and no plan on the server is called so (prod)",
    ("adopt", "A b=Plan train", "--yes"): "`A b` is no key; write 1 to 100 lower-case letters",
    ("adopt", "=Plan train", "--yes"): "`` is no key",
    ("adopt", "--all", "--yes", "--into", "../x"): "`../x`: it is outside of the repository",
    ("adopt", "--all", "--yes", "--into", "link"): "`link`: it is outside of the repository",
    ("adopt", "--all", "--yes", "--into", "planops.yaml"): "it is no folder; name one",
}


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_what_does_not_fit_together_is_usage(
    words: tuple[str, ...], kept: Place, tmp_path: Path
) -> None:
    (kept.folder / "link").symlink_to(tmp_path)
    plant(kept)
    ended = kept.planops(*words)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert USAGE[words] in ended.err
    assert files(kept) == []


@pytest.mark.parametrize("into", ["elsewhere", "plans/.hidden"])
def test_a_place_that_no_glob_finds_is_refused(into: str, kept: Place) -> None:
    plant(kept)
    ended = kept.json("adopt", "--all", "--yes", "--into", into)
    assert ended.code == ExitCode.REFUSED
    assert "`plans` in planops.yaml would not find a file there" in why(ended)
    assert not (kept.folder / into).exists()


def test_other_endings_are_used_where_the_globs_ask_for_them(kept: Place) -> None:
    settings(kept, plans="teams/*/plans/*.yml")
    plant(kept)
    ended = kept.json("adopt", "--all", "--yes")
    assert "it has `teams/*/plans/*.yml`" in why(ended)
    assert kept.planops("adopt", "--all", "--yes", "--into", "teams/a/plans").code == ExitCode.OK
    assert (kept.folder / "teams/a/plans/plan-train.yml").is_file()


def test_a_folder_that_cannot_be_written_fails_and_records_nothing(kept: Place) -> None:
    plant(kept)
    kept.write("plans/a", "no folder")
    ended = kept.json("adopt", "--all", "--yes", "--into", "plans/a/b")
    assert ended.code == ExitCode.FAILED
    assert "it cannot be written" in changes(ended, "failed")[0]["error"]
    assert ledger_of(kept).load().records == {}


# --------------------------------------------------------------------------------------- the ledger


def test_somebody_elses_lease_is_respected_before_any_file(kept: Place) -> None:
    plant(kept)
    held_by(kept, "elsewhere/1/x")
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ended.json["exit_code"] == ExitCode.BUSY
    assert "ci@runner is writing (run elsewhere/1/x, https://ci/7)" in str(ended.json["targets"])
    assert files(kept) == []
    released(kept)
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK


def test_a_dead_holder_holds_nothing(kept: Place) -> None:
    plant(kept)
    lease = Lease(
        holder="me", run=f"{Writer.of({}).run.partition('/')[0]}/999999999/x", until=0, seconds=1
    )
    path, data = lease_document(lease)
    ledger_of(kept).write("", {path: data}, "begin", 1_700_000_000)
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK


def test_without_ledger_and_names_nothing_would_remember(kept: Place) -> None:
    plant(kept)
    settings(kept, more="ledger: {mode: none}")
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.FAILED
    assert "it keeps no ledger, and names are not enough here" in str(ended.json["targets"])
    assert files(kept) == []


def test_where_names_are_enough_only_files_are_written(kept: Place) -> None:
    plant(kept)
    settings(kept, more="adopt-by-name: true")
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.OK
    assert "records nothing" in str(changes(ended, "applied")[0]["notices"])
    assert files(kept) == ["plans/plan-train.yaml"]
    assert kept.planops("adopt", "--all", "--yes").code == ExitCode.OK
    nothing_left(kept)
    first, second = plant(kept, "two"), plant(kept, "two")
    ended = kept.json("adopt", second, "--yes")
    assert ended.code == ExitCode.REFUSED
    assert f"{first} (Plan two) and {second} (Plan two)" in why(ended)


def test_wrong_files_stop_their_target(kept: Place) -> None:
    plant(kept)
    kept.write("plans/bad.yaml", "apiVersion: planops/v2\n")
    ended = kept.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.FAILED
    assert files(kept) == ["plans/bad.yaml"]


def test_a_record_that_is_damaged_is_not_written_over(kept: Place) -> None:
    plant(kept)
    kept.plan(jobs=[TEXT])
    kept.commit()
    ledger_of(kept).write("", {"plans/train.json": b"{}"}, "x", 1_700_000_000)
    ended = kept.json("adopt", "train", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "its record cannot be used: plans/train.json: " in why(ended)


def test_the_refusal_of_apply_names_the_command(kept: Place) -> None:
    plant(kept)
    kept.plan(jobs=[TEXT])
    kept.commit()
    shown = kept.planops("diff").out
    assert "planops adopt train" in shown
    assert kept.planops("adopt", "train", "--yes").code == ExitCode.OK
    assert "refused" not in kept.planops("diff").out


def test_a_report_goes_to_files_too(kept: Place) -> None:
    plant(kept)
    words = ("-f", "text", "-f", "json=a.json", "-f", "markdown=a.md")
    assert kept.planops("adopt", "--all", "--yes", *words).code == ExitCode.OK
    assert json.loads((kept.folder / "a.json").read_text())["summary"]["adopt"] == 1
    assert "</code> adopt: **applied** |" in (kept.folder / "a.md").read_text()
