"""The values that the tests of the core are made of: a plan, what a server holds, a change."""

from __future__ import annotations

from collections.abc import Mapping

from planops.core.changes import Change, Delta, Request, Step, StepKind, kind_of
from planops.core.lifecycle import Actor, Edge, Refusal, Route, Standing
from planops.core.model import JSON, Live, Manage, Plan, PlanKey, Source
from planops.core.shape import FREE, Kind, Shape

URL = "https://release.example.com"

TEXT = Shape(kind=Kind.SCALAR, type="string")
NUMBER = Shape(kind=Kind.SCALAR, type="integer")
FLAG = Shape(kind=Kind.SCALAR, type="boolean")
TIME = Shape(kind=Kind.SCALAR, type="scalar", format="epoch")
SECRET = Shape(kind=Kind.SCALAR, type="string", sensitive=True)


def an_object(**fields: Shape) -> Shape:
    return Shape(kind=Kind.OBJECT, type="object", fields=fields)


def keyed(item: Shape, *key: str) -> Shape:
    return Shape(kind=Kind.KEYED, type="array", item=item, key=key)


def a_set(item: Shape, *key: str) -> Shape:
    return Shape(kind=Kind.SET, type="array", item=item, key=key)


def a_list(item: Shape) -> Shape:
    return Shape(kind=Kind.LIST, type="array", item=item)


EVERYTHING = an_object(
    title=TEXT,
    count=NUMBER,
    opens=TIME,
    options=an_object(on=FLAG, note=TEXT),
    jobs=keyed(
        an_object(type=TEXT, name=TEXT, spec=an_object(text=TEXT, data=FREE)), "type", "name"
    ),
    tags=a_set(TEXT),
    users=a_set(an_object(id=TEXT, role=TEXT), "id"),
    steps=a_list(TEXT),
    extra=FREE,
)
"""A shape with every kind of node in it."""


def plan(
    spec: Mapping[str, JSON] | None = None,
    *,
    state: str | None = None,
    ignore: tuple[str, ...] = (),
    name: str = "summer",
) -> Plan:
    return Plan(
        key=PlanKey(target="harbour", name=name),
        kind="FerryPlan",
        spec={"name": "Summer"} if spec is None else dict(spec),
        state=state,
        manage=Manage(ignore=ignore),
        source=Source(file="plans/summer.yaml"),
    )


def live(state: str = "draft", *, id_: str = "1", version: int | None = 1, **spec: JSON) -> Live:
    return Live(id=id_, name="Summer", state=state, spec=spec, raw={"id": id_}, version=version)


def refusal(guard: str) -> Refusal:
    return Refusal(guard=guard, message=f"{guard} stands against it", lift=f"--allow {guard}")


def step(kind: StepKind = StepKind.UPDATE, path: str = "/plans/1", body: JSON = None) -> Step:
    return Step(kind=kind, request=Request(method="PUT", path=path, body=body), summary=str(kind))


def change(
    *steps: Step,
    name: str = "summer",
    refused: tuple[str, ...] = (),
    deltas: tuple[Delta, ...] = (),
    there: Live | None = None,
    standing: Standing = Standing.UNMANAGED,
    next_actor: Actor | None = None,
) -> Change:
    return Change(
        key=PlanKey(target="harbour", name=name),
        kind=kind_of(steps),
        plan=plan(name=name),
        live=there,
        deltas=deltas,
        route=Route(standing=standing, next_actor=next_actor),
        steps=steps,
        refusals=tuple(refusal(guard) for guard in refused),
    )


def edge(source: str, target: str, *hazards: str) -> Edge:
    return Edge(source=source, target=target, event=target, hazards=hazards)
