"""Backends that are deliberately wrong, each in one way: copies of the real ones, spoilt in front.

They are what the contract is held against: one of them that keeps every promise shows a promise
that is missing.
"""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote

from contract.emulated import TOKEN
from planops.backends.brpm.answers import listed, record
from planops.backends.brpm.backend import BrpmBackend
from planops.backends.brpm.references import KINDS, Name
from planops.backends.brpm.wire import PLANS as BRPM
from planops.backends.exchange import Request as Call
from planops.backends.trees import Tree
from planops.backends.zadig.answers import payload
from planops.backends.zadig.backend import ZadigBackend
from planops.backends.zadig.listing import PAGE, Row, one_pass, page
from planops.backends.zadig.listing import Listing as WhichList
from planops.backends.zadig.wire import OPEN as ZADIG
from planops.core.changes import Request, Step, StepKind
from planops.core.compare import overlay
from planops.core.decide import Desired, Proposal, Rules
from planops.core.drafts import Draft
from planops.core.lifecycle import Edge, Lifecycle, Move
from planops.core.model import ABSENT, JSON, Live, Manage, Plan, Value
from planops.core.shape import Shape
from planops.errors import (
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    StateConflict,
)
from planops.ports import NOTHING, Backend, Inventory, Specs

Body: TypeAlias = Callable[[Any, Desired, Live | None], Any]
"""Spoils a request's body; it may change the copy that it gets."""
See: TypeAlias = Callable[[Live, "Desired | None"], Live]
"""Spoils what is seen of a plan."""


