"""Which refs can hold a ledger: said where settings are checked, and where the ledger is opened.

Git's own rules for names of refs, and the refs that git or planops use for something else. Whether
a repository has such a ref is not decided here.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"refs(?:/(?!\.)[^\x00-\x20\x7f~^:?*\[\\/]+){2,}")
_NEVER: Final = re.compile(r"\.\.|@\{|\.lock(?:/|$)|\.$|^refs/(?:planops/seen|replace)(?:/|$)")


def can_hold(ref: str) -> bool:
    """Tell whether a ledger can be kept at a ref of this name.

    >>> can_hold("refs/planops/ledger/prod"), can_hold("refs/x"), can_hold("refs/heads/x.lock")
    (True, False, False)
    """
    return _NAME.fullmatch(ref) is not None and _NEVER.search(ref) is None
