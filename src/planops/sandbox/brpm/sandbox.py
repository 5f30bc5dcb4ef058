"""The emulated BRPM as tests and commands hold it: its state, and the application serving it."""

import functools
from collections.abc import Mapping
from typing import Any

from planops.sandbox.application import Application
from planops.sandbox.brpm import control
from planops.sandbox.brpm.fixtures import CONTEXT
from planops.sandbox.brpm.state import BrpmState
from planops.sandbox.brpm.switches import Switches
from planops.sandbox.clock import Clock


class BrpmSandbox(BrpmState):
    """An emulated BRPM; ``app`` is its ASGI application, which ``server.serve`` serves."""

    def __init__(
        self,
        *,
        context: str = CONTEXT,
        switches: Switches | None = None,
        clock: Clock | None = None,
        fixtures: Mapping[str, Any] | None = None,
    ) -> None:
        """Hold ``fixtures`` (``planops.sandbox.brpm.fixtures`` says which) or the default ones.

        Raises ``ValueError`` when they do not fit.
        """
        super().__init__(context=context, switches=switches, clock=clock, fixtures=fixtures)
        self.app = Application(self, functools.partial(control.answer, self))
