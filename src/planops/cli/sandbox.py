"""``planops sandbox``: serve an emulated Zadig on loopback, and print the settings to paste."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import click

from planops.cli import options
from planops.errors import SettingsWrong

SETTINGS = """\
# planops.yaml
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml]
targets:
  {name}:
    backend: zadig
    url: {url}
    token: ${{env:ZADIG_TOKEN}}
    adopt-by-name: true   # no ledger yet: names say which plans are ours
"""


@click.command()
@options.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    envvar="PLANOPS_PORT",
    help="The port on 127.0.0.1; 0 takes any free one.",
)
@options.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PLANOPS_DATABASE",
    help="Keep the state in this file (default: in memory).",
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
    "--fixtures",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PLANOPS_FIXTURES",
    help="What a new sandbox holds, as JSON or YAML (default: a few people and workflows).",
)
def command(
    port: int,
    database: Path | None,
    zadig_version: Literal["4.1", "5.0"],
    fixtures: Path | None,
) -> int:
    """Serve an emulated Zadig on this computer until it is interrupted.

    It has the users admin, patrick, alice and bob, and a few workflows; nothing outside this
    computer can reach it. Settings to paste into a planops.yaml are printed at the start.

    \b
    Examples:
      planops sandbox
      planops sandbox --port 9000 --database zadig.sqlite
      planops sandbox --fixtures our-zadig.yaml
    """  # noqa: D301  click reads the backspace, and never shows it
    try:
        from planops.sandbox.server import serve
        from planops.sandbox.zadig import ZadigSandbox
    except ImportError as error:
        raise SettingsWrong(
            f"sandbox: {error.name} is not installed; pip install 'planops[sandbox]'"
        ) from error
    given = None if fixtures is None else _fixtures(fixtures)
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with (
            closing(
                ZadigSandbox(
                    database=database or ":memory:", generation=zadig_version, fixtures=given
                )
            ) as zadig,
            serve(zadig.app, port=port) as at,
        ):
            click.echo(
                f"Zadig {zadig_version} is emulated at {at.url}. Interrupt to stop.", err=True
            )
            click.echo(f"export ZADIG_TOKEN={_token(zadig.tokens, zadig.users)}", err=True)
            click.echo(SETTINGS.format(name="zadig-sandbox", url=at.url))
            stop.wait()
    except ValueError as error:
        raise SettingsWrong(f"sandbox: {fixtures}: {error}; correct it") from error
    except sqlite3.Error as error:
        raise SettingsWrong(
            f"sandbox: {database}: cannot be used as a database: {error}; choose another --database"
        ) from error
    except OSError as error:
        raise SettingsWrong(
            f"sandbox: 127.0.0.1:{port} cannot be served: {error.strerror}; choose another --port"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


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
