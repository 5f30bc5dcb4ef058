"""Adopting while others write: the lease is waited for, a moved ledger is told, a lie is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from planops.adoptees import Survey, survey, unowned
from planops.adopting import taken_over, verified
from planops.adoption import Adoptee, Plot, looked
from planops.core.ledger import Lease, Record, lease_document, record_document
from planops.core.model import Plan
from planops.core.report import ExitCode, Outcome, TargetReport
from planops.manifests.load import load_config, load_plans
from planops.run import Target
from run.bench import SETTINGS
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import NOW, World, asked

PATH, HELD = lease_document(Lease(holder="ci", run="elsewhere/1/x", until=NOW + 300, seconds=300))


class Case:
    """One plan on the server, drafted, and a ledger to record it in."""

    def __init__(self, zadig: World, folder: Path) -> None:
        (folder / "planops.yaml").write_text(SETTINGS.replace("plan.yaml", "plans/*.yaml"))
        self.folder, self.ledger, self.clock = folder, MemoryLedger(), MovingClock()
        self.id = zadig.plant()
        self.target: Target = kept(zadig.target(by_name=False), self.ledger, self.clock)
        self.config = load_config(folder / "planops.yaml")

    def look(self) -> tuple[Survey, list[Adoptee]]:
        of = survey(self.target, ())
        plot = Plot(config=self.config, below="plans")
        return of, looked(of, list(unowned(of)), plot, asked(), finished=False)[0]

    def take(self, of: Survey, found: Sequence[Adoptee]) -> TargetReport:
        return taken_over(of, found, asked(), self.folder)

    def plans(self) -> tuple[Plan, ...]:
        return load_plans(self.folder, self.config).plans

    def other(self) -> Record:
        return Record(
            key="other", kind="ZadigReleasePlan", url=self.target.url, id="a" * 24, name="x",
            spec={}, echo={},
        )  # fmt: skip


@pytest.fixture
def case(newest: World, tmp_path: Path) -> Case:
    return Case(newest, tmp_path)


def test_the_lease_is_waited_for_with_patience(case: Case) -> None:
    of, found = case.look()
    case.ledger.write("", {PATH: HELD}, "begin", 1)
    report = case.take(of, found)
    assert (report.code, report.changes[0].outcome) == (ExitCode.BUSY, Outcome.SKIPPED)
    assert not (case.folder / "plans").exists()
    assert case.target.keeping is not None
    case.target = replace(case.target, keeping=replace(case.target.keeping, patience=10))
    of, found = case.look()
    assert case.take(of, found).code is ExitCode.BUSY
    assert case.clock.slept == [5, 5]


def test_what_another_run_recorded_meanwhile_is_told_and_nothing_is_recorded(case: Case) -> None:
    of, found = case.look()
    path, data = record_document(case.other())
    case.ledger.write("", {path: data}, "apply", 1)
    report = case.take(of, found)
    assert (report.code, report.changes[0].outcome) == (ExitCode.STALE, Outcome.SKIPPED)
    assert "planops adopt again" in report.error
    assert set(case.ledger.load().records) == {"other"}
    assert not (case.folder / "plans").exists()


def test_all_records_are_one_commit_without_a_lease(case: Case, newest: World) -> None:
    newest.plant("second")
    of, found = case.look()
    report = case.take(of, found)
    assert [one.outcome for one in report.changes] == [Outcome.APPLIED] * 2
    assert case.ledger.history == ["adopt prod: train, second"]
    assert set(case.ledger.load().records) == {"train", "second"}


def test_a_server_that_moved_since_is_found_by_the_last_look(case: Case, newest: World) -> None:
    of, found = case.look()
    report = case.take(of, found)
    good = verified(of.target, case.plans(), found, report, asked())
    assert good.notices == ("the next diff of what was adopted is empty (1)",)
    newest.sandbox.edit(case.id, {"jobs": []}, "Bob")
    (bad,) = verified(of.target, case.plans(), found, report, asked()).changes
    assert bad.outcome is Outcome.FAILED
    assert bad.error.startswith("adopted, but the next diff is not empty: /spec/")


def test_a_file_that_is_gone_again_is_found_by_the_last_look(case: Case) -> None:
    of, found = case.look()
    report = case.take(of, found)
    (bad,) = verified(of.target, (), found, report, asked()).changes
    assert "is written, but the settings' globs do not find it" in bad.error


def test_a_record_that_was_lost_is_found_by_the_last_look(case: Case) -> None:
    of, found = case.look()
    report = case.take(of, found)
    case.ledger.write(case.ledger.tip, {"plans/train.json": None}, "lost", 1)
    (bad,) = verified(of.target, case.plans(), found, report, asked()).changes
    assert "nothing records that it is this file's; planops adopt train" in bad.error


def test_a_folder_that_became_a_link_out_of_the_repository_is_not_written_into(
    case: Case, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    of, found = case.look()
    (case.folder / "plans").symlink_to(outside)
    (bad,) = case.take(of, found).changes
    assert (bad.outcome, list(outside.iterdir())) == (Outcome.FAILED, [])
    assert "its folder is a symbolic link that leaves the repository" in bad.error
    assert case.ledger.history == []


def test_a_file_that_came_meanwhile_stays(case: Case) -> None:
    of, found = case.look()
    (case.folder / "plans").mkdir()
    (case.folder / "plans/train.yaml").write_text("mine")
    (bad,) = case.take(of, found).changes
    assert bad.error == "plans/train.yaml: something is there already, and stays"
    assert [path.name for path in (case.folder / "plans").iterdir()] == ["train.yaml"]
    assert (case.folder / "plans/train.yaml").read_text() == "mine"
