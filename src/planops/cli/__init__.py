"""The command line: one small function a command, heavy imports inside it.

The only place that builds adapters, and the only one that ends the process.
"""

from planops.cli.group import main

__all__ = ["main"]
