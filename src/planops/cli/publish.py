"""Publishing a report on the forge whose CI runs this: comment, labels, summary, outputs, issue.

What the forge does not allow is said and done without: a report is never lost to it, and no exit
code comes of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planops.cli.clock import SystemClock
from planops.cli.group import bug, say
from planops.cli.output import TIMES
from planops.cli.pull import GITHUB_TOKEN, GITLAB_TOKEN, token_of
from planops.cli.telling import tell
from planops.core.changes import Cause, ChangeKind
from planops.core.forge import Kind, Marker, Post, Risk, room
from planops.core.report import ChangeReport, ExitCode, Outcome, Report, has_changes, summary
from planops.core.review import Review
from planops.errors import PlanopsError, UsageWrong
from planops.render import closing, merging, shares
from planops.render.escape import masked
from planops.render.room import GITHUB, GITLAB, SUMMARY, Limit

if TYPE_CHECKING:
    from planops.forges.events import Event
    from planops.ports import Forge

LABELS: Final = frozenset(
    f"planops/{name}" for name in ("blocked", "deletes", "drift", "reapproval")
)
DOTENV: Final = "PLANOPS_DOTENV"
_COUNTS: Final = ("create", "update", "transition", "delete", "refused")
_BAD: Final = frozenset({Outcome.FAILED, Outcome.UNKNOWN, Outcome.STALE, Outcome.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Where reports are published; ``secrets`` are masked in all that leaves this process.

    ``annotates`` tells that GitHub's annotations must be written here, since no format does it.
    ``scope`` names the targets where the run is about some of them only: jobs of other targets
    speak for the others.
    """

    event: Event
    annotates: bool = True
    scope: str = ""
    token: str = field(repr=False)
    secrets: Collection[str] = field(default=(), repr=False)

    @classmethod
    def here(cls, sinks: Sequence[tuple[str, str]] = (), targets: Sequence[str] = ()) -> Publisher:
        """Give the publisher of the CI job that this is.

        Raises ``UsageWrong`` outside of any, ``SettingsWrong`` for a token that cannot be sent:
        after the calls are made would be too late to say so.
        """
        from planops.forges.connect import check_token
        from planops.forges.detect import detect

        event = detect(os.environ)
        if event is None:
            raise UsageWrong(
                "--publish: this is no job of GitHub Actions or GitLab CI; leave the option out"
            )
        annotates = ("github", "") not in sinks
        scope, token = ",".join(sorted({*targets}))[:500], token_of(event, os.environ)
        if token:
            check_token(event, token)
        return cls(event=event, annotates=annotates, scope=scope, token=token)

    def review(self, report: Report, facts: Review) -> None:
        """Publish what merging a pull request would do."""
        from planops.render import review

        def text(limit: Limit) -> str:
            return review.text(report, times=TIMES, limit=limit, address=self.event.run)

        self._job(report, lambda: text(SUMMARY))
        risk = merging.risk(report)
        if not facts.number:
            say("publish: no pull request is known; no comment was written")
            return

        def comment(forge: Forge) -> None:
            marker = self._marker(facts.number, facts.head, risk, Kind.REVIEW)
            notice = f"planops: what merging this does is **{risk.value}** now: {self.event.run}"
            forge.upsert(self._post(forge, marker, text), notice)

        self._tell("comment", comment)
        wanted = labels(report)
        self._tell("labels", lambda forge: forge.label(facts.number, wanted, LABELS))

    def outcome(self, report: Report) -> None:
        """Publish what came of merging: into the comment of the pull request that was merged.

        One that brought the commit to another branch is not meant. Whoever sent it is told by a
        comment of its own, but not by every scheduled run again.
        """
        from planops.forges.events import Trigger
        from planops.render import outcome

        def text(limit: Limit) -> str:
            return outcome.text(report, limit=limit, address=self.event.run)

        self._job(report, lambda: text(SUMMARY))
        bad = any(item.outcome in _BAD for item in report.changes) or any(
            target.error or target.unrecorded for target in report.targets
        )
        risk = Risk.BLOCKED if bad else Risk.ROUTINE

        def comment(forge: Forge) -> None:
            merged = forge.pulls_of(self.event.head)
            for pull in (one for one in merged if self.event.branch in {"", one.branch}):
                marker = self._marker(pull.number, pull.head, risk, Kind.OUTCOME)
                forge.upsert(self._post(forge, marker, text))
                if bad and self.event.trigger is not Trigger.SCHEDULE:
                    words = f"@{pull.author} planops did not apply all of this: {self.event.run}"
                    told = self._marker(pull.number, pull.head, risk, Kind.NOTICE)
                    forge.notice(Post(marker=told, body=words))

        if self.event.head:
            self._tell("comment", comment)

    def drift(self, report: Report) -> None:
        """Publish drift: one issue, open while there is some."""
        from planops.render import markdown

        def text(limit: Limit) -> str:
            return markdown.text(report, times=TIMES, limit=limit.number)

        self._job(report, lambda: text(SUMMARY))
        wanted = bool(report.changes)
        if not wanted and report.ended is not ExitCode.OK:
            say("publish: not everything could be compared, so the issue stays as it is")
            return

        def issue(forge: Forge) -> None:
            marker = self._marker(0, self.event.head or "0" * 40, Risk.ATTENTION, Kind.DRIFT)
            title = f"planops: drift of {self.scope}" if self.scope else "planops: drift"
            forge.issue(title, self._post(forge, marker, text), wanted=wanted)

        self._tell("issue", issue)

    def _post(self, forge: Forge, marker: Marker, text: Callable[[Limit], str]) -> Post:
        """Make a text that the forge takes, whatever is put around it."""
        from planops.forges.events import Name

        most = GITHUB if self.event.name is Name.GITHUB else GITLAB
        within = replace(most, number=min(most.number, room(forge.limit, marker)))
        return Post(marker=marker, body=self._masked(text(within)))

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = masked(text, secret)
        return text

    def _marker(self, number: int, head: str, risk: Risk, kind: Kind) -> Marker:
        return Marker(
            repository=self.event.repository,
            number=number,
            head=head,
            seq=self.event.seq,
            risk=risk,
            kind=kind,
            scope="" if kind is Kind.REVIEW else self.scope,
        )

    def _job(self, report: Report, body: Callable[[], str]) -> None:
        """Leave what later steps and the job's own page show: each for itself."""
        from planops.forges import outbox
        from planops.forges.events import Name
        from planops.render import github

        event, deeds = self.event, list[Callable[[], None]]()
        gitlab, summary, output = event.name is Name.GITLAB, event.summary, event.output
        if not gitlab and self.annotates:
            deeds.append(lambda: tell(self._masked(github.text(report))))
        if summary is not None:
            deeds.append(lambda: outbox.write_summary(summary, self._masked(body())))
        if output is not None:
            deeds.append(lambda: outbox.write_outputs(output, outputs(report)))
        if gitlab:
            path = Path(os.environ.get(DOTENV) or "planops.env")
            deeds.append(lambda: outbox.write_dotenv(path, short(outputs(report))))
        for deed in deeds:
            try:
                deed()
            except (PlanopsError, ValueError) as error:
                say(f"publish: the job's own outputs were not written: {error}")
            except Exception as error:  # noqa: BLE001  what is left to publish must not be lost
                bug(error, "publish: the job's own outputs were not written")

    def _tell(self, what: str, action: Callable[[Forge], object]) -> None:
        """Tell the forge; what it does not take is said, and everything else goes on."""
        from planops.forges.connect import connect
        from planops.forges.events import Name

        if not self.token:
            name = GITHUB_TOKEN if self.event.name is Name.GITHUB else GITLAB_TOKEN
            say(f"publish: no {what}: {name} is not set; the job's output has the whole report")
            return
        try:
            with connect(self.event, self.token, SystemClock()) as forge:
                action(forge)
        except PlanopsError as error:
            say(f"publish: no {what}: {error}; the job's output has the whole report")
        except Exception as error:  # noqa: BLE001  no exit code comes of whatever a forge answers
            bug(error, f"publish: no {what}")


