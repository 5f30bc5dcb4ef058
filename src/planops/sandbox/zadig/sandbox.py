"""The emulated Zadig as tests and commands hold it: its state, and the application serving it."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planops.sandbox.application import Application
from planops.sandbox.clock import Clock
from planops.sandbox.zadig import control
from planops.sandbox.zadig.state import ZadigState
from planops.sandbox.zadig.traits import Generation


class ZadigSandbox(ZadigState):
    """An emulated Zadig; ``app`` is its ASGI application, which ``server.serve`` serves."""

    def __init__(
        self,
        *,
        database: str | Path = ":memory:",
        generation: Generation = "5.0",
        clock: Clock | None = None,
        fixtures: Mapping[str, Any] | None = None,
    ) -> None:
        """Hold ``fixtures`` (``planops.sandbox.zadig.fixtures`` says which) or the default ones.

        Raises ``ValueError`` when they do not fit.
        """
        super().__init__(database=database, generation=generation, clock=clock, fixtures=fixtures)
        self.app = Application(self, functools.partial(control.answer, self))
