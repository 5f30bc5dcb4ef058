"""Which pull request is reviewed: what the CI says, what the forge says, and that they agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from planops.errors import ForgeRefused, SettingsWrong, Stale, UsageWrong

if TYPE_CHECKING:
    from planops.core.forge import Pull
    from planops.forges.events import Event

GITHUB_TOKEN, GITLAB_TOKEN = "GITHUB_TOKEN", "PLANOPS_GITLAB_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be reviewed; ``number`` is 0 where no pull request is known."""

    base: str
    head: str
    number: int = 0


def token_of(event: Event, environ: Mapping[str, str]) -> str:
    """Give the token for the forge of an event, empty where the job has none."""
    from planops.forges.events import Name

    return environ.get(GITHUB_TOKEN if event.name is Name.GITHUB else GITLAB_TOKEN, "")


def subject(root: Path, base: str, head: str, number: int) -> Subject:
    """Find out what is to be reviewed, and see to it that this clone holds it.

    What is named is taken as it is named. The rest is the CI's pull request, as the forge has it
    now; without a token what the CI says of it is all there is. HEAD is taken for a head outside of
    a pull request's build only: there it may as well be the base, or a trial merge.

    Raises ``UsageWrong`` where nobody says what is merged into, ``Stale`` where the pull request
    has moved on, ``ForgeFailed`` where the forge does not say what must be known.
    """
    from planops.forges.detect import detect

    event = detect(os.environ)
    known = event is not None and bool(event.number or event.source)
    if base and not number and (head or not known):
        return Subject(base=base, head=head or "HEAD", number=event.number if event else 0)
    if event is None and number:
        raise UsageWrong(
            f"--pull-request {number}: this is no job of GitHub Actions or GitLab CI, so no forge"
            " says what it is; name --base, and --head, instead"
        )
    if event is None or not (number or known):
        raise UsageWrong(
            "review: nobody says what is merged into; name it: --base origin/main (in a pull"
            " request's build it is known)"
        )
    pull = _asked(event, number)
    if pull is None:
        found = Subject(base=base or event.base, head=head or event.head, number=event.number)
    else:
        into = base or pull.base or event.base
        found = Subject(base=into, head=head or pull.head, number=pull.number)
    if not found.base or not found.head:
        raise SettingsWrong(
            "review: neither the CI nor the forge says what is merged into; name it by --base"
        )
    _fetched(root, event, found, pull.branch if pull else event.branch)
    return found


def _asked(event: Event, number: int) -> Pull | None:
    """Ask the forge about the pull request; ``None`` where the job has no token to ask with.

    Its base is the tip of the base branch now, which is what it is merged into: forges keep an
    older commit there, GitLab the one at which the branches parted.
    """
    token = token_of(event, os.environ)
    if number and event.number and number != event.number:
        raise UsageWrong(
            f"--pull-request {number}: this job is about {event.number}; leave the option out"
        )
    if not token:
        if number and not event.number:
            raise UsageWrong(
                f"--pull-request {number}: the forge must say what it is; give the job a token"
            )
        return None
    from planops.cli.clock import SystemClock
    from planops.forges.connect import connect
    from planops.forges.events import confirmed

    with connect(event, token, SystemClock()) as forge:
        pull = forge.pull(number) if number and not event.number else confirmed(forge, event)
        with suppress(ForgeRefused):
            pull = pull and replace(pull, base=forge.tip(pull.branch))
    if pull is None:
        raise Stale(
            f"{event.repository}: no open pull request has the head {event.head[:12]} any more; the"
            " run of its newer commit speaks for it"
        )
    return pull


def _fetched(root: Path, event: Event, found: Subject, branch: str) -> None:
    """Fetch the head, and the base, where this clone does not hold them."""
    from planops.forges.events import Name
    from planops.git.fetching import fetch, holds

    kind = "pull" if event.name is Name.GITHUB else "merge-requests"
    token = os.environ.get(GITHUB_TOKEN, "") if event.name is Name.GITHUB else ""
    if not holds(root, found.head) and found.number:
        fetch(root, f"refs/{kind}/{found.number}/head", found.head, token=token)
    if not holds(root, found.base) and branch:
        fetch(root, f"refs/heads/{branch}", found.base, token=token)
