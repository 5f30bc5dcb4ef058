"""An emulator of Zadig's release-plan interface, as docs/servers/zadig.md describes it."""

from planops.sandbox.messages import Received
from planops.sandbox.zadig.faults import Fault
from planops.sandbox.zadig.fixtures import FIXTURES, Facts, facts
from planops.sandbox.zadig.people import User
from planops.sandbox.zadig.sandbox import ZadigSandbox
from planops.sandbox.zadig.traits import Generation
from planops.sandbox.zadig.webhooks import HookSent

__all__ = [
    "FIXTURES",
    "Facts",
    "Fault",
    "Generation",
    "HookSent",
    "Received",
    "User",
    "ZadigSandbox",
    "facts",
]
