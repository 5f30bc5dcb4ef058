"""Variables of a CI job, each checked against the form that it must have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from planops.core.forge import is_sha
from planops.errors import SettingsWrong

BRANCH: Final = re.compile(r"(?!-)[^\x00-\x20\x7f~^:?*\[\\]{1,1000}")
"""What git lets a branch be called: no spaces or controls, but whatever else a shell minds."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]{1,300}(?:/[A-Za-z0-9.\-_~/]{0,500})?")
_NOTHING: Final = frozenset("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The environment of a job. Every method raises ``SettingsWrong`` for what is malformed."""

    environment: Mapping[str, str] = field(repr=False)

    def get(self, name: str) -> str:
        """Give a variable as it is, empty where there is none."""
        return self.environment.get(name, "")

    def match(self, name: str, form: re.Pattern[str], what: str) -> str:
        """Give a variable that must be there and of a form."""
        value = self.get(name)
        if not form.fullmatch(value):
            raise SettingsWrong(
                f"{name}: it is no {what}; it is set by the forge: run in its CI, or set none of"
                " its variables"
            )
        return value

    def address(self, name: str) -> str:
        """Give an address, without a slash at its end."""
        return self.match(name, _ADDRESS, "address").rstrip("/")

    def number(self, name: str) -> int:
        """Give a whole number."""
        return int(self.match(name, _NUMBER, "number"))

    def branch(self, name: str) -> str:
        """Give a branch, empty where there is none."""
        return self.match(name, BRANCH, "branch") if self.get(name) else ""

    def sha(self, name: str) -> str:
        """Give a commit id, empty where there is none; all zeros are none."""
        value = self.get(name)
        if not value or {*value} == _NOTHING:
            return ""
        if not is_sha(value):
            raise SettingsWrong(f"{name}: it is no whole commit id; it is set by the forge")
        return value

    def path(self, name: str) -> Path | None:
        """Give a path, nothing where there is none."""
        return Path(self.get(name)) if self.get(name) else None
