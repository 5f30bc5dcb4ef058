"""Talks to a served sandbox over plain ``http.client``: for tests and demonstrations.

planops' own client is not used, so that the two can be compared. Redirects are not followed and
nothing is retried.
"""

import contextlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOMENT = 1_700_000_000
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def error(self) -> tuple[int, str]:
        """Status and description of a refusal; the body itself when it is no JSON."""
        if not self.body.startswith(b"{"):
            return self.status, self.text
        return self.status, str(self.json.get("description", self.text))


def send(
    host: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send ``METHOD /path`` exactly as it is spelt; bytes go as they are, anything else as JSON."""
    method, path = target.split(" ", 1)
    sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(host, timeout=_SECONDS)
    with contextlib.closing(connection):
        connection.request(method, path, sent, dict(headers or {}))
        answer = connection.getresponse()
        return Reply(
            status=answer.status,
            headers={key.lower(): value for key, value in answer.getheaders()},
            body=answer.read(),
        )
