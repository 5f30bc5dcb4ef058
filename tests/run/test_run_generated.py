"""Generated plans: applied, then nothing differs; each single change is exactly one delta."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from planops.core.changes import Cause, Change, Delta
from planops.core.decide import Desired
from planops.core.model import ABSENT, Plan, Severity, escape
from planops.manifests.fields import normalise
from planops.manifests.findings import Finding
from planops.manifests.validate import check
from planops.sandbox.zadig import Generation
from run.bench import Bench, Raw, benches, differing, unknown
from run.generated import MIXES, Mix, documents
from run.single_changes import (
    LISTS_OF_VALUES,
    UNREADABLE,
    Leaf,
    Tokens,
    at,
    changed_at,
    edits,
    leaves,
    meant,
    others,
    place,
    removals,
    repositories_in_place,
    store,
    without,
)

CALM = settings(
    max_examples=4,
    phases=[Phase.generate],  # to shrink a whole plan takes minutes, and the plan is shown anyway
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A document, and which of its changes to carry out."""

    document: dict[str, Any]
    picks: tuple[int, int, int]


def cases(generation: Generation, mix: Mix) -> st.SearchStrategy[Case]:
    pick = st.integers(0, 9_999)
    drawn = documents(generation, mix)
    return st.builds(lambda one, *picks: Case(document=one, picks=picks), drawn, pick, pick, pick)


def unreadable(document: dict[str, Any]) -> set[str]:
    """The paths of parameters that no diff can compare."""
    found = set()
    for job in document["spec"].get("jobs") or ():
        for one in (job.get("spec") or {}).get("inputs") or ():
            if one.get("job_type") in UNREADABLE and one.get("parameters"):
                named = escape(f"workflow:{job['name']}")
                found.add(f"/spec/jobs/{named}/spec/inputs/{one['job_name']}/parameters")
    return found


def in_order(bench: Bench, document: dict[str, Any], plan: Plan) -> tuple[Desired, Raw]:
    """Nothing differs and nothing would be done."""
    desired, change, raw = bench.look(plan)
    assert differing(change) == []
    assert unknown(change) == unreadable(document)
    assert change.steps == ()
    assert differing(bench.decide(desired, raw, base=dict(desired.spec))) == []
    return desired, raw


def values(leaf: Leaf, delta: Delta) -> tuple[Any, Any]:
    if leaf.name not in LISTS_OF_VALUES:
        return delta.desired, delta.live
    assert isinstance(delta.desired, list)
    assert isinstance(delta.live, list)
    return sorted(delta.desired, key=repr), sorted(delta.live, key=repr)


def exactly(change: Change, leaf: Leaf, desired: Any, live: Any, cause: Cause) -> None:
    """One delta: at the leaf's path, of these values, for this cause."""
    found = differing(change)
    assert [(one.path, one.cause) for one in found] == [(leaf.path, cause)], leaf
    assert values(leaf, found[0]) == (desired, live), leaf


# ----------------------------------------------------------------------- every change, on paper


def told_apart(spec: Mapping[str, Any]) -> list[Leaf]:
    """The leaves, of those that differ by their place in lists alone no more than two."""
    alike: dict[Tokens, list[Leaf]] = {}
    for leaf in leaves(spec):
        alike.setdefault(way(spec, leaf), []).append(leaf)
    return [leaf for some in alike.values() for leaf in some[:2]]


def way(spec: Mapping[str, Any], leaf: Leaf) -> Tokens:
    """The fields that lead to a leaf, and the job of the workflow that it is an input of."""
    jobs = [at(spec, leaf.tokens[:5])["job_name"]] if leaf.tokens[3:4] == ("inputs",) else []
    return (*jobs, *(one for one in leaf.tokens if isinstance(one, str)))


def check_file(bench: Bench, document: dict[str, Any], base: Desired, raw: Raw) -> None:
    """Each declared value, changed in the file, is one delta with the right values."""
    changed = [
        (leaf, value, changed_at(document, leaf.tokens, value))
        for leaf in told_apart(document["spec"])
        for value in others(document, leaf)[:1]
    ]
    found = prepared(bench, base.plan, [one for *_, one in changed])
    for (leaf, value, _), desired in zip(changed, found, strict=True):
        new, old = meant(leaf.name, value), meant(leaf.name, leaf.value)
        exactly(bench.decide(desired, raw, dict(base.spec)), leaf, new, old, Cause.EDIT)


