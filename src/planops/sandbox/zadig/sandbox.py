"""The emulated Zadig as tests and commands hold it: its state, and the application serving it."""

from pathlib import Path

from planops.sandbox.clock import Clock
from planops.sandbox.zadig.application import Application
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
    ) -> None:
        super().__init__(database=database, generation=generation, clock=clock)
        self.app = Application(self)