class Spoilt:
    """A backend before a real one; the kinds of it spoil one thing each."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        return self.inner.prepare(plans, applied)

    def describe(self, documents: Sequence[dict[str, JSON]]) -> tuple[Draft, ...]:
        return self.inner.describe(documents)

    @property
    def rules(self) -> Rules:
        return self.inner.rules

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        return self.inner.observe(names, ids)

    def read(self, id_: str) -> dict[str, JSON]:
        return self.inner.read(id_)

    def send(self, step: Step, id_: str | None) -> str:
        return self.inner.send(step, id_)


class SpoiltRules:
    """Rules before real ones."""

    def __init__(self, inner: Rules) -> None:
        self.inner = inner

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def lifecycle(self) -> Lifecycle:
        return self.inner.lifecycle

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        return self.inner.view(raw, desired, base)

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        return self.inner.reopened(live, desired, base)

    def empty(self) -> dict[str, JSON]:
        return self.inner.empty()

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:
        return self.inner.implied(spec)

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        return self.inner.facts(spec)

    def closes_at(self, spec: dict[str, JSON]) -> int:
        return self.inner.closes_at(spec)

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        return self.inner.create(desired, spec)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        return self.inner.propose(desired, live, spec, moves)

    def transition(self, edge: Edge, id_: str) -> Step:
        return self.inner.transition(edge, id_)

    def remove(self, live: Live) -> tuple[Step, ...]:
        return self.inner.remove(live)


# ---------------------------------------------------------------------------------- what is written


class WithRules(Spoilt):
    """A backend whose rules are spoilt."""

    def __init__(self, inner: Backend, spoil: Callable[[Rules], Rules]) -> None:
        super().__init__(inner)
        self.spoil = spoil

    @property
    def rules(self) -> Rules:
        return self.spoil(self.inner.rules)


class Bodies(SpoiltRules):
    """Writes other bodies than it should, and shows them as well."""

    def __init__(self, inner: Rules, body: Body) -> None:
        super().__init__(inner)
        self.body = body

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        return self._written(super().create(desired, spec), desired, None)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        return self._written(super().propose(desired, live, spec, moves), desired, live)

    def _written(self, proposal: Proposal, desired: Desired, live: Live | None) -> Proposal:
        return replace(
            proposal, steps=tuple(self._step(step, desired, live) for step in proposal.steps)
        )

    def _step(self, step: Step, desired: Desired, live: Live | None) -> Step:
        if step.kind not in {StepKind.CREATE, StepKind.UPDATE}:
            return step
        body = self.body(copy.deepcopy(step.request.body), desired, live)
        return replace(step, request=replace(step.request, body=body))


def fields(body: Any) -> Any:
    """The fields in a body, which BRPM wraps."""
    return body.get("plan", body)


def without(name: str) -> Body:
    """A field that is forgotten."""

    def spoil(body: Any, _: Desired, __: Live | None) -> Any:
        fields(body).pop(name, None)
        return body

    return spoil


def emptied(**empty: JSON) -> Body:
    """Fields that no file declares, sent empty by an update."""

    def spoil(body: Any, desired: Desired, live: Live | None) -> Any:
        if live is not None:
            fields(body).update({k: v for k, v in empty.items() if k not in desired.spec})
        return body

    return spoil


def approvers_appended(body: Any, _: Desired, live: Live | None) -> Any:
    held: Any = live.spec["approval"] if live else {}
    block = body.get("approval", {}).get("native_approval")
    if held and block:
        listed_ = {user["user_id"] for user in block["approve_users"]}
        kept = held["native_approval"]["approve_users"]
        block["approve_users"] += [user for user in kept if user["user_id"] not in listed_]
    return body


def teams_appended(body: Any, _: Desired, live: Live | None) -> Any:
    held: Any = live.spec["team_ids"] if live else []
    if "team_ids" in fields(body):
        fields(body)["team_ids"] = sorted({*fields(body)["team_ids"], *held})
    return body


NUMBERS = itertools.count()


def numbered(body: Any, _: Desired, __: Live | None) -> Any:
    fields(body)["request_number"] = next(NUMBERS)
    return body


class Overlaid(SpoiltRules):
    """Builds an update from the file alone, as if nothing were there."""

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        alone = overlay(self.shape, self.empty(), desired.spec)
        return super().propose(desired, live, alone if Move.WRITE in moves else spec, moves)


# ------------------------------------------------------------------------------------ what is seen


class Seeing(SpoiltRules):
    """Sees plans otherwise than they are."""

    def __init__(self, inner: Rules, see: See) -> None:
        super().__init__(inner)
        self.see = see

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        return self.see(super().view(raw, desired, base), desired)


def ageless(live: Live, _: Desired | None) -> Live:
    return replace(live, version=None, updated_at=0, updated_by="")


def never_put_back(live: Live, _: Desired | None) -> Live:
    return replace(live, put_back=False)


def agreeing(name: str) -> See:
    """A field that is said to be what the file wants."""

    def see(live: Live, desired: Desired | None) -> Live:
        wanted = desired.spec if desired else {}
        return replace(live, spec=live.spec | {k: v for k, v in wanted.items() if k == name})

    return see


def in_state(**states: str) -> See:
    """States that are taken for others."""

    def see(live: Live, _: Desired | None) -> Live:
        return replace(live, state=states.get(live.state, live.state))

    return see


def faithful(live: Live, _: Desired | None) -> Live:
    return replace(live, unfaithful=())


class Restless(SpoiltRules):
    """Writes a plan also where nothing of it is to be written."""

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        return super().propose(desired, live, spec, moves or (Move.WRITE,))


class Mutable(SpoiltRules):
    """Does not say which fields the server never changes."""

    @property
    def shape(self) -> Shape:
        whole = super().shape
        free = {name: replace(one, immutable=False) for name, one in whole.fields.items()}
        return replace(whole, fields=free)


class Stripping(SpoiltRules):
    """Strips documents that others hold, too."""

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        live = super().view(raw, desired, base)
        raw.pop("description", None)
        return live


class RemovingAtOnce(SpoiltRules):
    """Deletes without the steps that have to come before."""

    def remove(self, live: Live) -> tuple[Step, ...]:
        return super().remove(live)[-1:]


class RemovingAlways(SpoiltRules):
    """Tries to delete where the server does not allow it."""

    def remove(self, live: Live) -> tuple[Step, ...]:
        request = Request(method="DELETE", path=f"{BRPM}/{live.id}")
        delete = Step(kind=StepKind.DELETE, request=request, summary="delete the plan")
        return super().remove(live) or (delete,)


# -------------------------------------------------------------------------------------- the sending


class Insisting(Spoilt):
    """Repeats a write of a kind whose answer was lost."""

    def __init__(self, inner: Backend, kind: StepKind) -> None:
        super().__init__(inner)
        self.kind = kind

    def send(self, step: Step, id_: str | None) -> str:
        try:
            return super().send(step, id_)
        except OutcomeUnknown:
            if step.kind is not self.kind:
                raise
            return super().send(step, id_)


class Meddling(Spoilt):
    """Sends more than was shown."""

    def __init__(self, inner: Backend, kind: StepKind) -> None:
        super().__init__(inner)
        self.kind = kind

    def send(self, step: Step, id_: str | None) -> str:
        if step.kind is not self.kind:
            return super().send(step, id_)
        body = copy.deepcopy(step.request.body)
        fields(body)["sent_by"] = "planops"
        return super().send(replace(step, request=replace(step.request, body=body)), id_)


class Mistaken(Spoilt):
    """Takes the first plan that it knows for the one that was just made."""

    def send(self, step: Step, id_: str | None) -> str:
        if step.kind is StepKind.CREATE:
            super().send(step, id_)
            return super().observe([]).stubs[-1].id
        return super().send(step, id_)


class Stuttering(Spoilt):
    """Sends every event twice, and does not listen the second time."""

    def send(self, step: Step, id_: str | None) -> str:
        made = super().send(step, id_)
        if step.kind is StepKind.TRANSITION:
            with suppress(PlanopsError):
                super().send(step, id_)
        return made


class Forgetful(Spoilt):
    """Says that it has deleted, and has not."""

    def send(self, step: Step, id_: str | None) -> str:
        return id_ or "" if step.kind is StepKind.DELETE else super().send(step, id_)


class Believing(Spoilt):
    """Takes an accepted transition for one that was made, and shows the plan so."""

    def __init__(self, inner: Backend, field: str) -> None:
        super().__init__(inner)
        self.field, self.states = field, dict[str, str]()

    def send(self, step: Step, id_: str | None) -> str:
        made = super().send(step, id_)
        if step.edge is not None:
            self.states[made] = step.edge.target
        return made

    def read(self, id_: str) -> dict[str, JSON]:
        raw = super().read(id_)
        return raw | {self.field: self.states[id_]} if id_ in self.states else raw


class Misdirected(Spoilt):
    """Updates another plan than the one that it was asked to."""

    def send(self, step: Step, id_: str | None) -> str:
        others = [stub.id for stub in super().observe([]).stubs if stub.id != id_]
        if step.kind is StepKind.UPDATE and id_ and others:
            wrong = replace(step.request, path=step.request.path.replace(id_, others[0]))
            super().send(replace(step, request=wrong), others[0])
            return id_
        return super().send(step, id_)


class OneSpelling(Spoilt):
    """Knows only the first spelling of an event."""

    def send(self, step: Step, id_: str | None) -> str:
        return super().send(replace(step, fallback=None), id_)


class Translating(Spoilt):
    """Says other things than the server did: one kind of exception becomes another."""

    def __init__(
        self, inner: Backend, said: type[PlanopsError], told: Callable[[PlanopsError], PlanopsError]
    ) -> None:
        super().__init__(inner)
        self.said, self.told = said, told

    def send(self, step: Step, id_: str | None) -> str:
        try:
            return super().send(step, id_)
        except self.said as error:
            raise self.told(error) from None


class Shrugging(Spoilt):
    """Takes a lost answer for a good one."""

    def send(self, step: Step, id_: str | None) -> str:
        try:
            return super().send(step, id_)
        except OutcomeUnknown:
            return id_ or ""


# -------------------------------------------------------------------------------------- the reading


class Swallowing(Spoilt):
    """Takes a list that could not be read for an empty one."""

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        try:
            return super().observe(names, ids)
        except ServerSaidNo:
            return Inventory(stubs=(), documents={})


class Burying(Spoilt):
    """Takes a plan that could not be read for one that is gone."""

    def read(self, id_: str) -> dict[str, JSON]:
        try:
            return super().read(id_)
        except ServerSaidNo as error:
            raise PlanGone(str(error)) from None


class Resurrecting(Spoilt):
    """Shows a plan that is gone as it was when it was read last."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last = dict[str, dict[str, JSON]]()

    def read(self, id_: str) -> dict[str, JSON]:
        try:
            self.last[id_] = super().read(id_)
        except PlanGone:
            if id_ not in self.last:
                raise
        return self.last[id_]


