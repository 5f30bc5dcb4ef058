"""How long reading, parsing and checking plans takes, as a multiple of libyaml's own work.

Run it by hand: ``python tests/bench/bench_manifests.py [N …]``. It prints ratios only: times
are about the machine. 1.0 is draining the C parser's events of the same files.
"""

from __future__ import annotations

import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from planops.manifests.load import load_config, load_plans
from planops.manifests.yaml import default_parser, parse

SETTINGS = """\
apiVersion: planops/v1
kind: Config
plans: ["plans/**/*.yaml"]
targets:
  bench: {backend: zadig, url: "https://zadig.example.com", token: "${env:TOKEN}"}
"""
REPEATS = 5


def plan(number: int) -> str:
    """Write a plan of 20 to 200 lines."""
    chance = random.Random(number)  # noqa: S311 -- the same plans every time, nothing secret
    day = 1 + number % 27
    lines = [
        "apiVersion: planops/v1",
        "kind: ZadigReleasePlan",
        "metadata:",
        f"  name: bench-{number:05d}",
        "  labels: {team: payments, train: 2026-12}",
        "spec:",
        f"  name: Bench {number}",
        "  manager: patrick",
        f"  start_time: 2026-12-{day:02d}T08:00:00+08:00",
        f"  end_time: 2026-12-{day:02d}T18:30:00+08:00",
        f"  description: Plan number {number}",
        "  approval:",
        "    enabled: true",
        "    type: native",
        "    native_approval:",
        "      timeout: 60",
        "      needed_approvers: 1",
        "      approve_users:",
        "        - account: admin",
        "        - user_id: c565c7eb-e273-11ed-bef9-a659ed9f1ed1",
        "  jobs:",
    ]
    for job in range(min(12, 1 + int(chance.lognormvariate(1.0, 0.6)))):
        lines += _text(job) if chance.random() < 0.4 else _workflow(job, chance)
    return "\n".join([*lines, "state: wait_for_approval", ""])


def _text(job: int) -> list[str]:
    return [
        f"    - name: note-{job}",
        "      type: text",
        "      spec:",
        "        content: |",
        f"          Check the dashboard before step {job} goes on.",
        "        remark: abc",
    ]


def _workflow(job: int, chance: random.Random) -> list[str]:
    lines = [
        f"    - name: deploy-{job}",
        "      type: workflow",
        "      spec:",
        "        workflow_key: deploy",
        "        project_key: shop",
        "        inputs:",
        "          - job_name: deploy",
        "            job_type: zadig-deploy",
        "            parameters:",
        "              env_name: prod",
        "              service_list:",
    ]
    for service in range(chance.randrange(1, 4)):
        lines += [
            f"                - service_name: svc-{service}",
            f"                  service_module: svc-{service}",
            f"                  image_name: https://reg.example.com/shop/svc-{service}:1.{job}.0",
        ]
    return lines


def drain(files: list[bytes]) -> None:
    """Let the parser make its events, and do nothing with them."""
    parser = default_parser()
    for data in files:
        event = parser(data.decode()).get_event
        while not isinstance(event(), yaml.StreamEndEvent):
            pass


def fastest(work: Callable[[], object]) -> float:
    """Take the best of some runs, garbage collection apart."""
    times = []
    for _ in range(REPEATS):
        gc.collect()
        gc.disable()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
        gc.enable()
    return min(times)


def measure(count: int) -> None:
    """Print the ratios for one number of plans."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "planops.yaml").write_text(SETTINGS)
        (root / "plans").mkdir()
        for number in range(count):
            (root / "plans" / f"{number:05d}.yaml").write_text(plan(number))
        config = load_config(root / "planops.yaml")
        loaded = load_plans(root, config)
        if loaded.problems or len(loaded.plans) != count:
            raise SystemExit(f"the benchmark's plans are wrong: {loaded.problems[:3]}")
        files = [path.read_bytes() for path in sorted((root / "plans").iterdir())]
        floor = fastest(lambda: drain(files))
        parsed = fastest(lambda: [parse(data, "f.yaml") for data in files])
        whole = fastest(lambda: load_plans(root, config))
    lines = sum(data.count(b"\n") for data in files) / count
    sys.stdout.write(
        f"{count:6d} plans of {lines:.0f} lines: events 1.00, parse {parsed / floor:.2f},"
        f" find + read + parse + check {whole / floor:.2f}\n"
    )


if __name__ == "__main__":
    for size in [int(word) for word in sys.argv[1:]] or [100, 1_000, 10_000]:
        measure(size)