def errors(document: dict[str, Any]) -> list[Finding]:
    return [one for one in check(document, dict) if one.severity is Severity.ERROR]


def prepared(bench: Bench, plan: Plan, documents: Sequence[dict[str, Any]]) -> Sequence[Desired]:
    """Changed documents, checked and made canonical; written to a file only where applied."""
    plans = []
    for one in documents:
        assert errors(one) == []
        spec = copy.deepcopy(one["spec"])
        normalise(spec, plan.kind)
        plans.append(replace(plan, spec=spec))
    return bench.target.backend.prepare(plans) if plans else ()


def check_removals(bench: Bench, document: dict[str, Any], base: Desired, raw: Raw) -> None:
    """Each item of a list, taken out of the file, is one delta."""
    items = removals(document)
    rest = [without(document, item.tokens) for item in items]
    for item, desired in zip(items, prepared(bench, base.plan, rest), strict=True):
        (delta,) = differing(bench.decide(desired, raw))
        assert (delta.path, delta.cause, delta.desired) == (item.path, Cause.EDIT, ABSENT)


def check_releases(bench: Bench, document: dict[str, Any], base: Desired, raw: Raw) -> None:
    """Each value that the file no longer declares is let go: said where known, never written."""
    lets_go = [(leaf, without(document, leaf.tokens)) for leaf in told_apart(document["spec"])]
    valid = [(leaf, one) for leaf, one in lets_go if not errors(one)]
    rest = [one for _, one in valid]
    for (leaf, _), desired in zip(valid, prepared(bench, base.plan, rest), strict=True):
        released = bench.decide(desired, raw, dict(base.spec))
        (delta,) = differing(released)
        assert (delta.path, delta.cause) == (leaf.path, Cause.RELEASED)
        assert released.steps == ()


def check_server(bench: Bench, document: dict[str, Any], base: Desired, raw: Raw) -> None:
    """Each declared value, changed on the server, is one delta, and drift of what was applied."""
    spec, stored = document["spec"], json.dumps(raw)
    bench.target.backend.prepare([base.plan])
    for leaf in told_apart(spec):
        wanted = meant(leaf.name, leaf.value)
        for edit in edits(leaf)[:2]:
            held = json.loads(stored)
            store(held, spec, leaf, edit)
            seen = bench.decide(base, held, dict(base.spec))
            exactly(seen, leaf, wanted, edit.live, Cause.DRIFT)


def check_hosts(bench: Bench, document: dict[str, Any], base: Desired, raw: Raw) -> None:
    """A repository that is another host's by now is no longer the one that the file names."""
    for item in repositories_in_place(document):
        held = json.loads(json.dumps(raw))
        way = (*item.tokens, "codehost_id")
        place(held, document["spec"], way)[0]["codehost_id"] = 99
        (delta,) = differing(bench.decide(base, held, dict(base.spec)))
        assert (delta.path, delta.cause, delta.live) == (item.path, Cause.DRIFT, ABSENT)


# ------------------------------------------------------------------------ some changes, for good


def edited(bench: Bench, document: dict[str, Any], pick: int) -> dict[str, Any]:
    """One value changed in the file: one delta, one PATCH, and nothing differs."""
    found = [(leaf, value) for leaf in leaves(document["spec"]) for value in others(document, leaf)]
    leaf, value = found[pick % len(found)]
    changed = changed_at(document, leaf.tokens, value)
    plan = bench.load(changed)
    new, old = meant(leaf.name, value), meant(leaf.name, leaf.value)
    exactly(bench.look(plan)[1], leaf, new, old, Cause.EDIT)
    assert bench.apply(plan) == ["PATCH"], leaf
    in_order(bench, changed, plan)
    return changed


def drifted(bench: Bench, document: dict[str, Any], pick: int) -> None:
    """One value changed on the server: one delta, one PATCH, and nothing differs."""
    spec, plan = document["spec"], bench.load(document)
    found = [(leaf, edit) for leaf in leaves(spec) for edit in edits(leaf)]
    leaf, edit = found[pick % len(found)]
    id_ = str(bench.zadig.sandbox.plans()[0]["id"])
    bench.zadig.sandbox.edit(id_, lambda held: store(held, spec, leaf, edit))
    wanted = meant(leaf.name, leaf.value)
    exactly(bench.look(plan)[1], leaf, wanted, edit.live, Cause.EDIT)
    assert bench.apply(plan) == ["PATCH"], leaf
    in_order(bench, document, plan)