class Alike(Spoilt):
    """Finds plans by names that are only similar."""

    def __init__(self, inner: Backend, form: Callable[[str], str]) -> None:
        super().__init__(inner)
        self.form = form

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        wanted = {self.form(name): name for name in names}
        stubs = super().observe([]).stubs
        found = super().observe({stub.name for stub in stubs if self.form(stub.name) in wanted})
        documents: dict[str, tuple[dict[str, JSON], ...]] = {}
        for name, held in found.documents.items():
            asked = wanted[self.form(name)]
            documents[asked] = (*documents.get(asked, ()), *held)
        return replace(super().observe([], ids), documents=documents)


class Listing(Spoilt):
    """Gives another inventory than it read."""

    def __init__(self, inner: Backend, spoil: Callable[[Inventory], Inventory]) -> None:
        super().__init__(inner)
        self.spoil = spoil

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        return self.spoil(super().observe(names, ids))


class Encoding(Spoilt):
    """Asks for names as they would stand in an address."""

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        return super().observe(map(quote, names), ids)


class Remembering(Spoilt):
    """Looks at the list only once."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.seen: Inventory | None = None

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        self.seen = self.seen or super().observe(names, ids)
        return self.seen


def without_ids(found: Inventory) -> Inventory:
    return replace(found, by_id={})


def named_unasked(found: Inventory) -> Inventory:
    names = {stub.id: stub.name for stub in found.stubs}
    unasked = {names[id_]: (raw,) for id_, raw in found.by_id.items()}
    return replace(found, documents=unasked | dict(found.documents))


def one_of_a_name(found: Inventory) -> Inventory:
    firsts = {name: documents[:1] for name, documents in found.documents.items()}
    return replace(found, documents=firsts)


def newest_first(found: Inventory) -> Inventory:
    turned = {name: documents[::-1] for name, documents in found.documents.items()}
    return replace(found, documents=turned)


def unranked(found: Inventory) -> Inventory:
    return replace(found, stubs=tuple(replace(stub, ordinal=1) for stub in found.stubs))


def doubled(found: Inventory) -> Inventory:
    return replace(found, stubs=(*found.stubs, *found.stubs[:1]))


class Probing(Spoilt):
    """Finds out by a write whether it may write."""

    def __init__(self, inner: Backend, path: str) -> None:
        super().__init__(inner)
        self.path = path

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        request = Request(method="POST", path=self.path, body={})
        with suppress(PlanopsError):
            super().send(Step(kind=StepKind.CREATE, request=request, summary="probe"), None)
        return super().observe(names, ids)


# ------------------------------------------------------------------------- the files, and the token


class Preparing(Spoilt):
    """Prepares other plans than the files declare."""

    def __init__(self, inner: Backend, spoil: Callable[[Desired], Desired]) -> None:
        super().__init__(inner)
        self.spoil = spoil

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        return tuple(map(self.spoil, super().prepare(plans, applied)))


def trusting(desired: Desired) -> Desired:
    return replace(desired, refusals=(), unwritable=())


def nulls_absent(desired: Desired) -> Desired:
    declared = desired.plan.spec
    kept = {name: value for name, value in desired.spec.items() if declared.get(name) is not None}
    return replace(desired, spec=kept)


def nulls_kept(desired: Desired) -> Desired:
    nulls: dict[str, JSON] = {
        name: value for name, value in desired.plan.spec.items() if value is None
    }
    return replace(desired, spec=desired.spec | nulls)


def unmanaged(desired: Desired) -> Desired:
    return replace(desired, plan=replace(desired.plan, manage=Manage()))


def made_up(desired: Desired) -> Desired:
    return replace(desired, spec={"description": "", **desired.spec})


class Sorting(Spoilt):
    """Prepares the plans in an order of its own."""

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        backwards = sorted(plans, key=lambda plan: plan.display_name, reverse=True)
        return super().prepare(backwards, applied)


class Talkative(Spoilt):
    """Tells in its exceptions with which token it called."""

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        try:
            return super().observe(names, ids)
        except PlanopsError as error:
            raise type(error)(f"{error} (token {TOKEN})") from None


class Echoing(Spoilt):
    """Repeats what the server said with the token in it, as it travels in an address."""

    def send(self, step: Step, id_: str | None) -> str:
        try:
            return super().send(step, id_)
        except PlanopsError as error:
            raise type(error)(f"{error} at ?token={quote(TOKEN, safe='')}") from None


class Logging(Spoilt):
    """Writes its addresses into a log that nobody looks at."""

    def read(self, id_: str) -> dict[str, JSON]:
        logging.getLogger("calls").debug("GET /plans/%s?token=%s", id_, TOKEN)
        return super().read(id_)


# ------------------------------------------------------------------------------------ inside of one


class FirstPage(ZadigBackend):
    """Takes the first page for the list."""

    def _rows(self, listing: WhichList) -> Sequence[Row]:
        return tuple(page(listing, self._read, 1, PAGE).rows.values())


class OnePass(ZadigBackend):
    """Takes one pass over the pages for a snapshot."""

    def _rows(self, listing: WhichList) -> Sequence[Row]:
        return one_pass(listing, self._read, 1) or ()


class AnyZadigId(ZadigBackend):
    """Asks for whatever it is given."""

    def read(self, id_: str) -> dict[str, JSON]:
        return payload(self._read(f"{ZADIG}/{quote(id_, safe='') or 'x'}"), "GET")


class Unarchived(BrpmBackend):
    """Does not ask for archived plans."""

    def _archived(self, known: Sequence[Tree], *query: tuple[str, str]) -> list[Tree]:  # noqa: ARG002
        return []


class Unproven(BrpmBackend):
    """Takes a 404 of the list for no plans, whatever the address."""

    def _prove(self) -> None:
        pass


class Unfiltered(BrpmBackend):
    """Believes that a filter gives what it was asked for."""

    def _look_up(self, name: Name) -> tuple[int, ...] | None:
        kind = next(kind for kind in KINDS if kind.field == name[0])
        query = ((f"filters[{kind.filter}]", name[1]),)
        rows = self._list(f"/v1/{kind.resource}", query)
        return tuple(int(str(row["id"])) for row in rows[:1])


class Lenient(BrpmBackend):
    """Takes an error page of the list for an empty list."""

    def _list(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> list[Tree]:
        answer = self._http.read(Call(method="GET", path=path, query=query))
        try:
            return listed(answer, path)
        except PlanopsError:
            return []


class AnyBrpmId(BrpmBackend):
    """Asks for whatever it is given."""

    def read(self, id_: str) -> dict[str, JSON]:
        path = f"{BRPM}/{quote(id_, safe='') or 'x'}"
        return record(self._http.read(Call(method="GET", path=path)), "GET")


def bodies(body: Body) -> Callable[[Backend], Backend]:
    return lambda inner: WithRules(inner, lambda rules: Bodies(rules, body))


def seeing(see: See) -> Callable[[Backend], Backend]:
    return lambda inner: WithRules(inner, lambda rules: Seeing(rules, see))


def ruled(spoil: Callable[[Rules], Rules]) -> Callable[[Backend], Backend]:
    return lambda inner: WithRules(inner, spoil)


def failed(_: PlanopsError) -> PlanopsError:
    return ServerSaidNo("something went wrong")


def plainly(error: PlanopsError) -> PlanopsError:
    return ServerSaidNo(str(error))


Spoil: TypeAlias = Callable[[Backend], Backend]
"""Spoils a backend."""
SHARED: Mapping[str, tuple[Spoil, str, str]] = {
    "a creation repeated after a lost answer": (
        lambda inner: Insisting(inner, StepKind.CREATE),
        "a_lost_creation_makes_one_plan[dropped after]",
        "{repeated}",
    ),
    "an update repeated after a lost answer": (
        lambda inner: Insisting(inner, StepKind.UPDATE),
        "a_lost_update_is_looked_up[a 5xx after]",
        "never shown",
    ),
    "a creation repeated without a look": (
        lambda inner: Insisting(inner, StepKind.CREATE),
        "a_lost_answer_without_a_look_is_unknown",
        "",
    ),
    "an event repeated after a lost answer": (
        lambda inner: Insisting(inner, StepKind.TRANSITION),
        "a_lost_transition_is_looked_up[dropped after]",
        "",
    ),
    "more in a creation than was shown": (
        lambda inner: Meddling(inner, StepKind.CREATE),
        "a_creation_is_what_was_shown",
        "there came POST",
    ),
    "more in an update than was shown": (
        lambda inner: Meddling(inner, StepKind.UPDATE),
        "a_walk_is_what_was_shown",
        "there came P",
    ),
    "another plan taken for the new one": (Mistaken, "a_new_plan_is_walked_to_its_goal", ""),
    "a write where nothing differs": (
        ruled(Restless),
        "what_is_equal_is_not_written",
        "",
    ),
    "ids that are not looked for": (
        lambda inner: Listing(inner, without_ids),
        "a_plan_is_found_by_its_id",
        "found set()",
    ),
    "names that nobody asked for": (
        lambda inner: Listing(inner, named_unasked),
        "a_name_has_all_of_its_plans",
        "nobody asked for",
    ),
    "names encoded before they are asked for": (
        Encoding,
        "a_name_is_found_again[#1 of 2?x=y]",
        "",
    ),
    "a list that is remembered": (
        Remembering,
        "a_plan_made_meanwhile_is_not_made_again",
        "expected stale",
    ),
    "an edit of others hidden": (
        seeing(agreeing("description")),
        "what_others_change_is_seen",
        "the differences are ()",
    ),
    "null kept apart from empty": (
        lambda inner: Preparing(inner, nulls_kept),
        "two_spellings_are_one_wish[null and empty]",
        "",
    ),
    "ignored fields compared": (
        lambda inner: Preparing(inner, unmanaged),
        "an_ignored_field_is_sent_once",
        "finds differences in /spec/description",
    ),
    "an event sent twice": (Stuttering, "a_goal_is_walked_to", "there came"),
    "a lost answer taken for a refusal": (
        lambda inner: Translating(inner, OutcomeUnknown, plainly),
        "a_lost_update_is_looked_up[truncated]",
        "it was failed",
    ),
    "a lost answer taken for a good one": (
        Shrugging,
        "a_lost_update_is_looked_up[dropped before]",
        "expected unknown",
    ),
    "a refusal without its reason": (
        lambda inner: Translating(inner, ServerSaidNo, failed),
        "a_refusal_is_told",
        "reason is not told",
    ),
    "a state's refusal taken for any other": (
        lambda inner: Translating(inner, StateConflict, plainly),
        "being_there_already_is_success",
        "it was failed",
    ),
    "the wrong id": (Misdirected, "other_plans_are_untouched", "were touched"),
    "a removal that is only said": (Forgetful, "a_removed_plan_is_gone[{working}]", "there came"),
    "a plan that is gone shown again": (
        Resurrecting,
        "a_removed_plan_is_gone[{working}]",
        "can still be read",
    ),
    "an error swallowed": (
        Swallowing,
        "a_part_is_no_inventory[a page for people]",
        "taken for the whole",
    ),
    "a failure taken for an absence": (
        Burying,
        "a_failure_is_not_an_absence",
        "said to be gone",
    ),
    "names compared whatever their case": (
        lambda inner: Alike(inner, str.casefold),
        "names_are_compared_exactly[Checkout not checkout]",
        "the inventory holds",
    ),
    "one of two plans of a name": (
        lambda inner: Listing(inner, one_of_a_name),
        "two_plans_of_one_name_are_refused",
        "found were",
    ),
    "plans of a name in the wrong order": (
        lambda inner: Listing(inner, newest_first),
        "two_plans_of_one_name_are_refused",
        "found were",
    ),
    "plans that are not ranked": (
        lambda inner: Listing(inner, unranked),
        "the_inventory_is_whole",
        "does not rank higher",
    ),
    "a plan listed twice": (
        lambda inner: Listing(inner, doubled),
        "the_inventory_is_whole",
        "listed twice",
    ),
    "the age of a plan ignored": (
        seeing(ageless),
        "a_stale_change_is_not_applied[saved]",
        "expected stale",
    ),
    "the age of a plan left out of the fingerprint": (
        seeing(ageless),
        "moved_ground_has_another_fingerprint[saved]",
        "what it was",
    ),
    "a difference hidden": (
        seeing(agreeing("description")),
        "an_edit_converges[description]",
        "the differences are []",
    ),
    "a document changed by looking": (
        ruled(Stripping),
        "a_document_is_only_read",
        "the document was changed",
    ),
    "a body that is another each time": (
        bodies(numbered),
        "equal_ground_has_one_fingerprint",
        "two fingerprints",
    ),
    "null taken for absent": (
        lambda inner: Preparing(inner, nulls_absent),
        "an_edit_converges[description null]",
        "the differences are []",
    ),
    "a field that no file declares": (
        lambda inner: Preparing(inner, made_up),
        "plans_are_prepared_in_order",
        "no file declares description",
    ),
    "plans prepared in another order": (Sorting, "plans_are_prepared_in_order", "another order"),
    "a wrong reference let through": (
        lambda inner: Preparing(inner, trusting),
        "a_wrong_reference_is_refused[manager]",
        "expected refused",
    ),
    "the token in an exception": (
        Talkative,
        "the_token_is_never_shown[lists fail]",
        "the token is shown",
    ),
    "the token in an address that is told": (
        Echoing,
        "the_token_is_never_shown[answers are lost]",
        "the token is shown",
    ),
    "the token in a log": (
        Logging,
        "the_token_is_never_shown[reads fail]",
        "the token is shown",
    ),
}
"""What can be wrong with any backend: how, at which check it shows, and what that says.

``{working}`` is a state in which people are at work, ``{repeated}`` what a repeated creation says.
"""
