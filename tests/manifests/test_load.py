"""From files to plans: what is declared, which targets a problem stops, and what is selected."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from planops.core.model import Manage, PlanKey, Source
from planops.errors import UsageWrong
from planops.manifests.load import load_config, load_plans

ROOT = Path(__file__).parents[2]


def test_a_plan_as_it_is_declared(repository: Any) -> None:
    repository.plan(
        "plans/a.yaml",
        "a",
        "state: planning\nmanage: {protect: true, ignore: [/spec/description]}\n",
        spec="  start_time: 2026-12-01T22:00:00+08:00\n  end_time: 1796140800\n  jobs: []\n",
        labels="{team: payments}",
    )
    loaded = repository.load()
    assert loaded.problems == ()
    assert (loaded.files, loaded.selected) == (1, False)
    [plan] = loaded.plans
    assert plan.key == PlanKey(target="zadig-prod", name="a")
    assert plan.kind == "ZadigReleasePlan"
    assert plan.spec == {
        "name": "Plan a",
        "manager": "patrick",
        "start_time": 1796133600,
        "end_time": 1796140800,
        "jobs": [],
    }
    assert plan.state == "planning"
    assert plan.labels == {"team": "payments"}
    assert plan.manage == Manage(protect=True, ignore=("/spec/description",))
    assert plan.source == Source(file="plans/a.yaml", document=0, line=1)


def test_null_empty_and_absent_stay_different(repository: Any) -> None:
    repository.plan("plans/a.yaml", "a", spec="  description: null\n  jobs:\n  approval: null\n")
    [plan] = repository.load().plans
    assert plan.spec["description"] is None
    assert plan.spec["jobs"] is None
    assert plan.spec["approval"] is None
    assert "start_time" not in plan.spec


@pytest.mark.parametrize(
    "spec",
    [
        "  end_time: 5\n",
        "  start_time: 0\n  end_time: 0\n  schedule_execute_time: 5\n",
        "  schedule_execute_time: 2026-12-01T22:00:00Z\n",
        "  start_time: 5\n  end_time: 5\n  schedule_execute_time: 5\n",
        "  start_time: null\n  end_time:\n",
        "  approval: {enabled: false}\n",
        "  approval: {enabled: false, native_approval: {approve_users: []}}\n",
        (
            "  approval: {enabled: true, type: native, native_approval: {needed_approvers: 9,"
            " approve_users: [{type: group, group_id: g}]}}\n"
        ),
        "  jobs: [{name: a, type: text}, {name: a, type: workflow, spec: {workflow_key: a}}]\n",
        "  jobs: [{name: a, type: text, spec: {content: null, remark: ''}}]\n",
        "manage: {ignore: [/spec/jobs/workflow:D/spec/inputs/build/parameters, /spec/jobs]}\n",
    ],
)
def test_what_the_server_takes_is_taken(repository: Any, spec: str) -> None:
    repository.plan("plans/a.yaml", "a", spec=spec)
    loaded = repository.load()
    assert loaded.problems == ()
    assert len(loaded.plans) == 1


def test_examples_are_good() -> None:
    config = load_config(ROOT / "examples" / "planops.yaml")
    loaded = load_plans(config.root, config)
    assert loaded.problems == ()
    goals: dict[str, set[str | None]] = {"zadig-sandbox": set(), "brpm-sandbox": set()}
    for plan in loaded.plans:
        goals[plan.key.target].add(plan.state)
    assert (len(loaded.plans), loaded.files) == (9, 8)
    assert goals == {
        "zadig-sandbox": {None, "finish_planning", "wait_for_approval"},
        "brpm-sandbox": {None, "created", "planned", "started"},
    }


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda path: path.name
)
def test_an_example_names_its_schema(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    relative = first.removeprefix("# yaml-language-server: $schema=")
    assert relative != first
    schema = "config" if path.name == "planops.yaml" else "plan"
    assert (path.parent / relative).resolve() == ROOT / "schemas" / f"{schema}.schema.json"


def test_a_target_is_named_where_there_are_several(two_targets: Any) -> None:
    two_targets.plan("plans/a.yaml", "a")
    two_targets.plan("plans/b.yaml", "b", target="zadig-tset")
    two_targets.plan("plans/c.yaml", "c", target="zadig-test")
    loaded = two_targets.load()
    assert [plan.key for plan in loaded.plans] == [PlanKey(target="zadig-test", name="c")]
    assert two_targets.said() == [
        (
            "plans/a.yaml:3:1: `target` is missing, and the settings have 2 targets;"
            " write `zadig-prod` or `zadig-test`"
        ),
        "plans/b.yaml:5:11: the settings have no target `zadig-tset`; did you mean `zadig-test`?",
    ]
    assert [problem.target for problem in loaded.problems] == [None, None]


def test_a_problem_names_the_target_that_must_not_be_called(two_targets: Any) -> None:
    two_targets.plan("plans/a.yaml", "a", spec="  mangaer: x\n", target="zadig-prod")
    two_targets.write("plans/b.yaml", "a: [\n")
    problems = two_targets.load().problems
    assert [(problem.code, problem.target) for problem in problems] == [
        ("unknown-key", "zadig-prod"),
        ("syntax", None),
    ]
    assert two_targets.load(targets=("zadig-test",)).problems == problems[1:]


def test_a_mistake_of_yaml_is_not_said_twice(repository: Any) -> None:
    repository.plan("plans/a.yaml", "a", "manage: {protect: yes}\n")
    [problem] = repository.load().problems
    assert problem.code == "ambiguous-boolean"
    assert repository.load().plans == ()


def test_keys_and_names_are_taken_once(two_targets: Any) -> None:
    for path, target in (("a", "zadig-prod"), ("b", "zadig-prod"), ("c", "zadig-test")):
        two_targets.plan(f"plans/{path}.yaml", "same", target=target)
    two_targets.write(
        "plans/d.yaml",
        "apiVersion: planops/v1\nkind: ZadigReleasePlan\nmetadata: {name: d, target: zadig-prod}\n"
        "spec: {manager: x, name: Plan same}\n",
    )
    loaded = two_targets.load()
    assert two_targets.said() == [
        (
            "plans/b.yaml:4:3: the key `zadig-prod/same` is already taken by plans/a.yaml:4:3;"
            " rename one of the two plans"
        ),
        (
            "plans/d.yaml:4:20: the display name `Plan same` is already taken by plans/a.yaml:7:3;"
            " rename one of the two plans"
        ),
    ]
    assert {problem.target for problem in loaded.problems} == {"zadig-prod"}
    assert len({plan.key for plan in loaded.plans}) == len(loaded.plans)


def test_several_documents_in_a_file(repository: Any) -> None:
    one = repository.plan("plans/a.yaml", "a").read_text()
    repository.write("plans/a.yaml", one + "---\n" + one.replace("a\n", "b\n"))
    loaded = repository.load()
    assert [(plan.key.name, plan.source.document, plan.source.line) for plan in loaded.plans] == [
        ("a", 0, 1),
        ("b", 1, 9),
    ]
    assert loaded.files == 1


def test_files_without_plans_are_pointed_out(repository: Any) -> None:
    assert repository.said() == [
        (
            "planops.yaml:1:1: no file matches `plans`: `plans/**/*.yaml`;"
            " check the globs, or add a plan"
        )
    ]
    repository.write("plans/a.yaml", "# nothing yet\n")
    [problem] = repository.load().problems
    assert (problem.code, problem.severity) == ("empty-file", "warning")


def test_a_warning_does_not_lose_the_plan(repository: Any) -> None:
    repository.plan(
        "plans/a.yaml",
        "a",
        spec="  jobs: [{name: d, type: workflow, spec: {workflow_key: d, inputs:"
        " [{job_name: z, job_type: k8s-blue-green-deploy, parameters: {service_list: [{"
        "service_name: a}]}}], parameters: [{name: x, type: file}]}}]\n",
    )
    loaded = repository.load()
    assert [problem.severity for problem in loaded.problems] == ["warning", "warning"]
    assert len(loaded.plans) == 1


def labelled(repository: Any) -> None:
    for name, labels in (
        ("a", "{team: payments, train: 2026-12}"),
        ("b", "{team: shop, train: 2026-12}"),
        ("c", "{team: payments}"),
    ):
        repository.plan(f"plans/{name}.yaml", name, labels=labels)
    repository.plan("plans/deep/d.yaml", "d")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ((), "abcd"),
        (("team=payments",), "ac"),
        (("team==payments",), "ac"),
        (("team=payments,train=2026-12",), "a"),
        (("team=payments", "train"), "a"),
        (("train",), "ab"),
        (("team!=payments",), "bd"),
        (("train!=2026-12,team",), "c"),
        (("nothing=",), ""),
    ],
)
def test_plans_are_selected_by_label(repository: Any, labels: tuple[str, ...], names: str) -> None:
    labelled(repository)
    loaded = repository.load(labels=labels)
    assert "".join(plan.key.name for plan in loaded.plans) == names
    assert loaded.selected is bool(labels)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("plans",), "abcd"),
        ((".",), "abcd"),
        (("plans/a.yaml",), "a"),
        (("./plans/deep/", "plans/b.yaml"), "bd"),
        (("plans/deep/../a.yaml",), "a"),
    ],
)
def test_plans_are_selected_by_path(repository: Any, paths: tuple[str, ...], names: str) -> None:
    labelled(repository)
    loaded = repository.load(paths=paths)
    assert "".join(plan.key.name for plan in loaded.plans) == names
    assert loaded.selected
    absolute = tuple(str(repository.root / path) for path in paths)
    assert repository.load(paths=absolute).plans == loaded.plans


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            {"targets": ("zadig-prd",)},
            "target `zadig-prd`: planops.yaml has no such target; did you",
        ),
        ({"labels": ("a=b=c",)}, "label selector `a=b=c`: `a=b=c` is no condition; write key,"),
        ({"labels": ("",)}, "label selector ``: `` is no condition"),
        ({"paths": ("nowhere",)}, "path `nowhere`: no plan file is there"),
        ({"paths": ("../x",)}, "path `../x`: no plan file is there"),
        ({"paths": ("/etc/passwd",)}, "path `/etc/passwd`: no plan file is there"),
    ],
)
def test_a_selection_of_nothing_is_the_callers_mistake(
    repository: Any, selection: dict[str, tuple[str, ...]], message: str
) -> None:
    labelled(repository)
    with pytest.raises(UsageWrong) as caught:
        repository.load(**selection)
    assert str(caught.value).startswith(message)


def test_plans_are_selected_by_target(two_targets: Any) -> None:
    two_targets.plan("plans/a.yaml", "a", target="zadig-prod")
    two_targets.plan("plans/b.yaml", "b", target="zadig-test")
    loaded = two_targets.load(targets=("zadig-test",))
    assert [plan.key.name for plan in loaded.plans] == ["b"]
    assert not loaded.selected


def test_hostile_files_are_problems(repository: Any, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.yaml"
    outside.write_text("secret: hunter2\n")
    repository.plan("plans/good.yaml", "good")
    (repository.root / "plans" / "link.yaml").symlink_to(outside)
    (repository.root / "plans" / "gone.yaml").symlink_to("nowhere.yaml")
    repository.write("plans/bytes.yaml", b"\xff\x00\x1b[31m")
    repository.write("plans/\u202e\x1b.yaml", "hello\n")
    loaded = repository.load()
    assert [plan.key.name for plan in loaded.plans] == ["good"]
    said = " ".join(repository.said())
    assert said.isprintable()
    assert "hunter2" not in said
    assert [problem.code for problem in loaded.problems] == [
        "file-name",
        "not-utf-8",
        "unreadable",
        "outside",
    ]


def test_no_file_drowns_a_run_in_problems(repository: Any) -> None:
    head = repository.plan("plans/a.yaml", "a").read_text()
    repository.write("plans/a.yaml", head + "".join(f"  k{i}: 1\n" for i in range(50_000)))
    repository.write("plans/b.yaml", (head + "  mangaer: x\n---\n") * 500)
    problems = repository.load().problems
    assert [each.mark.file for each in problems].count("plans/a.yaml") == 100
    assert [each.mark.file for each in problems].count("plans/b.yaml") == 500


def test_the_garbage_collector_runs_again_afterwards(repository: Any) -> None:
    assert gc.isenabled()
    repository.plan("plans/a.yaml", "a")
    repository.load()
    assert gc.isenabled()
