"""From an event and a token to a client of its forge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, assert_never

from planops.backends.http import Http
from planops.errors import SettingsWrong
from planops.forges import github, gitlab
from planops.forges.api import PATIENCE
from planops.forges.events import Event, Name

if TYPE_CHECKING:
    from planops.backends.exchange import Call, Endpoint
    from planops.ports import Clock, Forge


_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@contextmanager
def connect(
    event: Event,
    token: str,
    clock: Clock,
    *,
    on_call: Callable[[Call], None] | None = None,
    patience: float = PATIENCE,
) -> Iterator[Forge]:
    """Give the forge of an event, for as long as the block lasts.

    ``patience`` bounds all waiting for rate limits together, in seconds. Raises ``SettingsWrong``
    for an address, a token or a file of certificates that cannot be used.
    """
    check_token(event, token)
    with Http(_endpoint(event, token), clock, on_call=on_call) as http:
        yield _forge(event, http, clock, patience)


def check_token(event: Event, token: str) -> None:
    """Make sure that a token can be sent. Raises ``SettingsWrong`` where it cannot."""
    if not _TOKEN.fullmatch(token):
        raise SettingsWrong(
            f"the token for {event.name}: it is empty, or holds a space, a line break or a"
            " character beyond ASCII; look at where it comes from"
        )


def _endpoint(event: Event, token: str) -> Endpoint:
    match event.name:
        case Name.GITHUB:
            return github.endpoint(event.api, token)
        case Name.GITLAB:
            return gitlab.endpoint(event.api, token, event.ca_file)
        case _ as never:
            assert_never(never)


def _forge(event: Event, http: Http, clock: Clock, patience: float) -> Forge:
    match event.name:
        case Name.GITHUB:
            return github.GitHub(
                http, clock, api=event.api, repository=event.repository, patience=patience
            )
        case Name.GITLAB:
            return gitlab.GitLab(http, clock, project=event.project, patience=patience)
        case _ as never:
            assert_never(never)
