"""The contract that every backend keeps, for whoever writes one.

Describe your server as a ``Case``, implement ``Server`` on a test instance or an emulator of it,
and run every check that ``contract`` gives. A check raises ``AssertionError`` with one sentence;
no test runner is needed.
"""

from planops.testing.case import (
    Case,
    Edit,
    Held,
    Lost,
    Sample,
    Server,
    Write,
    below,
    named,
)
from planops.testing.contract import Check, contract

__all__ = [
    "Case",
    "Check",
    "Edit",
    "Held",
    "Lost",
    "Sample",
    "Server",
    "Write",
    "below",
    "contract",
    "named",
]
