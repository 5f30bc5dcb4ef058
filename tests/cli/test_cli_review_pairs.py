"""Pairs of commits at random: what is caused and what is there, held against two plain diffs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode

KEYS = ("one", "two", "three", "four", "five")
WORDS = ("a", "b", "c")
Deltas = dict[str, dict[str, Any]]


def write(place: Place, draw: random.Random, key: str) -> None:
    fields: dict[str, Any] = {"description": draw.choice(WORDS)}
    if draw.random() < 0.7:
        jobs = [{**TEXT, "name": name, "spec": {"content": draw.choice(WORDS)}} for name in "xy"]
        fields["jobs"] = draw.sample(jobs, draw.randrange(1, 3))
    if draw.random() < 0.3:
        fields |= place.window(3600, draw.choice((7200, 9000)))
    states = ("", "planning", "finish_planning") if "jobs" in fields else ("", "planning")
    place.plan(key, state=draw.choice(states), **fields)


def remove(place: Place, draw: random.Random, key: str) -> None:
    del draw
    (place.folder / f"plans/{key}.yaml").unlink(missing_ok=True)


def comment(place: Place, draw: random.Random, key: str) -> None:
    file = place.folder / f"plans/{key}.yaml"
    if file.exists():
        file.write_text(f"# {draw.random()}\n{file.read_text()}")


def reorder(place: Place, draw: random.Random, key: str) -> None:
    file = place.folder / f"plans/{key}.yaml"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    draw.shuffle(lines)
    if lines:
        file.write_text("".join(lines))


EDITS: tuple[Callable[[Place, random.Random, str], None], ...] = (
    write, write, write, remove, comment, reorder,
)  # fmt: skip


def someone(place: Place, draw: random.Random) -> None:
    """Somebody changes plans on the server."""
    for plan in place.zadig.plans():
        if draw.random() < 0.4 and plan["status"] == "planning":
            place.zadig.edit(str(plan["id"]), {"description": draw.choice(WORDS)})


def differs(place: Place, commit: str) -> dict[str, Deltas]:
    """What a plain diff of a commit says, by plan and path."""
    place.git("checkout", "--quiet", commit)
    ended = place.json("diff", "--full", "--allow", "empty")
    assert ended.code == ExitCode.OK, ended.both
    found: dict[str, Deltas] = {}
    for change in ended.json["changes"]:
        deltas = {delta["path"]: bare(delta) for delta in change["deltas"]}
        found[change["key"]] = deltas
    return found


def bare(delta: dict[str, Any]) -> dict[str, Any]:
    """A delta without where it stands and who did it."""
    return {name: delta.get(name) for name in ("cause", "base", "desired", "live", "note")}


@pytest.mark.parametrize("seed", range(16))
def test_what_is_caused_is_what_only_merging_leads_to(
    place: Place, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANOPS_SECRETS", "ZADIG_TOKEN")
    draw = random.Random(seed)  # noqa: S311  a history, no secret
    place.ledgered(limits="{mass-change: 100%}")
    for key in draw.sample(KEYS, 3):
        write(place, draw, key)
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    if draw.random() < 0.5:  # the base itself may be ahead of the server
        write(place, draw, draw.choice(KEYS))
        place.git("add", "--all")
        place.git("commit", "--quiet", "--allow-empty", "--message", "Not applied yet")
    base = place.git("rev-parse", "HEAD").strip()
    someone(place, draw)
    touched = draw.sample(KEYS, draw.randrange(1, 4))
    for key in touched:
        draw.choice(EDITS)(place, draw, key)
    place.git("add", "--all")
    place.git("commit", "--quiet", "--allow-empty", "--message", "The head")
    head = place.git("rev-parse", "HEAD").strip()
    before, after = differs(place, base), differs(place, head)
    ended = place.json("review", "--base", base, "--head", head, "--allow", "empty")
    assert ended.code in {ExitCode.OK, ExitCode.REFUSED}, ended.both
    for change in ended.json["changes"]:
        key, told = change["key"], change["review"]
        caused, there = set(told["caused"]), set(told["there"])
        assert not caused & there
        assert caused | there == after[key].keys()
        old, new = before.get(key, {}), after[key]
        assert there == {path for path, delta in new.items() if old.get(path) == delta}
        assert set(told["settled"]) == old.keys() - new.keys()
        if key not in touched:
            assert not told["touched"]
            assert not caused | set(told["settled"])
    changed = {c["key"] for c in ended.json["changes"] if c["review"]["causes"]}
    assert changed <= {*touched}
