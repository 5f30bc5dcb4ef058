"""A repository with a ledger, and plans that somebody made by hand: what adopting starts from."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from cli.place import Ended, Place
from planops.core.ledger import Lease, lease_document
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger

PLAIN = {"id": "", "name": "Announce", "type": "text", "spec": {"content": "Hello", "remark": ""}}
REF = "refs/planops/ledger/prod"


def ledgered(place: Place, origin: Path, *targets: str, plans: str = "plans/**/*.yaml") -> Place:
    """Settings with a ledger at a remote for each target; without one, for the Zadig."""
    place.git("init", "--quiet", "--bare", str(origin))
    place.git("remote", "add", "origin", str(origin))
    settings(place, *targets, plans=plans)
    return place


def settings(place: Place, *targets: str, plans: str = "plans/**/*.yaml", more: str = "") -> None:
    zadig = f"backend: zadig, url: '{place.url}', token: '${{env:ZADIG_TOKEN}}'"
    lines = ["apiVersion: planops/v1", "kind: Config", f"plans: ['{plans}']", "targets:"]
    for name, target in zip(("prod", "other"), targets or (zadig,), strict=False):
        kept = more or "ledger: {mode: git}"
        lines.append(f"  {name}: {{{target or zadig}, concurrency: 1, {kept}}}")
    place.write("planops.yaml", "\n".join(lines) + "\n")


def changes(ended: Ended, outcome: str) -> list[dict[str, Any]]:
    return [one for one in ended.json["changes"] if one["outcome"] == outcome]


def why(ended: Ended) -> str:
    """Why things were refused, in words."""
    return " | ".join(r["message"] for one in ended.json["changes"] for r in one["refusals"])


def files(place: Place) -> list[str]:
    """The plan files, and whatever else lies beside them."""
    found = (place.folder / "plans").rglob("*")
    return sorted(str(path.relative_to(place.folder)) for path in found if path.is_file())


def nothing_left(place: Place) -> None:
    """The next diff is empty; the next apply makes no call, and one after it writes no ledger.

    The first may note what a list shows of the plans, so that later ones need not read them.
    """
    ended = place.json("diff", "--exit-code")
    assert ended.code == ExitCode.OK, ended.both
    assert [one["deltas"] for one in ended.json["changes"] if one["deltas"]] == []
    assert [one["refusals"] for one in ended.json["changes"] if one["refusals"]] == []
    writes = len(place.zadig.writes)
    assert place.planops("apply", "--yes").code == ExitCode.OK
    before = place.git("ls-remote", "origin")
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert place.git("ls-remote", "origin") == before
    assert len(place.zadig.writes) == writes


def ledger_of(place: Place) -> GitLedger:
    return GitLedger(root=place.folder, ref=REF, remote="origin")


def held_by(place: Place, run: str) -> None:
    """Somebody else's lease, just taken."""
    until = int(time.time()) + 3600
    lease = Lease(holder="ci@runner", run=run, until=until, seconds=3600, link="https://ci/7")
    path, data = lease_document(lease)
    ledger = ledger_of(place)
    ledger.write(ledger.load().tip, {path: data}, "begin", 1_700_000_000)


def released(place: Place) -> None:
    """They give it back."""
    ledger = ledger_of(place)
    ledger.write(ledger.load().tip, {"lease.json": None}, "end", 1_700_000_000)


def hook(place: Place, script: str) -> Path:
    """What the remote does before it takes a push."""
    path = Path(place.git("remote", "get-url", "origin").strip()) / "hooks" / "pre-receive"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
