"""Time a diff with nothing to do against the bare fetch of the same URLs, side by side.

Usage: python tests/bench/bench_diff.py [PLANS]. Prints ratios; the sandbox runs in another process.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from planops import reconcile
from planops.backends.exchange import Endpoint, Request
from planops.backends.http import Http
from planops.backends.zadig.backend import ZadigBackend
from planops.cli.clock import SystemClock
from planops.core.guards import Limits
from planops.manifests.load import load_plans
from planops.manifests.schemas import shape
from planops.manifests.settings import load_config
from planops.run import Run, Target
from planops.sandbox.zadig import ZadigSandbox

TOKEN = "sandbox-admin-token"
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


def main(count: int) -> None:
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
            _compare(folder, _url(server), count)
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


def _compare(folder: Path, url: str, count: int) -> None:
    (folder / "plans").mkdir()
    (folder / "planops.yaml").write_text(CONFIG.format(url=url))
    for n in range(count):
        jobs = "\n".join(JOB.format(m=m, n=n) for m in range(10))
        (folder / "plans" / f"{n}.yaml").write_text(PLAN.format(n=n, jobs=jobs))
    endpoint = Endpoint(url=url, headers={"Authorization": f"Bearer {TOKEN}"}, secrets=(TOKEN,))
    with Http(endpoint, SystemClock()) as http:
        ratios = []
        for _ in range(3):
            bare = _timed(lambda: _fetch(http, count))
            full = _timed(lambda: _diff(http, url, folder, count))
            ratios.append(full / bare)
            print(f"{count} plans: diff / bare fetch = {ratios[-1]:.2f}")
    print(f"median {sorted(ratios)[1]:.2f}")


def _fetch(http: Http, count: int) -> None:
    query = (("pageNum", "1"), ("pageSize", str(count + 1)))
    rows = json.loads(http.read(Request(method="GET", path=OPEN, query=query)).body)["list"]
    http.map(lambda row: http.read(Request(method="GET", path=f"{OPEN}/{row['id']}")), rows)


def _diff(http: Http, url: str, folder: Path, count: int) -> None:
    config = load_config(folder / "planops.yaml")
    plans = load_plans(folder, config).plans
    backend = ZadigBackend(http, shape("ZadigReleasePlan"))
    target = Target(
        name="bench", kind="zadig", url=url, backend=backend, by_name=True, limits=Limits()
    )
    run = Run(now=0)
    sight = reconcile.observe(target, plans, run)
    report = reconcile.show(target, sight, reconcile.diff(target, sight, run), run)
    assert len(report.changes) == count
    assert not any(item.change.acts for item in report.changes)


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