def removed(bench: Bench, document: dict[str, Any], pick: int) -> dict[str, Any]:
    """One item taken out of the file: one PATCH, and nothing differs."""
    found = removals(document)
    if not found:
        return document
    changed = without(document, found[pick % len(found)].tokens)
    plan = bench.load(changed)
    assert bench.apply(plan) == ["PATCH"], found[pick % len(found)]
    in_order(bench, changed, plan)
    return changed


def hold(bench: Bench, case: Case) -> None:
    document = case.document
    plan = bench.load(document)
    made = bench.apply(plan)
    assert made == (["POST", "PATCH"] if document["spec"].get("jobs") else ["POST"])
    desired, raw = in_order(bench, document, plan)
    check_file(bench, document, desired, raw)
    check_removals(bench, document, desired, raw)
    check_releases(bench, document, desired, raw)
    check_server(bench, document, desired, raw)
    check_hosts(bench, document, desired, raw)
    document = edited(bench, document, case.picks[0])
    document = removed(bench, document, case.picks[1])
    drifted(bench, document, case.picks[2])


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: "-".join((mix.approval, *mix.focus)))
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_a_generated_plan_is_applied_once_and_every_change_is_one_delta(
    generation: Generation, mix: Mix, tmp_path: Path
) -> None:
    with benches(generation, tmp_path) as bench:

        @seed(MIXES.index(mix))
        @CALM
        @given(case=cases(generation, mix))
        def run(case: Case) -> None:
            bench.zadig.sandbox.reset()
            hold(bench, case)
            assert not bench.zadig.sandbox.defects

        run()


# ----------------------------------------------------------------------------- after it was applied

CART = {"service_name": "cart", "service_module": "cart"}
SERVICES = [
    {**CART, "inputs": [{"key": "VERSION", "value": "2"}]},
    {"service_name": "checkout", "service_module": "checkout"},
]
BUILD = {"registry": "https://reg.example.com/test", "service_list": SERVICES}
SCRIPTS = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "scripts"}
INPUTS = ("jobs", 1, "spec", "inputs")


def plan_of(*inputs: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """A document with a text job, and a workflow job with these inputs."""
    given = [dict(zip(("job_name", "job_type", "parameters"), one, strict=True)) for one in inputs]
    spec = {"workflow_key": "everything", "inputs": given}
    jobs = [{"name": "Announce", "type": "text"}]
    return {
        "apiVersion": "planops/v1",
        "kind": "ZadigReleasePlan",
        "metadata": {"name": "train"},
        "spec": {
            "name": "Checkout 2026.12",
            "manager": "patrick",
            "jobs": [*jobs, {"name": "Release", "type": "workflow", "spec": spec}],
        },
    }


def after(bench: Bench, document: dict[str, Any], changed: dict[str, Any]) -> Delta:
    """The one delta that a change in the file makes once the document was applied."""
    plan = bench.load(document)
    bench.apply(plan)
    base, raw = in_order(bench, document, plan)
    (desired,) = prepared(bench, plan, [changed])
    (delta,) = differing(bench.decide(desired, raw, dict(base.spec)))
    return delta


@pytest.mark.parametrize(
    "tokens",
    [("jobs", 0), ("jobs", 1), (*INPUTS, 1), (*INPUTS, 0, "parameters", "service_list", 0)],
    ids=["text job", "workflow job", "input", "service"],
)
def test_what_was_applied_and_is_taken_out_of_the_file_is_an_edit(
    tokens: Tokens, tmp_path: Path
) -> None:
    plugin = {"kv": [{"key": "channel", "value": "#x"}]}
    document = plan_of(("build", "zadig-build", BUILD), ("plugin", "plugin", plugin))
    with benches("5.0", tmp_path) as bench:
        delta = after(bench, document, without(document, tokens))
        assert (delta.desired, delta.cause) == (ABSENT, Cause.EDIT)


def test_a_remote_that_was_left_to_the_server_and_gets_a_name_is_an_edit(tmp_path: Path) -> None:
    """The server calls a remote without a name origin (§9.13)."""
    repo = {"repo_info": [{**SCRIPTS, "remote_name": ""}]}
    document = plan_of(("script", "freestyle", repo))
    tokens = (*INPUTS, 0, "parameters", "repo_info", 0, "remote_name")
    with benches("5.0", tmp_path) as bench:
        delta = after(bench, document, changed_at(document, tokens, "upstream"))
        assert (delta.desired, delta.cause) == ("upstream", Cause.EDIT)
