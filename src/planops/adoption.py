"""What adopting a plan would write: its file, a record of whose it is, and the proof of both.

A file is drafted only where the diff after it is proven to be empty; what no file can say is
refused, and stops no other plan. ``state`` is left out: adopting a plan never moves it. Writes
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from planops.adoptees import Survey, Wanted
from planops.core.changes import Cause, Change, ChangeKind
from planops.core.decide import Circumstances, Desired, Memory, decide
from planops.core.drafts import Draft
from planops.core.ledger import Origin, Record
from planops.core.lifecycle import Refusal, Route, Standing
from planops.core.masking import secrets_of
from planops.core.model import JSON, Live, Plan, PlanKey, Severity, Source, escape
from planops.core.records import applied
from planops.core.report import Outcome
from planops.errors import FilesWrong, PlanopsError, SettingsWrong, UsageWrong
from planops.manifests import planting
from planops.manifests.load import load_text
from planops.manifests.schemas import KIND_OF
from planops.manifests.settings import Config
from planops.run import Run, Target

Raw = dict[str, JSON]
_SHORTEST = 4
"""Shorter secrets are left alone: every `true` would count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Where new files go: the settings, a folder below theirs, and what this run has placed."""

    config: Config
    below: str
    files: set[str] = field(default_factory=set)

    def place(self, stub_name: str, stub_id: str, key: str, taken: set[str]) -> tuple[str, str]:
        """Choose key and file. Raises ``UsageWrong`` where there is no place."""
        file = ""
        for one in (key,) if key else planting.keys_for(stub_name, stub_id):
            file = planting.file_for(self.config, self.below, one)
            free = file not in self.files and not planting.there(self.config.root, file)
            if free and one not in taken:
                taken.add(one)
                self.files.add(file)
                return one, file
        raise UsageWrong(
            f"{file}: something is there already, and stays; choose a key with KEY=PLAN"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoptee:
    """One plan on its way to a file: what is shown of it, what is written, what is recorded."""

    change: Change
    id: str = ""
    text: str = ""
    record: Record | None = None
    outcome: Outcome = Outcome.PENDING
    error: str = ""

    @property
    def file(self) -> str:
        """The plan's file."""
        return self.change.plan.source.file

    @property
    def agrees(self) -> bool:
        """Tell that file and server say the same, as far as the server lets us see."""
        return all(delta.cause is Cause.UNKNOWN for delta in self.change.deltas)


def possible(target: Target) -> None:
    """Raise ``SettingsWrong`` where nothing would remember that a plan is a file's."""
    if target.keeping is None and not target.by_name:
        raise SettingsWrong(
            f"target {target.name}: it keeps no ledger, and names are not enough here, so that"
            " nothing would say whose an adopted plan is; set ledger: {mode: git}, or"
            " adopt-by-name: true, in planops.yaml, or say --adopt-by-name"
        )


def looked(
    of: Survey, wanted: Sequence[Wanted], plot: Plot, run: Run, *, finished: bool
) -> tuple[list[Adoptee], int]:
    """Draft a file for each plan that has none, and prove it; give how many finished ones are not.

    ``finished``: plans that nothing leaves any more are adopted too.
    """
    backend, table = of.target.backend, of.target.backend.rules.lifecycle
    asked = [one for one in wanted if one.stub and not (one.owner or one.refusal)]
    ids = [one.stub.id for one in asked if one.stub]
    raws = backend.observe((), ids).by_id if ids else {}
    over = set[str]() if finished else {i for i in raws if _state(of, raws[i]) in table.finished}
    new = [i for one, i in zip(asked, ids, strict=True) if one.plan is None and i not in over]
    drafts = dict(zip(new, backend.describe([raws[i] for i in new]), strict=True))
    taken = {*of.plans, *of.owners.values(), *(of.book.records if of.book else ())}
    rough = [
        _kept_secret(_drafted(of, one, drafts, plot, taken), raws)
        for one in wanted
        if one.stub is None or one.stub.id not in over
    ]
    plans = [one.change.plan for one in rough if one.outcome is Outcome.PENDING]
    desired = {item.plan.key: item for item in backend.prepare(plans)}
    found = [
        _proven(of, one, desired[one.change.key], raws[one.id], run)
        if one.change.key in desired and one.outcome is Outcome.PENDING
        else one
        for one in rough
    ]
    return found, len(over)


