"""The report as JSON text: the document, keys sorted, two spaces deep, ending in a newline.

Letters of all scripts stay readable; everything invisible is a JSON escape.
"""

from __future__ import annotations

import json

from planops.core.report import Report
from planops.render.document import document
from planops.render.escape import in_json


def text(report: Report, *, version: str) -> str:
    """Render a report as JSON; ``version`` is that of planops."""
    found = document(report, version=version)
    serialised = json.dumps(found, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return f"{in_json(serialised)}\n"
