"""JSON of no declared form: following a path into it, and keeping some of its places as they are.

Knows no shapes and decides nothing about what differs, or about what is to be kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from planops.core.model import ABSENT, JSON, Value, escape


def follow(value: Value, tokens: Sequence[str | int]) -> Value:
    """Follow a path; ``ABSENT`` where it leads nowhere."""
    for token in tokens:
        if isinstance(value, dict) and token in value:
            value = value[str(token)]
        elif isinstance(value, list) and isinstance(token, int) and token < len(value):
            value = value[token]
        else:
            return ABSENT
    return value


def keeping(live: JSON, desired: JSON, kept: Collection[str], path: str) -> JSON:
    """Give what is desired, with the kept places as they are live; ``path`` is where this is.

    >>> keeping({"x": 1, "y": 1}, {"x": 2, "y": 2, "z": 2}, ["/f/y", "/f/z"], "/f")
    {'x': 2, 'y': 1}
    """
    if not any(place.startswith(f"{path}/") for place in kept):
        return desired
    if isinstance(live, dict) and isinstance(desired, dict):
        names = dict.fromkeys((*desired, *live))
        sides = {name: _either(live, desired, name, kept, path) for name in names}
        return {name: value for name, value in sides.items() if value is not ABSENT}
    if isinstance(live, list) and isinstance(desired, list):
        places = range(max(len(live), len(desired)))
        found = (_either(live, desired, place, kept, path) for place in places)
        return [value for value in found if value is not ABSENT]
    return desired


def _either(live: JSON, desired: JSON, token: str | int, kept: Collection[str], path: str) -> Value:
    """Choose a member: the live one where it is kept, else the desired one, as far as it goes."""
    below = f"{path}/{escape(str(token))}"
    had, want = follow(live, [token]), follow(desired, [token])
    if below in kept:
        return had
    return want if had is ABSENT or want is ABSENT else keeping(had, want, kept, below)