def outputs(report: Report) -> dict[str, str]:
    """Give the outputs of a job: what later steps decide by."""
    counts = summary(report)
    free = (target for target in report.targets if not closing.stopped(target))
    marks = [
        item.fingerprint
        for target in free
        for item in target.changes
        if item.change.acts and not item.change.refusals
    ]
    found = {name: str(counts[name]) for name in _COUNTS}
    asked = report.review is not None and not report.review.offline
    risk = merging.risk(report).value if asked else ""
    return {
        "has-changes": str(has_changes(report)).lower(),
        "risk": risk,
        **found,
        "fingerprints": " ".join(marks),
    }


def short(values: Mapping[str, str]) -> dict[str, str]:
    """Leave out what a dotenv report cannot hold: very many fingerprints."""
    most = 4000
    return {name: value if len(value) <= most else "" for name, value in values.items()}


def labels(report: Report) -> frozenset[str]:
    """Say which of our labels a pull request is to carry."""
    caused = [item for item in report.changes if item.share is not None and item.share.causes]
    found = {"planops/blocked"} if merging.hindered(report) else set[str]()
    for item in caused:
        found |= {"planops/blocked"} if item.change.refusals else set()
        found |= {"planops/deletes"} if item.change.kind is ChangeKind.DELETE else set()
        found |= {"planops/reapproval"} if shares.takes_back(item.change) else set()
        found |= {"planops/drift"} if _drifted(item) else set()
    return frozenset(found)


def _drifted(item: ChangeReport) -> bool:
    """Tell that the server changed what is there; an edit that is not applied yet is no drift."""
    there = item.share.there if item.share else frozenset()
    foreign = {Cause.DRIFT, Cause.CONFLICT}
    return any(delta.path in there and delta.cause in foreign for delta in item.change.deltas)
