"""``planops review``: what merging a pull request does, line by line."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from planops.cli import base, options, pull
from planops.cli.diff import INTERRUPTED, not_called
from planops.cli.group import say
from planops.cli.interrupts import Interrupted
from planops.cli.output import Output
from planops.cli.publish import Publisher
from planops.cli.session import Asked, Running, Session, failed, running
from planops.core.model import Mark, Problem, Severity
from planops.core.report import ExitCode, GitFacts, Report, TargetReport
from planops.core.review import Review
from planops.errors import SettingsWrong, Stale

if TYPE_CHECKING:
    from planops.manifests.load import Loaded
    from planops.manifests.settings import Config
    from planops.manifests.trees import Committed
    from planops.reviewing import Sides
    from planops.run import Locate


@click.command()
@options.settings
@options.comparison
@options.option(
    "--base",
    "base_revision",
    envvar="PLANOPS_BASE",
    metavar="REV",
    help="What is merged into; its settings are used. Known in a pull request's build.",
)
@options.option(
    "--head",
    "head_revision",
    envvar="PLANOPS_HEAD",
    metavar="REV",
    help="What is to be merged; HEAD where nothing else is known.",
)
@options.option(
    "--pull-request",
    type=click.IntRange(min=1),
    envvar="PLANOPS_PULL_REQUEST",
    metavar="N",
    help="Review this one: base and head are what the forge says, and are fetched.",
)
@options.option(
    "--offline",
    is_flag=True,
    envvar="PLANOPS_OFFLINE",
    help="Compare the files of both only: no server, no credentials, nothing to approve.",
)
@options.publish
@options.output
def command(
    *,
    base_revision: str | None,
    head_revision: str | None,
    pull_request: int | None,
    offline: bool,
    publish: bool,
    **given: Any,
) -> int:
    """Show what merging a pull request does: what it causes, and what is there already.

    Base and head are compared with the same observation of the server. Files are read from the
    commits: nothing is checked out. Settings are the base's; nothing is written to any server.

    \b
    Examples:
      planops review --base origin/main
      planops review --base origin/main --head feature --offline
      planops review --format text --format json=review.json
    """  # noqa: D301  click reads the backspace, and never shows it
    publisher = Publisher.here(given["sinks"]) if publish else None
    asked = Asked.of({**given, "labels": (), "base": ""})
    try:
        found = pull.subject(
            given["chdir"], base_revision or "", head_revision or "", pull_request or 0
        )
    except Stale as error:
        say(f"review: {error}")
        return ExitCode.OK
    question = Question.of(asked.chdir, found)
    session, sides = _opened(asked, question)
    facts = replace(question.facts(session), offline=offline)
    with running(session) as at:
        reports = [
            _offline(session, name, sides) if offline else _reviewed(session, at, name, sides)
            for name in session.names()
        ]
        report = session.report("review", reports)
        facts = _told(facts, sides, report, session)
        report = replace(report, review=facts, ended=at.interrupts.code)
        written = Output.of(given).write(report, at.secrets)
        if publisher is not None:
            replace(publisher, secrets=at.secrets).review(report, facts)
        return written


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which commits are compared, by their full ids.

    ``before`` and ``after`` are what is read: the base and what merging makes, or, where that
    cannot be told, the place where the head left the base and the head itself. ``conflicts`` are
    paths from the top that are taken as the head has them.
    """

    root: Path
    base: str
    head: str
    before: str
    after: str
    clean: bool
    conflicts: frozenset[str] = frozenset()
    number: int = 0

    @classmethod
    def of(cls, folder: Path, subject: pull.Subject) -> Question:
        """Resolve both. Raises ``SettingsWrong`` where this clone does not hold enough."""
        from planops.git import trees
        from planops.git.fetching import is_shallow
        from planops.git.repository import top

        root = top(folder)
        if root is None:
            raise SettingsWrong(f"{folder}: this is no git repository; a review compares commits")
        into, head = trees.resolved(root, subject.base), trees.resolved(root, subject.head)
        merged = trees.merged(root, into, head)
        before = into if merged.tree else trees.fork_point(root, into, head)
        if not before and is_shallow(root):
            raise SettingsWrong(
                f"{folder}: this clone does not hold the place where {head[:12]} left"
                f" {into[:12]}, so that nobody knows what is changed; fetch the whole history"
                " (fetch-depth: 0, GIT_DEPTH: 0, git fetch --unshallow)"
            )
        return cls(
            root=root,
            base=into,
            head=head,
            before=before or into,
            after=merged.tree or head,
            clean=bool(merged.tree) and not merged.conflicts,
            conflicts=merged.conflicts,
            number=subject.number,
        )

    def inside(self, config: Config) -> PurePosixPath:
        """Say where the settings lie below the top."""
        return PurePosixPath(config.root.relative_to(self.root))

    def facts(self, session: Session) -> Review:
        """Give the facts of the review that are known before anything is compared."""
        told = session.facts()
        below = told.folder if told else ""
        marks = (p.mark for p in session.problems if p.code == base.CHANGED and p.mark)
        changed = {posixpath.normpath(posixpath.join(below, mark.file)) for mark in marks}
        return Review(
            base=self.base,
            head=self.head,
            clean=self.clean,
            number=self.number,
            settings=tuple(sorted(changed)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The plan files of both sides, read and checked."""

    before: Loaded
    after: Loaded
    trees: tuple[Committed, Committed]
    locate: Locate

    def sides(self, target: str) -> Sides:
        """Give both sides of one target."""
        from planops.reviewing import Sides

        old, new = self.trees
        return Sides(
            before=tuple(p for p in self.before.plans if p.key.target == target),
            after=tuple(p for p in self.after.plans if p.key.target == target),
            touched=lambda file: old.files.get(file) != new.files.get(file),
            locate=self.locate,
            broken=any(
                problem.severity is Severity.ERROR and problem.target in (None, target)
                for problem in self.before.problems
            ),
        )


def _opened(asked: Asked, question: Question) -> tuple[Session, Files | None]:
    """Read settings and files of both commits; what is wrong with them is for the report."""
    asked = replace(asked, base=question.base)
    found, problems = base.settings(
        asked.chdir,
        question.base,
        calls=True,
        head=question.after,
        since=question.before,
        marked=question.conflicts,
    )
    if found is None:
        return Session(asked=asked, config=None, loaded=None, problems=problems), None
    files = _files(found, question, asked)
    inside = question.inside(found)
    facts = GitFacts(head=question.head, folder=str(inside) if inside.parts else "")
    session = Session(
        asked=asked,
        config=found,
        loaded=files.after,
        problems=(*problems, *_unreadable(files.before, question.base), *files.after.problems),
        facts=lambda: facts,
        heads=(question.head, question.base),
        locate=files.locate,
    )
    return session, files


def _unreadable(before: Loaded, base: str) -> Iterator[Problem]:
    """Point out files that are wrong in the base: what they declare there nobody knows."""
    wrong = (p.mark.file for p in before.problems if p.severity is Severity.ERROR and p.mark)
    for file in sorted(set(wrong)):
        yield Problem(
            severity=Severity.WARNING,
            code="wrong-base",
            message=f"this file is wrong in the base {base[:12]}, so that its plans look new",
            mark=Mark(file=file, line=1, column=1),
            hint="what is caused here and what was there before cannot be told apart for them",
        )


def _files(config: Config, question: Question, asked: Asked) -> Files:
    from planops.cli.origins import finders
    from planops.git import trees
    from planops.manifests.files import fixed
    from planops.manifests.load import load_plans
    from planops.manifests.text import MAX_BYTES
    from planops.manifests.trees import Committed, concerns

    globs, inside = config.plans, question.inside(config)

    def held(revision: str, taken: Collection[PurePosixPath] = ()) -> Committed:
        paths = [str(path.relative_to(inside)) for path in taken if path.is_relative_to(inside)]
        return Committed(
            files=trees.read(
                config.root,
                revision,
                lambda path: concerns(path, globs),
                lambda path: concerns(path, globs, folder=True),
                below={fixed(glob) for glob in globs},
                most=MAX_BYTES,
                instead=(question.head, paths),
            )
        )

    both = held(question.before), held(question.after, [*map(PurePosixPath, question.conflicts)])
    before, after = (
        load_plans(config.root, config, targets=asked.targets, tree=tree) for tree in both
    )
    locate, _ = finders(both[1], config.root)
    return Files(before=before, after=after, trees=both, locate=locate)


def _reviewed(session: Session, at: Running, name: str, files: Files | None) -> TargetReport:
    """Review one target; what goes wrong there is not in the way of the others."""
    from planops import reviewing

    if files is None or session.broken(name):
        return not_called(session, name)
    if at.interrupts.stop.is_set():
        return failed(name, session, INTERRUPTED)
    try:
        sides = replace(files.sides(name), elsewhere=session.elsewhere(name, files.before))
        return reviewing.reviewed(at.target(name), sides, at.run(name))
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return failed(name, session, error)
    except Interrupted:
        return failed(name, session, INTERRUPTED)


def _offline(session: Session, name: str, files: Files | None) -> TargetReport:
    from planops import reviewing
    from planops.manifests.schemas import KIND_OF, shape

    if files is None or session.config is None or session.broken(name):
        return not_called(session, name)
    settings = session.config.targets[name]
    form = shape(KIND_OF[settings.backend])
    sides = files.sides(name)
    return reviewing.offline(name, settings.backend, settings.url, form, sides)


def _told(facts: Review, files: Files | None, report: Report, session: Session) -> Review:
    """Name the plans whose file goes, and of which nothing else is said."""
    if files is None:
        return facts
    told = {item.change.key for item in report.changes}
    known = {target.name for target in report.targets if not target.error}
    known -= {target.name for target in report.targets if session.broken(target.name)}
    gone = (plan.key for plan in files.before.plans if plan.key not in told)
    dropped = sorted(key for key in gone if key.target in known)
    return replace(facts, dropped=tuple(dropped))
