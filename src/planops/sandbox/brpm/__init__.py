"""An emulator of BMC BRPM's plans interface, as docs/servers/brpm.md describes it."""

from planops.sandbox.brpm.answers import FAILED_PAGE
from planops.sandbox.brpm.faults import Fault
from planops.sandbox.brpm.fixtures import CONTEXT, FIXTURES, Facts, facts
from planops.sandbox.brpm.lifecycle import TABLE
from planops.sandbox.brpm.sandbox import BrpmSandbox
from planops.sandbox.brpm.state import Edited
from planops.sandbox.brpm.switches import Switches
from planops.sandbox.messages import Received

__all__ = [
    "CONTEXT",
    "FAILED_PAGE",
    "FIXTURES",
    "TABLE",
    "BrpmSandbox",
    "Edited",
    "Facts",
    "Fault",
    "Received",
    "Switches",
    "facts",
]
