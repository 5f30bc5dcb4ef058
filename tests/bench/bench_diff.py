"""Time a diff with nothing to do, side by side: in full, by the ledger, and the bare fetch.

Usage: python tests/bench/bench_diff.py [PLANS [MILLISECONDS]]. Prints ratios; the sandbox runs in
another process, and every answer takes so many milliseconds more, as from a server far away.
The first ratio is of a diff in full to the bare fetch of the same URLs; the second of a diff by the
ledger to one in full, files and all; the third of what the two make of files that were read before.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from planops import reconcile
from planops.backends.exchange import Endpoint, Request, Response
from planops.backends.http import Http
from planops.backends.zadig.backend import ZadigBackend
from planops.cli.clock import SystemClock
from planops.core.guards import Limits
from planops.core.ledger import Book, book
from planops.core.model import Plan
from planops.custody import Keeping
from planops.manifests.load import load_plans
from planops.manifests.schemas import shape
from planops.manifests.settings import load_config
from planops.run import Run, Target
from planops.sandbox.zadig import ZadigSandbox

TOKEN = "sandbox-admin-token"
RATIOS = ("diff in full / bare fetch", "diff by ledger / in full", "the same, files read before")
OPEN = "/openapi/release_plan/v1"
CONFIG = """apiVersion: planops/v1
kind: Config
plans: [plans/*.yaml]
targets:
  bench: {{backend: zadig, url: {url}, token: "${{env:T}}", adopt-by-name: true}}
"""
PLAN = """apiVersion: planops/v1
kind: ZadigReleasePlan
metadata: {{name: plan-{n}}}
spec:
  name: Plan {n}
  manager: admin
  description: The {n}th
  start_time: 2026-12-01T22:00:00+08:00
  end_time: 2026-12-02T02:00:00+08:00
  jobs:
{jobs}
"""
JOB = "    - {{name: Job {m}, type: text, spec: {{content: The {m}th thing of {n}., remark: r}}}}"


def main(count: int, late: float) -> None:
    """Prepare a server and a repository, then time both, three times in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder / "zadig.sqlite", count)
        server = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "planops", "sandbox", "--port", "0",
             "--database", str(folder / "zadig.sqlite")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _compare(folder, _url(server), count, late)
        finally:
            server.terminate()
            server.wait()


def _fill(database: Path, count: int) -> None:
    with closing(ZadigSandbox(database=database)) as zadig:
        admin = next(user for user in zadig.users if user.account == "admin")
        for n in range(count):
            jobs = [
                {"id": f"{n}-{m}", "name": f"Job {m}", "type": "text",
                 "spec": {"content": f"The {m}th thing of {n}.", "remark": "r"}}
                for m in range(10)
            ]  # fmt: skip
            zadig.insert_plan(
                {"name": f"Plan {n}", "manager": "admin", "manager_id": admin.uid,
                 "description": f"The {n}th", "start_time": 1796133600, "end_time": 1796148000,
                 "jobs": jobs, "status": "planning"}
            )  # fmt: skip


def _url(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"url: (\S+)", line)
        if found:
            return found[1]
    raise SystemExit("the sandbox did not start")


def _compare(folder: Path, url: str, count: int, late: float) -> None:
    (folder / "plans").mkdir()
    (folder / "planops.yaml").write_text(CONFIG.format(url=url))
    for n in range(count):
        jobs = "\n".join(JOB.format(m=m, n=n) for m in range(10))
        (folder / "plans" / f"{n}.yaml").write_text(PLAN.format(n=n, jobs=jobs))
    endpoint = Endpoint(url=url, headers={"Authorization": f"Bearer {TOKEN}"}, secrets=(TOKEN,))
    with Late(endpoint, SystemClock(), late) as http:
        plans = _read(folder)
        target = _recorded(http, url, plans)
        ratios = [_ratios(http, target, folder, plans) for _ in range(3)]
    for name, found in zip(RATIOS, zip(*ratios, strict=True), strict=True):
        shown = ", ".join(f"{one:.2f}" for one in found)
        print(f"{count} plans: {name} = {shown}; median {sorted(found)[1]:.2f}")


def _ratios(
    http: Http, target: Target, folder: Path, plans: Sequence[Plan]
) -> tuple[float, float, float]:
    """Time everything once, in turn."""
    bare = _timed(lambda: _fetch(http, len(plans)))
    full = _timed(lambda: _diff(target, _read(folder), full=True))
    short = _timed(lambda: _diff(target, _read(folder), full=False))
    full_alone = _timed(lambda: _diff(target, plans, full=True))
    short_alone = _timed(lambda: _diff(target, plans, full=False))
    return full / bare, short / full, short_alone / full_alone


def _fetch(http: Http, count: int) -> None:
    query = (("pageNum", "1"), ("pageSize", str(count + 1)))
    rows = json.loads(http.read(Request(method="GET", path=OPEN, query=query)).body)["list"]
    http.map(lambda row: http.read(Request(method="GET", path=f"{OPEN}/{row['id']}")), rows)


def _read(folder: Path) -> Sequence[Plan]:
    return load_plans(folder, load_config(folder / "planops.yaml")).plans


def _recorded(http: Http, url: str, plans: Sequence[Plan]) -> Target:
    """A target whose ledger records every plan as it is."""
    clock = SystemClock()
    keeping = Keeping(
        ledger=Memory(), clock=clock, holder="bench", run="bench", seconds=300, call=60.0,
        monotonic=time.monotonic,
    )  # fmt: skip
    target = Target(
        name="bench", kind="zadig", url=url, by_name=True, limits=Limits(), keeping=keeping,
        backend=ZadigBackend(http, shape("ZadigReleasePlan")),
    )  # fmt: skip
    run = Run(now=clock.now())
    sight = reconcile.observe(target, plans, run)
    reconcile.apply(target, sight, reconcile.diff(target, sight, run), run)
    assert all(record.seen for record in keeping.ledger.load().records.values())
    return target


def _diff(target: Target, plans: Sequence[Plan], *, full: bool) -> None:
    run = Run(now=0, full=full)
    sight = reconcile.observe(target, plans, run)
    report = reconcile.show(target, sight, reconcile.diff(target, sight, run), run)
    assert len(report.changes) == len(plans)
    assert len(sight.inventory.listed) == (0 if full else len(plans))
    assert not any(item.change.acts for item in report.changes)


class Late(Http):
    """A server that is so many seconds away."""

    def __init__(self, endpoint: Endpoint, clock: SystemClock, late: float) -> None:
        super().__init__(endpoint, clock)
        self.late = late

    def read(self, request: Request) -> Response:
        """Read, and have waited for it."""
        if self.late:
            SystemClock().sleep(self.late)
        return super().read(request)


@dataclass(slots=True)
class Memory:
    """A ledger that takes no time."""

    documents: dict[str, bytes] = field(default_factory=dict)

    def load(self) -> Book:
        """Read the documents."""
        return book("", self.documents)

    def write(self, tip: str, changes: Mapping[str, bytes | None], *_: object) -> str:
        """Set documents; none is ever taken away here."""
        self.documents |= {path: data for path, data in changes.items() if data is not None}
        return tip


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    plans, milliseconds = (*map(int, sys.argv[1:]), *(1000, 0)[len(sys.argv) - 1 :])
    main(plans, milliseconds / 1000)
