"""A command's session: settings and files read, targets built, progress told.

The one place where adapters are made: the HTTP client, the backends, the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planops.cli import base
from planops.cli.clock import SystemClock
from planops.cli.group import bug
from planops.cli.interrupts import Interrupts
from planops.cli.keeping import keeping, longest_call
from planops.cli.origins import finders
from planops.cli.telling import call_teller, end_of_progress, teller
from planops.cli.writer import in_ci
from planops.core.decide import Drift
from planops.core.guards import Limits
from planops.core.model import Plan, Problem, Severity
from planops.core.report import ExitCode, GitFacts, Report, TargetReport
from planops.errors import Busy, PlanopsError, SettingsWrong, Stale, UsageWrong
from planops.run import Locate, Run, Target

if TYPE_CHECKING:
    from planops.backends.http import Http
    from planops.core.ledger import Intent, Record
    from planops.manifests.load import Loaded
    from planops.manifests.settings import Config
    from planops.manifests.settings import Target as TargetSettings
    from planops.ports import Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line said about which plans, and how to treat them.

    ``base`` is the base commit of the pull request that is built, empty outside of one; ``calls``
    tells that servers are called.
    """

    chdir: Path
    paths: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    allow: dict[str, int | None] = field(default_factory=dict)
    by_name: bool = False
    prune: bool = False
    base: str = ""
    calls: bool = True
    full: bool = False
    patience: int = 0
    verbose: int = 0
    quiet: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Asked:
        """Take what the shared options hold; a command need not have all of them.

        ``base`` is the CI's where the command does not find it out itself.
        """
        return cls(
            chdir=given["chdir"],
            paths=given.get("paths", ()),
            targets=given["targets"],
            labels=given["labels"],
            allow=dict(given.get("allowances", ())),
            by_name=given.get("adopt_by_name", False),
            prune=given.get("prune", False),
            base=given["base"] if "base" in given else base.base_of(os.environ),
            calls=given.get("calls", True),
            full=given.get("full", False),
            patience=given.get("lock_timeout", 0),
            verbose=given["verbose"],
            quiet=given["quiet"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Files and settings, read and checked; what is wrong with them is in ``problems``."""

    asked: Asked
    config: Config | None
    loaded: Loaded | None
    problems: tuple[Problem, ...]
    facts: Callable[[], GitFacts | None] = lambda: None
    """Gives what git says of the files; asked once."""
    left_out: Callable[[], Sequence[str]] = tuple
    """Names the plan files that the work tree lacks though git has them; asked once."""
    heads: tuple[str, ...] = ("HEAD",)
    """Commits one of which what was applied last must be an ancestor of."""
    locate: Locate | None = None
    """Finds places in the files, where they are not those of the work tree."""

    def names(self) -> tuple[str, ...]:
        """Name the targets that this run is about."""
        if self.config is None:
            return ()
        return tuple(n for n in self.config.targets if n in (self.asked.targets or (n,)))

    def broken(self, target: str) -> bool:
        """Tell whether something is wrong with the files of a target: then it is not called."""
        return any(
            problem.severity is Severity.ERROR and problem.target in (None, target)
            for problem in self.problems
        )

    def plans(self, target: str) -> tuple[Plan, ...]:
        """Give the plans that files declare for a target."""
        plans = self.loaded.plans if self.loaded else ()
        return tuple(plan for plan in plans if plan.key.target == target)

    def elsewhere(self, name: str, loaded: Loaded | None) -> dict[tuple[str, str], str]:
        """Map the plans that files declare for other targets of the same server to these."""
        targets = self.config.targets if self.config else {}
        here = {each for each in targets if targets[each].url == targets[name].url} - {name}
        plans = loaded.every if loaded else ()
        return {
            (plan.key.name, plan.display_name.strip()): plan.key.target
            for plan in plans
            if plan.key.target in here
        }

    def report(
        self, command: str, targets: Sequence[TargetReport], *, exit_on_changes: bool = False
    ) -> Report:
        """Assemble the report of a command."""
        return Report(
            command=command,
            targets=tuple(targets),
            problems=self.problems,
            git=self.facts(),
            files=self.loaded.files if self.loaded else 0,
            paths=self.loaded.paths if self.loaded else (),
            exit_on_changes=exit_on_changes,
        )


def open_session(asked: Asked) -> Session:
    """Read settings and files; what is wrong with them is for the report.

    Raises:
        UsageWrong: the selection makes no sense.
    """
    if "" in asked.paths:  # a variable of a script that is not set must not mean all plans
        raise UsageWrong("path ``: it is empty; name a file or a folder")
    if asked.prune and (asked.paths or asked.labels):
        raise UsageWrong(
            "--prune: only some of the files are looked at, so that nobody knows which are gone;"
            " leave out the paths and labels"
        )
    from planops.manifests.load import load_plans

    try:
        config, problems = base.settings(asked.chdir, asked.base, calls=asked.calls)
    except SettingsWrong as error:
        none = Problem(severity=Severity.ERROR, code="no-settings", message=str(error))
        return Session(asked=asked, config=None, loaded=None, problems=(none,))
    if config is None:
        return Session(asked=asked, config=None, loaded=None, problems=problems)
    left = cache(lambda: _left_out(config))
    if asked.prune and left():
        raise UsageWrong(
            f"--prune: this work tree leaves out {left()[0]} (a sparse checkout), so that nobody"
            " knows which files are gone; check out all plan files"
        )
    here = asked.chdir.resolve()
    loaded = load_plans(
        config.root,
        config,
        paths=[str(here / path) for path in asked.paths],
        targets=asked.targets,
        labels=asked.labels,
    )
    return Session(
        asked=asked,
        config=config,
        loaded=loaded,
        problems=(*problems, *loaded.problems),
        facts=cache(lambda: _facts(config.root)),
        left_out=left,
    )


def _left_out(config: Config) -> list[str]:
    """Name the plan files that the work tree lacks though git has them."""
    from planops.git.repository import left_out
    from planops.manifests.trees import concerns

    return [path for path in sorted(left_out(config.root)) if concerns(path, config.plans)]


def _facts(root: Path) -> GitFacts | None:
    from planops.git.repository import facts

    return facts(root)


@contextmanager
def running(session: Session) -> Iterator[Running]:
    """Give what a run needs, listen to signals, and close every connection after it."""
    interrupts = Interrupts()
    with ExitStack() as stack, interrupts.heard():
        stack.callback(end_of_progress, quiet=session.asked.quiet)
        yield Running(session=session, stack=stack, interrupts=interrupts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A session with connections; targets are built when they are asked for."""

    session: Session
    stack: ExitStack
    interrupts: Interrupts
    secrets: list[str] = field(default_factory=list, repr=False)

    def run(self, name: str) -> Run:
        """Give what the run over a target was asked for."""
        asked, loaded = self.session.asked, self.session.loaded
        from planops.git.repository import descends

        facts = self.session.facts()
        root = self.session.config.root if self.session.config else Path()
        from planops.manifests.trees import WorkTree

        locate, blame = finders(WorkTree(root=root), root)
        if self.session.locate is not None:
            locate, blame = self.session.locate, lambda _plan, _paths: {}
        heads = self.session.heads
        return Run(
            now=SystemClock().now(),
            commit=facts.head if facts else "",
            descends=cache(lambda commit: descends(root, commit, heads)),
            files=frozenset(loaded.paths if loaded else ()),
            elsewhere=self.session.elsewhere(name, loaded),
            unfit=self._unfit(root),
            allow=asked.allow,
            selected=bool((loaded and loaded.selected) or self.session.left_out()),
            prune=asked.prune,
            full=asked.full,
            unproven=self._unproven(name),
            unread=self._unread(name),
            earlier=self._earlier(name),
            stop=self.interrupts.stop,
            progress=teller(quiet=asked.quiet),
            locate=locate,
            blame=blame,
        )

    def _in_ci(self) -> bool:
        """Tell whether files of the work tree are applied where nobody would see how they are."""
        return in_ci(os.environ) and self.session.locate is None

    def _unfit(self, root: Path) -> Callable[[str], bool]:
        """Give what tells of files that may not be as the commit has them, whatever git says."""
        from planops.git import trees
        from planops.git.repository import uncommitted

        loaded = self.session.loaded

        @cache
        def altered() -> frozenset[str]:
            with suppress(SettingsWrong):
                return trees.altered(root, loaded.paths if loaded else ())
            return frozenset()

        asked = cache(lambda: uncommitted(root))
        return lambda file: self._in_ci() and (asked()(file) or file in altered())

    def _unproven(self, name: str) -> Callable[[Record], str]:
        from planops.cli.proof import unproven

        config, heads = self.session.config, self.session.heads
        return lambda record: unproven(config, name, record, heads) if config else "no settings"

    def _unread(self, name: str) -> Callable[[Record], bool]:
        """Give what tells of files that are there and were not read; in a review nobody asks."""
        from planops.cli.proof import declares

        config, loaded = self.session.config, self.session.loaded
        read = frozenset(loaded.paths if loaded else ())
        if config is None or self.session.locate is not None:
            return lambda _: False
        return lambda record: record.origin.file not in read and declares(config, name, record)

    def _earlier(self, name: str) -> Callable[[Intent], Plan | None]:
        from planops.cli.proof import earlier

        config = self.session.config
        return lambda intent: earlier(config, name, intent) if config else None

    def target(self, name: str) -> Target:
        """Build a target. Raises ``SettingsWrong`` where its settings cannot be used."""
        if self.session.config is None:
            raise SettingsWrong("there are no settings")
        config = self.session.config
        settings = config.targets[name]
        from planops.manifests.settings import secret

        base.check_trusted(config, settings, self.session.asked.base, os.environ)
        token = secret(settings.token, os.environ, config.root)
        self.secrets.append(token)
        return Target(
            name=settings.name,
            kind=settings.backend,
            url=settings.url,
            backend=self._backend(settings, token),
            by_name=settings.adopt_by_name or self.session.asked.by_name,
            limits=Limits(
                share=config.limits.mass_change / 100,
                floor=config.limits.mass_change_floor,
                delete=config.limits.delete,
            ),
            concurrency=settings.concurrency,
            digest_key=token.encode(),
            keeping=keeping(config, settings, self.session.asked.patience),
            drift=Drift(settings.drift),
        )

    def _backend(self, settings: TargetSettings, token: str) -> Backend:
        """Build a backend: Zadig takes the token in a header, BRPM in every address."""
        from planops.manifests.schemas import KIND_OF, shape

        form = shape(KIND_OF[settings.backend])
        if settings.backend == "brpm":
            from planops.backends.brpm.backend import BrpmBackend
            from planops.backends.brpm.lifecycle import dialect

            http = self._http(settings, token, query=(("token", token),))
            return BrpmBackend(http, form, dialect=dialect(settings.lifecycle))
        from planops.backends.zadig.backend import ZadigBackend

        http = self._http(settings, token, headers={"Authorization": f"Bearer {token}"})
        return ZadigBackend(http, form, token=token, version=settings.version)

    def _http(
        self,
        settings: TargetSettings,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: tuple[tuple[str, str], ...] = (),
    ) -> Http:
        from planops.backends.exchange import Endpoint, Timeouts
        from planops.backends.http import Http

        waits = settings.timeouts
        endpoint = Endpoint(
            url=settings.url,
            headers=headers or {},
            query=query,
            secrets=(token,),
            ca_file=settings.ca_file,
            concurrency=settings.concurrency,
            timeouts=Timeouts(connect=waits.connect, read=waits.read, total=longest_call(settings)),
        )
        on_call = call_teller(self.session.asked.verbose)
        return self.stack.enter_context(Http(endpoint, SystemClock(), on_call=on_call))


def failed(name: str, session: Session, error: Exception) -> TargetReport:
    """Report a target that could not be compared; of what nobody expected it tells as of a bug."""
    known = isinstance(error, PlanopsError)
    if not known:
        bug(error, name)
    settings = session.config.targets[name] if session.config else None
    return TargetReport(
        name=name,
        backend=settings.backend if settings else "",
        url=settings.url if settings else "",
        managed=len(session.plans(name)),
        error=str(error) if known else f"bug in planops: {type(error).__name__}",
        code=_code_of(error),
    )


def _code_of(error: Exception) -> ExitCode | None:
    match error:
        case Busy():
            return ExitCode.BUSY
        case Stale():
            return ExitCode.STALE
        case PlanopsError():
            return None
        case _:
            return ExitCode.BUG
