"""``python -m planops``: the same as the ``planops`` command."""

from planops.cli import main

main()
