"""What is said of a whole review in every format: the counts, what merging does, what to do next.

Nothing here is escaped: whoever renders escapes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from planops.core.changes import ChangeKind
from planops.core.forge import Risk
from planops.core.model import PlanKey
from planops.core.report import ChangeReport, Outcome, Report, TargetReport, refuses
from planops.core.review import Review, worst
from planops.render import closing, shares
from planops.render.windows import Window, window
from planops.render.wording import plural

_COMMIT: Final = 12
_RULES: Final = "rule change"
SIGNS: Final = {Risk.BLOCKED: "⛔", Risk.ATTENTION: "⚠", Risk.ROUTINE: "✅"}
IDLE: Final = "Changed files of which nothing comes (such as white space, comments, labels, a move)"
BLIND: Final = (
    "What merging does to approvals and running work is not known, and nothing can be approved from"
    " here"
)
SETTINGS: Final = "Settings are changed here, and are not used before they are merged"
CONFLICTS: Final = (
    "The head conflicts with its base: what conflicts is taken as the head has it, and what is"
    " merged in the end may differ"
)
ALARM: Final = "changes although the pull request does not touch its file"


def rating(item: ChangeReport, *, offline: bool) -> tuple[str, str]:
    """Give the sign and the word for a plan's risk.

    What no server was asked about is not routine: nobody knows.
    """
    found = shares.risk(item)
    if offline and found is Risk.ROUTINE:
        return "❔", "not assessed"
    return SIGNS[found], "needs attention" if found is Risk.ATTENTION else found.value


def counted(items: Iterable[ChangeReport], *, offline: bool) -> list[tuple[str, str]]:
    """Count changes by risk, the greatest first, each with its sign: ``2 need attention``."""
    found = Counter(rating(item, offline=offline) for item in shares.ranked(items))
    return [
        (sign, f"{number} {word if number == 1 else word.replace('needs', 'need')}")
        for (sign, word), number in found.items()
    ]


def troubles(report: Report) -> list[str]:
    """Count what stands in the way of knowing, or doing, what merging does."""
    wrong, stopped = (
        closing.errors(report),
        sum(bool(t.error) or refuses(t) for t in report.targets),
    )
    said = [f"{plural(wrong, 'error')} in files"] if wrong else []
    return [*said, f"{plural(stopped, 'target')} stopped"] if stopped else said


def verdict(report: Report, review: Review) -> str:
    """Say how a review stands, in one sentence without a full stop."""
    found = counted(shares.caused(report), offline=review.offline)
    told = [said for _, said in found] + troubles(report)
    return ", ".join(told) or nothing(report, review)


def nothing(report: Report, review: Review) -> str:
    """Say that nothing comes of a pull request, as far as was looked."""
    if review.offline and (gone := len(removed(report, review))):
        return f"{plural(gone, 'plan')} removed"
    return "no plan is changed" if review.offline else "nothing changes on the server"


def certain(report: Report) -> bool:
    """Tell that all was compared, so that nothing else can come of merging."""
    failed = any(item.change.error for item in report.changes)
    return not closing.errors(report) and not failed and not any(t.error for t in report.targets)


def calm(report: Report) -> bool:
    """Tell that nothing comes of a pull request, and that this is certain."""
    return certain(report) and not shares.caused(report) and not troubles(report)


def hindered(report: Report) -> bool:
    """Tell that something stands against a whole target, or that not all could be compared."""
    return bool(troubles(report)) or not certain(report)


def risk(report: Report) -> Risk:
    """Give the greatest risk of a review; what is stopped or not compared is not routine."""
    return Risk.BLOCKED if hindered(report) else worst(item.share for item in report.changes)


def tally(target: TargetReport, review: Review) -> str:
    """Count the plans of a target by what the pull request makes of them."""
    ours = [item for item in target.changes if shares.causes(item)]
    told = ", ".join(said for _, said in counted(ours, offline=review.offline))
    rest = len(target.changes) - len(ours)
    said = [told, f"{rest} not concerned" if rest else ""]
    return "; ".join(part for part in said if part) or "no plans"


def sources(review: Review) -> str:
    """Say what is compared with what."""
    base, head = review.base[:_COMMIT], review.head[:_COMMIT]
    request = f" (pull request {review.number})" if review.number else ""
    return f"{head} into {base}{request}"


def effect(report: Report, review: Review) -> list[str]:
    """Say what merging does, in sentences without their full stops; the first says the most."""
    ours = shares.caused(report)
    if review.offline:
        return [
            _in_files(report, review, ours),
            "No server was asked: base and head are compared with each other, from their files",
            BLIND,
        ]
    said = [_calls(report, ours)]
    stopped = {target.name for target in report.targets if closing.stopped(target)}
    if number := sum(
        item.outcome is Outcome.PENDING and shares.cancels(item.change)
        for item in ours
        if item.change.key.target not in stopped
    ):
        said.append(f"It cancels {plural(number, 'approval')}")
    if not certain(report):
        said.append("Not everything could be compared: more may come of merging than is shown here")
    if more := sum(closing.calls(report, lambda item: not _makes(item)).values()):
        are = "call is" if more == 1 else "calls are"
        said.append(f"{more} more {are} pending without this pull request")
    return said


def _makes(item: ChangeReport) -> bool:
    return item.share is not None and item.share.calls


def _in_files(report: Report, review: Review, ours: list[ChangeReport]) -> str:
    rules = ChangeKind.UNCHANGED
    kinds = Counter(_RULES if (k := i.change.kind) is rules else k.value for i in ours)
    kinds["removal"] = len(removed(report, review))
    told = ", ".join(plural(number, kind) for kind, number in kinds.items() if number)
    if told:
        return f"The pull request changes {plural(kinds.total(), 'plan')}: {told}"
    return "The pull request changes no plan"


def _calls(report: Report, ours: list[ChangeReport]) -> str:
    made = closing.calls(report, _makes)
    if total := sum(made.values()):
        kinds = ", ".join(plural(number, kind.value) for kind, number in made.items())
        return f"Merging makes {plural(total, 'call')}: {kinds}"
    if any(item.change.refusals for item in ours) or any(map(refuses, report.targets)):
        return "Merging makes no call: what it asks for is refused"
    if not certain(report):
        return "No call is known that merging makes"
    kept = f", and changes how {plural(len(ours), 'plan')} is kept" if len(ours) == 1 else ""
    kept = f", and changes how {plural(len(ours), 'plan')} are kept" if len(ours) > 1 else kept
    return f"Merging changes nothing on the server{kept}"


def earliest(report: Report) -> tuple[ChangeReport, Window] | None:
    """Give the plan that takes place first of those that the pull request concerns."""
    ours = [item for item in shares.caused(report) if item.share and not item.share.removed]
    found = [(item, when) for item in ours if (when := window(item.change)) and when.start]
    return min(found, key=lambda row: (row[1].start, row[0].change.key), default=None)


def next_steps(report: Report, review: Review) -> list[str]:
    """Say what to do next, the most pressing first; nothing where nothing is to be done."""
    ours = shares.caused(report)
    said = []
    if any(item.bug for item in report.changes):
        said.append("report the bug in planops")
    if not review.clean:
        said.append("bring the head up to date with its base: as it is they conflict")
    if wrong := closing.errors(report):
        said.append(f"mend {plural(wrong, 'error')} in the files; their targets are not called")
    if any(target.error for target in report.targets):
        said.append("see to the targets that could not be compared, and run again")
    if refused := sum(bool(item.change.refusals) for item in ours):
        said.append(f"{plural(refused, 'plan')} refused: read why before lifting a guard")
    if any(item.share and item.share.alarm for item in ours):
        said.append("find out why a plan changes whose file is not touched, before merging")
    if review.offline:
        said.append("run planops review where the servers can be reached, to see what merging does")
    return said


def removed(report: Report, review: Review) -> list[PlanKey]:
    """Name the plans whose file goes and of which nothing else is said.

    Of a target that could not be compared nobody knows.
    """
    unknown = {target.name for target in report.targets if target.error}
    return [key for key in review.dropped if key.target not in unknown]


def dropped(review: Review) -> str:
    """Say what becomes of plans whose file goes and of which nothing is recorded."""
    if review.offline:
        return "No file declares these plans any more; what becomes of them, only the server tells"
    return "No file declares these plans any more; nothing is recorded of them, so they stay"
