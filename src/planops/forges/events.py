"""What a CI job is about: the event of a forge, read from the environment and checked.

The event file and the variables are hostile input: bounded, each value of its type and form, or
``SettingsWrong``. Nothing here is proof of a pull request: :func:`confirmed` asks the forge.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from planops.core.forge import Pull, Seq
from planops.errors import ForgeFailed

if TYPE_CHECKING:
    from planops.ports import Forge


class Name(enum.StrEnum):
    """Which forge."""

    GITHUB = "github"
    GITLAB = "gitlab"


class Trigger(enum.StrEnum):
    """What started the job."""

    PULL = "pull"  # a pull request was opened or pushed to
    RUN = "run"  # another workflow ended: the pull request is found by its head
    PUSH = "push"  # a branch moved
    SCHEDULE = "schedule"
    OTHER = "other"  # a person, mostly


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a CI job is about; texts are empty, and ``number`` is 0, where the forge says nothing.

    ``repository`` is the one that the pull request is for, ``project`` its id on GitLab. ``head``
    is the pull request's, or what a branch was pushed to; ``before`` where that was. ``branch`` is
    the base branch, or the pushed one. ``owner`` and ``source`` name the pull request's own branch.
    ``seq`` orders the runs of a repository; ``run`` is the address of this one. ``ca_file`` holds
    the certificates that a GitLab of one's own is trusted by.
    """

    name: Name
    trigger: Trigger
    repository: str
    api: str
    seq: Seq
    run: str
    project: int = 0
    number: int = 0
    head: str = ""
    base: str = ""
    before: str = ""
    branch: str = ""
    owner: str = ""
    source: str = ""
    output: Path | None = field(default=None)
    summary: Path | None = field(default=None)
    ca_file: Path | None = field(default=None)


def confirmed(forge: Forge, event: Event) -> Pull | None:
    """Give the event's pull request as the forge has it, ``None`` where there is none any more.

    Its head must be the event's: otherwise a later run speaks for it, or somebody lied. Raises
    ``ForgeFailed`` and its kinds, also where several pull requests have that head.
    """
    if event.number:
        found = [forge.pull(event.number)]
    elif event.trigger is Trigger.RUN and event.source:
        found = list(forge.pulls_from(event.owner, event.source))
    else:
        return None
    same = [pull for pull in found if pull.head == event.head]
    if len(same) > 1:
        numbers = ", ".join(str(pull.number) for pull in same)
        raise ForgeFailed(
            f"commit {event.head[:12]}: it is the head of several pull requests ({numbers}), and"
            " the event does not say which; close all but one"
        )
    return same[0] if same else None
