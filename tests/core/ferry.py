"""An imaginary server of ferry plans: small enough to see through, complete enough to decide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.values import EVERYTHING, TEXT, TIME, an_object
from planops.core.changes import NEW_ID, Request, Step, StepKind
from planops.core.decide import Desired, Proposal
from planops.core.lifecycle import Actor, Edge, EditRule, Lifecycle, Move, Refusal
from planops.core.model import ABSENT, JSON, Live, Value
from planops.core.shape import Shape, zero

SHAPE = an_object(name=TEXT, captain=TEXT, closes=TIME, note=TEXT, jobs=EVERYTHING.fields["jobs"])

LIFECYCLE = Lifecycle(
    path=("draft", "ready", "boarding", "sailing", "arrived"),
    optional={"boarding": "passengers"},
    edges=(
        Edge(source="draft", target="ready", event="announce"),
        Edge(source="ready", target="boarding", event="call", hazards=("calls the passengers",)),
        Edge(source="ready", target="sailing", event="sail"),
        Edge(source="boarding", target="sailing", event="sail", actor=Actor.APPROVER),
        Edge(source="sailing", target="arrived", event="land", actor=Actor.SERVER),
        Edge(source="boarding", target="draft", event="recall", hazards=("sends them home",)),
        Edge(source="boarding", target="scrapped", event="scrap"),
    ),
    edits={
        "draft": EditRule(lands="draft"),
        "ready": EditRule(lands="draft", lead_back=True),
        "boarding": EditRule(via="draft", lands="draft", guard="reopen"),
        "arrived": EditRule(refusal="it is over"),
    },
    off_path=frozenset({"scrapped"}),
    finished=frozenset({"arrived", "scrapped"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FerryRules:
    """The rules of that server; ``unwilling`` is a refusal that every write meets."""

    unwilling: str = ""

    @property
    def shape(self) -> Shape:
        return SHAPE

    @property
    def lifecycle(self) -> Lifecycle:
        return LIFECYCLE

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        raise NotImplementedError(raw, desired, base)

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        assert base is ABSENT or base
        assert desired.spec
        return live

    def empty(self) -> dict[str, JSON]:
        value = zero(SHAPE)
        assert isinstance(value, dict)
        return value

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:
        raise NotImplementedError(spec)

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        return frozenset({"passengers"} if spec["note"] == "passengers" else ())

    def closes_at(self, spec: dict[str, JSON]) -> int:
        closes = spec["closes"]
        assert isinstance(closes, int)
        return closes

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        assert desired.spec.keys() <= spec.keys()
        request = Request(method="POST", path="/ferries", body=spec)
        made = Step(kind=StepKind.CREATE, request=request, summary="create")
        return Proposal(steps=(made,))

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        assert desired.spec.keys() <= spec.keys()
        steps = tuple(
            self.transition(move, live.id)
            if isinstance(move, Edge)
            else Step(
                kind=StepKind.UPDATE,
                request=Request(method="PUT", path=f"/ferries/{live.id}", body=spec),
                summary="write",
            )
            for move in moves
        )
        stays = bool(self.unwilling) and Move.WRITE in moves
        refusals = (Refusal(guard="frame", message=self.unwilling),) if stays else ()
        return Proposal(steps=steps, refusals=refusals)

    def remove(self, live: Live) -> tuple[Step, ...]:
        raise NotImplementedError(live)

    def transition(self, edge: Edge, id_: str) -> Step:
        return Step(
            kind=StepKind.TRANSITION,
            request=Request(method="POST", path=f"/ferries/{id_}/{edge.event}"),
            summary=f"{edge.source} -> {edge.target}",
            edge=edge,
        )


CREATED = f"/ferries/{NEW_ID}"
