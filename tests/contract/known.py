"""Promises that are not kept yet, each with what is wrong; the contract itself stays strict."""

from __future__ import annotations

from collections.abc import Mapping

KNOWN: Mapping[str, str] = {}
"""By the names of checks. A promise that is kept again fails the test until it is taken out."""
