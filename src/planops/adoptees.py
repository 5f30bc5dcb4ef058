"""Which plans are to be adopted: what a user types, or all that nobody owns.

A word is the key of a file, or the id, the name, or the name's key form of a plan on the server;
``KEY=PLAN`` chooses the key. What means several plans is refused with their ids. Decides nothing
about fields; reads the inventory and the ledger, and no plan in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from planops.core.ledger import Book
from planops.core.model import Plan
from planops.errors import PlanGone, ServerSaidNo, UsageWrong
from planops.manifests.planting import KEY, WANTED, slug
from planops.manifests.wording import code
from planops.ports import Stub
from planops.run import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is there at one target: the files' plans, the server's, and who owns which.

    ``owners`` maps the ids of plans to the keys that own them by the ledger, or by name where names
    are enough.
    """

    target: Target
    plans: Mapping[str, Plan]
    stubs: tuple[Stub, ...]
    owners: Mapping[str, str]
    book: Book | None = None

    def named(self, name: str) -> list[Stub]:
        """Give the server's plans of a name."""
        return [stub for stub in self.stubs if stub.name == name]

    def file_of(self, name: str) -> Plan | None:
        """Give the file that declares a plan of this name and owns none yet."""
        owning = set(self.owners.values())
        found = (p for p in self.plans.values() if p.display_name == name)
        return next((plan for plan in found if plan.key.name not in owning), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One plan to adopt: ``stub`` of the server, for the file of ``plan``, or for one to be made.

    ``key`` is the key that was asked for, empty where none was. ``owner`` is who owns it already,
    ``refusal`` why it cannot be adopted; then nothing else is sure.
    """

    word: str
    stub: Stub | None = None
    plan: Plan | None = None
    key: str = ""
    owner: str = ""
    refusal: str = ""


def survey(target: Target, plans: Sequence[Plan]) -> Survey:
    """Read ledger and inventory. Raises as both do."""
    book = target.keeping.ledger.load() if target.keeping else None
    stubs = target.backend.observe(()).stubs
    by_key = {plan.key.name: plan for plan in plans}
    owners = dict[str, str]()
    if book is None and target.by_name:
        named = {plan.display_name: key for key, plan in by_key.items()}
        owners = {stub.id: named[stub.name] for stub in stubs if stub.name in named}
    there = {stub.id for stub in stubs}
    for record in book.records.values() if book else ():
        if record.url == target.url and (record.id in there or not _is_gone(target, record.id)):
            owners[record.id] = record.key
    return Survey(
        target=target,
        plans=by_key,
        stubs=tuple(sorted(stubs, key=lambda stub: stub.ordinal)),
        owners=owners,
        book=book,
    )


def _is_gone(target: Target, id_: str) -> bool:
    """Tell whether a plan that no list shows is gone: the server must say so itself."""
    try:
        target.backend.read(id_)
    except PlanGone:
        return True
    except ServerSaidNo:
        return False
    return False


def unowned(of: Survey) -> Iterator[Wanted]:
    """Give every plan that nobody owns, oldest first; those that share a name are refused."""
    free = [stub for stub in of.stubs if stub.id not in of.owners]
    for stub in free:
        alike = of.named(stub.name)
        if len(alike) > 1:
            yield Wanted(word=stub.name, stub=stub, refusal=_several(stub.name, alike, of))
        else:
            yield _of_stub(of, stub, stub.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """What a word means at one target: a file, or plans of the server."""

    plan: Plan | None = None
    stubs: tuple[Stub, ...] = ()
    key: str = ""
    how: str = field(default="", compare=False)


def chosen(words: Sequence[str], surveys: Sequence[Survey]) -> dict[str, list[Wanted]]:
    """Find out what each word means, at which target.

    Raises:
        UsageWrong: a word means nothing, or something at several targets, or holds no key.
    """
    found: dict[str, list[Wanted]] = {of.target.name: [] for of in surveys}
    for word in dict.fromkeys(words):
        meanings = [(of, meant) for of in surveys if (meant := _meaning(of, word)) is not None]
        if not meanings:
            where = ", ".join(found) or "no target could be read"
            raise UsageWrong(
                f"adopt {code(word)}: no file and no plan on the server is called so ({where});"
                " name a file's key, or a plan's id or name"
            )
        if len(meanings) > 1:
            names = " and ".join(of.target.name for of, _ in meanings)
            raise UsageWrong(
                f"adopt {code(word)}: {names} have such a plan; say which with --target"
            )
        (of, meant) = meanings[0]
        found[of.target.name].append(_wanted(of, word, meant))
    return found


def _meaning(of: Survey, word: str) -> _Meaning | None:
    """Read a word; a whole name that holds an equals sign is a name all the same."""
    if word in of.plans:
        plan = of.plans[word]
        return _Meaning(plan=plan, stubs=tuple(of.named(plan.display_name)), key=word)
    stubs = _matching(of, word)
    if stubs:
        return _Meaning(stubs=stubs)
    key, equals, rest = word.partition("=")
    stubs = _matching(of, rest) if equals else ()
    if not stubs:
        return None
    if KEY.fullmatch(key) is None:
        raise UsageWrong(f"adopt {code(word)}: {code(key)} is no key; write {WANTED}")
    return _Meaning(plan=of.plans.get(key), stubs=stubs, key=key)


def _matching(of: Survey, word: str) -> tuple[Stub, ...]:
    for match in (
        lambda stub: stub.id == word,
        lambda stub: stub.name == word,
        lambda stub: slug(stub.name, stub.id) == word,
    ):
        found = tuple(filter(match, of.stubs))
        if found:
            return found
    return ()


def _wanted(of: Survey, word: str, meant: _Meaning) -> Wanted:
    plan, key = meant.plan, meant.key
    owned = {owner: id_ for id_, owner in of.owners.items()}
    if key in owned:
        mine = [stub for stub in meant.stubs if stub.id == owned[key]]
        if mine or word in of.plans:
            stub = next((one for one in of.stubs if one.id == owned[key]), None)
            return Wanted(word=word, stub=stub, plan=plan, key=key, owner=key)
        return Wanted(
            word=word,
            key=key,
            refusal=f"the key {key} is taken: it is the plan {owned[key]}; choose another key",
        )
    if not meant.stubs:
        name = plan.display_name if plan else word
        again = " --allow recreate" if of.book and key in of.book.records else ""
        return Wanted(
            word=word,
            plan=plan,
            key=key,
            refusal=f"no plan on the server is named {name!r}, so there is nothing to adopt;"
            f" planops apply{again} makes it",
        )
    if len(meant.stubs) > 1:
        return Wanted(
            word=word, plan=plan, key=key, refusal=_several(word, meant.stubs, of, key=key)
        )
    return _of_stub(of, meant.stubs[0], word, plan=plan, key=key)


def _of_stub(
    of: Survey, stub: Stub, word: str, *, plan: Plan | None = None, key: str = ""
) -> Wanted:
    """Adopt one plan of the server: for its file, where one declares it, else for a new one."""
    owner = of.owners.get(stub.id, "")
    if owner:
        again = key not in ("", owner)
        why = f"the plan {stub.id} is adopted already, as {owner}" if again else ""
        return Wanted(
            word=word, stub=stub, plan=of.plans.get(owner), key=owner, owner=owner, refusal=why
        )
    alike = of.named(stub.name)
    if of.book is None and len(alike) > 1:
        why = f"{_several(stub.name, alike, of)}, once only one of them is named so: names are all"
        return Wanted(word=word, stub=stub, refusal=f"{why} that tells plans apart here")
    declaring = plan or of.file_of(stub.name)
    if key and declaring is not None and declaring.key.name != key:
        why = (
            f"{declaring.source.file} declares a plan of the name {stub.name!r} already, as"
            f" {declaring.key.name}; planops adopt {declaring.key.name}"
        )
        return Wanted(word=word, stub=stub, plan=declaring, key=key, refusal=why)
    taken = next((p for p in of.plans.values() if p.display_name == stub.name), None)
    if declaring is None and taken is not None:
        why = (
            f"{taken.source.file} declares the name {stub.name!r} for another plan,"
            f" {taken.key.name}; rename one of the two"
        )
        return Wanted(word=word, stub=stub, key=key, refusal=why)
    return Wanted(
        word=word, stub=stub, plan=declaring, key=declaring.key.name if declaring else key
    )


def _several(word: str, stubs: Iterable[Stub], of: Survey, *, key: str = "") -> str:
    """Name the plans that one word means, and what to type instead."""
    found = list(stubs)
    listed = " and ".join(f"{stub.id} ({stub.name})" for stub in found)
    free = next((stub.id for stub in found if stub.id not in of.owners), found[0].id)
    typed = f"{key}={free}" if key else free
    return (
        f"{len(found)} plans on the server are called {word!r}: {listed}; say which by its id:"
        f" planops adopt {typed}"
    )
