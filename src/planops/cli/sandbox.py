"""``planops sandbox``: serve an emulated server on loopback, and print the settings to paste."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

import click

from planops.cli import options
from planops.errors import SettingsWrong, UsageWrong

if TYPE_CHECKING:
    from planops.sandbox.brpm import BrpmSandbox
    from planops.sandbox.zadig import ZadigSandbox

HEAD = """\
# planops.yaml
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml, plans/**/*.yml]
targets:
"""
TARGET = """\
  {name}:
    backend: {backend}
    url: {url}
    token: ${{env:{token}}}
    adopt-by-name: true   # a plan of a file's name is the file's
"""
PORTS = {"zadig": 8765, "brpm": 8766}
_WORDS = {"true": True, "false": False, "200": 200, "202": 202, "204": 204}
"""Values of switches that are not words; ``empty 404`` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the command line said about the server."""

    zadig_version: Literal["4.1", "5.0"]
    database: Path | None
    fixtures: Path | None
    switches: tuple[tuple[str, str], ...]


@click.command()
@click.argument("server", type=click.Choice(tuple(PORTS)), default="zadig")
@options.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="PLANOPS_PORT",
    help="The port on 127.0.0.1; 0 takes any free one (default: 8765, for brpm 8766).",
)
@options.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PLANOPS_DATABASE",
    help="Keep the state in this file (zadig; default: in memory).",
)
@options.option(
    "--zadig-version",
    type=click.Choice(["4.1", "5.0"]),
    default="5.0",
    show_default=True,
    envvar="PLANOPS_ZADIG_VERSION",
    help="Which Zadig to emulate.",
)
@options.option(
    "--switch",
    "switches",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    envvar="PLANOPS_SWITCH",
    help="A habit of the emulated BRPM, such as `plan_event plan`; repeatable.",
)
@options.option(
    "--fixtures",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PLANOPS_FIXTURES",
    help="What a new sandbox holds, as JSON or YAML (default: a few people and more).",
)
def command(
    *,
    server: str,
    port: int | None,
    database: Path | None,
    zadig_version: Literal["4.1", "5.0"],
    switches: tuple[tuple[str, str], ...],
    fixtures: Path | None,
) -> int:
    """Serve an emulated Zadig, or BRPM, on this computer until it is interrupted.

    It has the users admin, patrick, alice and bob, and a few workflows or templates; nothing
    outside this computer can reach it. Settings to paste into a planops.yaml are printed at the
    start.

    \b
    Examples:
      planops sandbox
      planops sandbox zadig --port 9000 --database zadig.sqlite
      planops sandbox zadig --fixtures our-zadig.yaml
      planops sandbox brpm --switch plan_event plan
    """  # noqa: D301  click reads the backspace, and never shows it
    if server == "brpm" and database is not None:
        raise UsageWrong("sandbox: --database is for zadig; the emulated brpm keeps nothing")
    if server == "zadig" and switches:
        raise UsageWrong("sandbox: --switch is for brpm; see --zadig-version")
    asked = _Asked(
        zadig_version=zadig_version, database=database, fixtures=fixtures, switches=switches
    )
    try:
        from planops.sandbox.server import serve
    except ImportError as error:
        raise SettingsWrong(
            f"sandbox: {error.name} is not installed; pip install 'planops[sandbox]'"
        ) from error
    _until_interrupted(
        lambda: _brpm(asked) if server == "brpm" else _zadig(asked),
        lambda app: serve(app, port=PORTS[server] if port is None else port),
        asked,
        PORTS[server] if port is None else port,
    )
    return 0


def _until_interrupted(
    make: Callable[[], ZadigSandbox | BrpmSandbox],
    serving: Callable[[Any], AbstractContextManager[Any]],
    asked: _Asked,
    port: int,
) -> None:
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with closing(make()) as made, serving(made.app) as at:
            _introduce(made, at.url, asked)
            stop.wait()
    except ValueError as error:
        what = asked.fixtures or "--switch"
        raise SettingsWrong(f"sandbox: {what}: {error}; correct it") from error
    except sqlite3.Error as error:
        raise SettingsWrong(
            f"sandbox: {asked.database}: cannot be used as a database: {error}; choose another"
            " --database"
        ) from error
    except OSError as error:
        raise SettingsWrong(
            f"sandbox: 127.0.0.1:{port} cannot be served: {error.strerror}; choose another --port"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _zadig(asked: _Asked) -> ZadigSandbox:
    from planops.sandbox.zadig import ZadigSandbox

    given = None if asked.fixtures is None else _fixtures(asked.fixtures)
    return ZadigSandbox(
        database=asked.database or ":memory:", generation=asked.zadig_version, fixtures=given
    )


def _brpm(asked: _Asked) -> BrpmSandbox:
    from planops.sandbox.brpm import BrpmSandbox

    given = None if asked.fixtures is None else _fixtures(asked.fixtures)
    made = BrpmSandbox(fixtures=given)
    made.switch(**{name: _WORDS.get(value, value) for name, value in asked.switches})
    return made


def _introduce(made: ZadigSandbox | BrpmSandbox, url: str, asked: _Asked) -> None:
    """Say where the server is, and how to reach it."""
    from planops.sandbox.zadig import ZadigSandbox

    if isinstance(made, ZadigSandbox):
        what, name, variable = f"Zadig {asked.zadig_version}", "zadig", "ZADIG_TOKEN"
        token = _token(made.tokens, made.users)
    else:
        what, name, variable = "BRPM", "brpm", "BRPM_TOKEN"
        url, token = f"{url}{made.context}", next(iter(made.tokens), "no-token-in-the-fixtures")
    click.echo(f"{what} is emulated at {url}. Interrupt to stop.", err=True)
    click.echo(f"export {variable}={token}", err=True)
    click.echo(HEAD, nl=False)
    click.echo(target(name, f"{name}-sandbox", url, variable))


def target(backend: str, name: str, url: str, variable: str) -> str:
    """Give the settings of one target on a sandbox; the token is in a variable."""
    return TARGET.format(backend=backend, name=name, url=url, token=variable)


def _fixtures(path: Path) -> Mapping[str, Any]:
    """Read a file of fixtures; whether they fit is the sandbox's to say."""
    from planops.manifests.yaml import parse

    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsWrong(
            f"sandbox: {path}: cannot be read: {error.strerror}; choose another --fixtures"
        ) from error
    parsed = parse(data, str(path))
    for problem in parsed.problems:
        place = f"{problem.mark.file}:{problem.mark.line}" if problem.mark else str(path)
        what_to_do = problem.hint or "correct it"
        raise SettingsWrong(f"sandbox: {place}: {problem.message}; {what_to_do}")
    values = [document.value for document in parsed.documents]
    if len(values) != 1 or not isinstance(values[0], dict):
        raise SettingsWrong(
            f"sandbox: {path}: is not one map of lists; write users:, workflows:, …"
        )
    return values[0]


def _token(tokens: Mapping[str, str], users: Iterable[Any]) -> str:
    """Choose the token to show: an administrator's, if there is one."""
    administrators = {user.account for user in users if user.is_admin}
    ranked = sorted(tokens, key=lambda token: tokens[token] not in administrators)
    return ranked[0] if ranked else "no-token-in-the-fixtures"