def _state(of: Survey, raw: Raw) -> str:
    return of.target.backend.rules.view(raw, None).state


def _drafted(
    of: Survey, one: Wanted, drafts: Mapping[str, Draft], plot: Plot, taken: set[str]
) -> Adoptee:
    """Choose the file of one plan and write its text, which nothing has proven yet."""
    if one.owner and not one.refusal:
        blank = _blank(of, one, _recorded(of, one.owner))
        notices = (f"adopted already, as {one.owner} ({_owning(blank.file, here=bool(one.plan))})",)
        return replace(
            blank, outcome=Outcome.UNCHANGED, change=replace(blank.change, notices=notices)
        )
    if one.refusal or one.stub is None:
        return _refused(_blank(of, one, _recorded(of, one.owner)), one.refusal)
    if one.plan is not None:
        return Adoptee(change=_change(one.plan), id=one.stub.id)
    draft = drafts[one.stub.id]
    try:
        key, file = plot.place(one.stub.name, one.stub.id, one.key, taken)
        kind = KIND_OF[of.target.kind]
        names = (of.target.name, key)
        text = planting.text(plot.config, file, kind, names, draft.spec)
    except (UsageWrong, FilesWrong) as error:
        return _refused(_blank(of, one), str(error))
    loaded = load_text(text.encode(), file, plot.config)
    wrong = [p for p in loaded.problems if p.severity is Severity.ERROR]
    why = [*draft.refusals, *(f"{p.message}; {p.hint}".rstrip("; ") for p in wrong)]
    if why or not loaded.plans:
        blank = _blank(of, replace(one, key=key), file)
        return _refused(blank, *why, notices=draft.notices)
    change = replace(_change(loaded.plans[0]), notices=draft.notices)
    return Adoptee(change=change, id=one.stub.id, text=text)


def _recorded(of: Survey, key: str) -> str:
    """Name the file that a key was last applied from, as far as a ledger knows."""
    record = of.book.records.get(key) if of.book else None
    return record.origin.file if record else ""


def _owning(file: str, *, here: bool) -> str:
    if here:
        return file
    return (
        f"{file or 'its file'}, which is gone or declares it no more: write or restore a file with"
        " this key, and it is that file's again"
    )


def _kept_secret(one: Adoptee, raws: Mapping[str, Raw]) -> Adoptee:
    """Refuse a file that would hold a secret, wherever else the server shows it in clear."""
    secrets = {s for s in secrets_of(raws.get(one.id)) if len(s) >= _SHORTEST} if one.text else ()
    paths = sorted(_holding(dict(one.change.plan.spec), secrets, "/spec"))
    if not paths:
        return one
    why = (
        f"{', '.join(paths)} holds what the server calls a credential elsewhere in the plan, and no"
        " file gets that; take it out there, or write the file by hand"
    )
    return _refused(one, why, notices=one.change.notices)


def _holding(value: JSON, secrets: Collection[str], path: str) -> Iterator[str]:
    """Name the places where a value is one of these."""
    if isinstance(value, dict):
        for name, sub in value.items():
            yield from _holding(sub, secrets, f"{path}/{escape(name)}")
    elif isinstance(value, list):
        for place, sub in enumerate(value):
            yield from _holding(sub, secrets, f"{path}/{place}")
    elif isinstance(value, str) and value in secrets:
        yield path


