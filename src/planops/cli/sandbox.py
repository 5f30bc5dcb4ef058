"""``planops sandbox``: serve an emulated Zadig on loopback, and print the settings to paste."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Literal

import click

from planops.errors import SettingsWrong

SETTINGS = """\
# planops.yaml
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml]
targets:
  zadig-sandbox:
    backend: zadig
    url: {url}
    token: ${{env:ZADIG_TOKEN}}
    adopt-by-name: true   # no ledger yet: names say which plans are ours
"""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    envvar="PLANOPS_PORT",
    help="The port on 127.0.0.1; 0 takes any free one.",
)
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PLANOPS_DATABASE",
    help="Keep the state in this file (default: in memory).",
)
@click.option(
    "--zadig-version",
    type=click.Choice(["4.1", "5.0"]),
    default="5.0",
    show_default=True,
    envvar="PLANOPS_ZADIG_VERSION",
    help="Which Zadig to emulate.",
)
def command(port: int, database: Path | None, zadig_version: Literal["4.1", "5.0"]) -> int:
    r"""Serve an emulated Zadig on this computer until it is interrupted.

    It has the users admin, patrick, alice and bob, and a few workflows; nothing outside this
    computer can reach it. Settings to paste into a planops.yaml are printed at the start.

    \b
    Examples:
      planops sandbox
      planops sandbox --port 9000 --database zadig.sqlite
    """
    try:
        from planops.sandbox.server import serve
        from planops.sandbox.zadig import ZadigSandbox
    except ImportError as error:
        raise SettingsWrong(
            f"sandbox: {error.name} is not installed; pip install 'planops[sandbox]'"
        ) from error
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    try:
        with (
            closing(
                ZadigSandbox(database=database or ":memory:", generation=zadig_version)
            ) as zadig,
            serve(zadig.app, port=port) as at,
        ):
            click.echo(
                f"Zadig {zadig_version} is emulated at {at.url}. Interrupt to stop.", err=True
            )
            click.echo("export ZADIG_TOKEN=sandbox-admin-token", err=True)
            click.echo(SETTINGS.format(url=at.url))
            stop.wait()
    except OSError as error:
        raise SettingsWrong(
            f"sandbox: 127.0.0.1:{port} cannot be served: {error.strerror}; choose another --port"
        ) from error
    return 0
