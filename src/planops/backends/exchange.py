"""The values that go in and out of the HTTP client: where to, what is asked, what came back."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

from planops.backends.redaction import Redactor
from planops.errors import Garbled, SettingsWrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from planops.core.model import JSON

_PATH: Final = re.compile(r"(?!//)/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_HEADER: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
BUSY: Final = frozenset({429, 502, 503, 504})
"""Statuses that say: not now."""
_NOBODY: Final = Redactor()

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; ``total`` is for one whole call, to the last byte."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 10.0
    total: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an endpoint's address and trust are set, as messages tell whom they reach.

    ``load`` is what else helps against a server that is busy.
    """

    file: str = "planops.yaml"
    url: str = "url"
    ca_file: str = "ca-file"
    load: str = ", or lower the target's concurrency in planops.yaml"

    @property
    def not_the_server(self) -> str:
        """What to do about an answer that this server would not give."""
        return f"check that {self.url} in {self.file} is the server itself, no login page or proxy"


SETTINGS: Final = Source()
"""An address that the settings hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server, and how to treat it.

    ``url`` may have a path prefix; ``query`` goes along with every call (a token may be in it).
    ``ca_file`` replaces the usual certificate authorities. ``secrets`` are masked in everything
    that is shown. ``concurrency`` is the number of workers, ``attempts`` how often a safe call is
    tried, ``max_body`` the longest answer in decoded bytes. A safe call is tried again where the
    status is one of ``busy``; ``source`` says where all this was set.

    Raises ``SettingsWrong`` for an address, a header or a number that cannot be used.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    ca_file: Path | None = None
    concurrency: int = 8
    attempts: int = 4
    max_body: int = 64 * 1024 * 1024
    timeouts: Timeouts = field(default_factory=Timeouts)
    busy: frozenset[int] = BUSY
    source: Source = SETTINGS

    def __post_init__(self) -> None:
        address(self.url, self.source)
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(value):
                raise SettingsWrong(
                    f"header {name}: its value cannot be sent: it is empty, or holds a line break, "
                    "an outer space or a character beyond ASCII; look at where it comes from"
                )
        if min(self.concurrency, self.attempts, self.max_body) < 1:
            raise SettingsWrong(
                f"planops.yaml: concurrency {self.concurrency}, attempts {self.attempts} and the "
                f"largest answer {self.max_body} must each be at least 1; correct the target"
            )

    @property
    def host(self) -> str:
        """Host and port, as messages name the server."""
        return address(self.url).netloc

    @property
    def encrypted(self) -> bool:
        """Whether the server is spoken to by TLS."""
        return address(self.url).scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether the server is this machine: then no proxy is asked, and plain http is allowed."""
        return _is_loopback(address(self.url).hostname or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to be made. ``path`` is below the endpoint's prefix, and already percent-encoded.

    ``body`` is sent as JSON; ``None`` means none. Query and body stay out of the representation:
    they may hold a token. Raises ``ValueError`` for a path that could lead elsewhere.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: JSON = field(default=None, repr=False)

    def __post_init__(self) -> None:
        dotted = any(part in {".", ".."} for part in re.sub("(?i)%2e", ".", self.path).split("/"))
        if dotted or not _PATH.fullmatch(self.path):
            raise ValueError("a request's path must be plain, absolute and percent-encoded")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def encoded(self) -> bytes | None:
        """Return the body as it is sent."""
        if self.body is None:
            return None
        text = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One complete answer. ``retry_after`` is what the server asked for, in seconds, at most 60.

    ``headers`` are by lower-case name; like the body they may hold what nobody should see.
    """

    status: int
    body: bytes = field(repr=False)
    content_type: str = ""
    retry_after: float | None = None
    where: str = "answer"
    redactor: Redactor = field(default=_NOBODY, repr=False, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    source: Source = field(default=SETTINGS, repr=False, compare=False)

    def json(self) -> JSON:
        """Return the body as strict JSON: UTF-8, finite numbers, no key twice, no lone surrogate.

        Raises ``Garbled``, quoting at most 60 characters, for everything else.
        """
        if not self.body.strip():
            raise Garbled(self._sentence("the body is empty where JSON was expected"))
        problem = ""
        value: JSON = None
        try:
            value = json.loads(
                self.body.decode("utf-8-sig"),
                object_pairs_hook=_object,
                parse_constant=_constant,
                parse_float=_finite,
            )
            if rb"\ud" in self.body.lower():
                json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            problem = "the JSON is nested too deep"
        except UnicodeDecodeError as error:
            problem = f"the body is not UTF-8 at byte {error.start}"
        except UnicodeEncodeError:
            problem = "the JSON holds half of a surrogate pair"
        except JSONDecodeError as error:
            problem = self._unreadable(error)
        except ValueError as error:
            problem = f"the JSON cannot be used, {self.redactor.quote(str(error))}"
        if problem:
            raise Garbled(self._sentence(problem))
        return value

    def _unreadable(self, error: JSONDecodeError) -> str:
        shown = self.redactor.quote(self.body)
        if self.body.lstrip()[:1] == b"<":
            return f'an HTML or XML page came where JSON was expected, "{shown}"'
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
            return f'the JSON ends in the middle, after {len(self.body)} bytes, "{shown}"'
        return f'the body is not JSON, at line {error.lineno} column {error.colno}, "{shown}"'

    def _sentence(self, problem: str) -> str:
        return (
            f"{self.where}: an answer that is not understood (status {self.status}): {problem}; "
            f"{self.source.not_the_server}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One try of a call, for the log. ``status`` is ``None`` where no answer began."""

    method: str
    path: str
    status: int | None
    ms: int
    problem: str = ""

    def __str__(self) -> str:
        what = "-" if self.status is None else str(self.status)
        line = f"{self.method} {self.path} {what} {self.ms} ms"
        return f"{line}: {self.problem}" if self.problem else line


class Transport(Protocol):
    """What a backend asks of the HTTP client."""

    def read(self, request: Request) -> Response:
        """Make a safe call, repeated where that helps."""
        ...

    def write(self, request: Request) -> Response:
        """Make a call that changes something, at most once."""
        ...

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        """Apply a function to items on the pool of workers."""
        ...


def address(url: str, source: Source = SETTINGS) -> SplitResult:
    """Split and check a server's address.

    Raises ``SettingsWrong``, which never quotes more than scheme and host, for anything but https
    (http on loopback) with a host, an optional port and an optional path.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        parts.netloc.encode("ascii")
        host.encode("idna")
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    if not host or re.search(r"[\x00-\x20\x7f\\]", url):
        why = "it is no address of the form https://host[:port][/path] in ASCII"
    elif "@" in parts.netloc:
        why = "it holds a user name or password; write it without, and set token"
    elif "?" in url or "#" in url:
        why = "it holds a query or a fragment"
    elif not re.fullmatch(r"|/|(/[A-Za-z0-9\-_~][A-Za-z0-9\-._~]*)+/?", parts.path):
        why = "its path is not plain"
    elif parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return parts
    else:
        why = f"{parts.scheme[:20]}://{host} would be sent a token in clear"
    raise SettingsWrong(
        f"{source.file}: {source.url} cannot be used: {why}; write https://… (http on loopback)"
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has a key twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