def _blank(of: Survey, one: Wanted, file: str = "") -> Adoptee:
    """Stand for a plan of which no file says anything."""
    name = one.stub.name if one.stub else one.word
    id_ = one.stub.id if one.stub else ""
    plan = one.plan or Plan(
        key=PlanKey(target=of.target.name, name=one.key or planting.slug(name, id_)),
        kind=KIND_OF[of.target.kind],
        spec={"name": name},
        source=Source(file=file),
    )
    return Adoptee(change=replace(_change(plan), kind=ChangeKind.UNCHANGED), id=id_)


def _change(plan: Plan) -> Change:
    return Change(
        key=plan.key,
        kind=ChangeKind.ADOPT,
        plan=plan,
        live=None,
        deltas=(),
        route=Route(standing=Standing.UNMANAGED),
        steps=(),
    )


def _refused(one: Adoptee, *why: str, notices: Sequence[str] = ()) -> Adoptee:
    refusals = tuple(Refusal(guard="adopt", message=message) for message in dict.fromkeys(why))
    change = replace(one.change, refusals=refusals, notices=tuple(notices))
    return replace(one, change=change, outcome=Outcome.REFUSED, text="")


def _proven(of: Survey, one: Adoptee, desired: Desired, raw: Raw, run: Run) -> Adoptee:
    """Decide as the next diff will; a new file must leave nothing to say."""
    target, key = of.target, desired.plan.key.name
    damage = next((d for d in of.book.damages if d.key == key), None) if of.book else None
    if damage is not None:
        return _refused(one, f"its record cannot be used: {damage.path}: {damage.why}")
    rules = target.backend.rules
    try:
        live = rules.view(raw, desired)
        record = _record(target, desired, live, run)
        # No base and no echo: what the file says is held against the server as it is.
        known = Memory(spec={}, goal=record.goal, reached=record.reached)
        at = Circumstances(now=run.now, memory=known, drift=target.drift)
        decided = decide(rules, desired, live, at)
    except PlanopsError as error:
        return replace(one, outcome=Outcome.FAILED, error=str(error))
    if one.text:
        why = [*_against(decided, desired, live)]
        if why:
            return _refused(replace(one, id=live.id), *why, notices=one.change.notices)
    if not replace(one, change=decided).agrees:
        record = replace(record, spec={}, echo={})  # what differs stays an edit of the file
    if live.put_back and record.goal in rules.lifecycle.path:
        record = replace(record, reached=record.goal)  # somebody put it back: it is left alone
    change = replace(
        one.change,
        live=live,
        deltas=decided.deltas,
        notices=(*_deeds(target, one), *one.change.notices),
    )
    return replace(one, change=change, record=record if target.keeping else None)


def _deeds(target: Target, one: Adoptee) -> Iterator[str]:
    if one.text:
        yield f"writes {one.file}, {one.text.count(chr(10))} lines"
    if target.keeping is None:
        yield "records nothing: there is no ledger, and names are enough here"
    else:
        yield f"records that the plan {one.id} is that of {one.file}"


def _against(decided: Change, desired: Desired, live: Live) -> Iterator[str]:
    """Say what would be left to say of a plan once its new file is there."""
    refusals = (*desired.refusals, *desired.unwritable, *decided.refusals)
    yield from (refusal.message for refusal in refusals)
    yield from live.unfaithful
    paths = [d.path for d in decided.deltas if d.cause is not Cause.UNKNOWN]
    if paths or decided.steps:
        yield (
            "no file can say what the server holds: the next diff would not be empty, for"
            f" {', '.join(paths) or 'its state'}; write the file by hand, then planops adopt"
            f" {desired.plan.key.name}"
        )


def _record(target: Target, desired: Desired, live: Live, run: Run) -> Record:
    rules = target.backend.rules
    return applied(
        desired=desired,
        live=live,
        echo=live.spec,
        url=target.url,
        origin=Origin(commit=run.commit, file=desired.plan.source.file),
        before=None,
        table=rules.lifecycle,
        shape=rules.shape,
        secrets=secrets_of(dict(desired.plan.spec), dict(live.raw)),
        ignored=(*desired.plan.manage.ignore, *live.unseen),
    )
