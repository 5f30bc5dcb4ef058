"""People: accounts in files become the server's user ids, once a run.

The look-up needs a system administrator's token (docs/servers/zadig.md §8.5). Without it managers
are told apart by spelling, and approvers must be declared by ``user_id``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from planops.backends.trees import Tree, rows, tree
from planops.backends.zadig.repositories import with_remotes
from planops.core.decide import Desired
from planops.core.lifecycle import Refusal
from planops.core.model import JSON, Plan
from planops.core.shape import Shape, cleared


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the server: id and display name."""

    uid: str
    name: str


Account: TypeAlias = tuple[str, str]
"""Account and identity type; an empty type is the server's default."""
Found: TypeAlias = Mapping[Account, "tuple[Person, ...] | None"]
"""Who was found; ``None`` where the token may not look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The accounts that plans name, each once."""

    accounts: tuple[Account, ...]

    @classmethod
    def of(cls, plans: Iterable[Plan], before: Iterable[Mapping[str, JSON]] = ()) -> Directory:
        """Collect the accounts of managers and approvers, and of managers applied before."""
        named = {account for plan in plans for account in _named(plan)}
        named |= {_manager(spec) for spec in before if spec.get("manager")}
        return cls(accounts=tuple(sorted(named)))


def _named(plan: Plan) -> Iterator[Account]:
    yield _manager(plan.spec)
    for user in _users(plan.spec):
        name = user.get("account") or (user.get("user_name") if user.get("user_id") else None)
        if isinstance(name, str):
            yield (name, "")


def _manager(spec: Mapping[str, JSON]) -> Account:
    return (str(spec["manager"]), str(spec.get("manager_identity_type") or ""))


def _users(spec: Mapping[str, JSON]) -> list[Tree]:
    native = tree(tree(spec.get("approval")).get("native_approval"))
    return rows(native.get("approve_users"))


def resolved(
    plan: Plan, found: Found, shape: Shape, before: Mapping[str, JSON] | None = None
) -> Desired:
    """Make a spec canonical: people by id, ``null`` as the server keeps it, inputs complete.

    ``before`` is the spec that was last applied, whose manager is told by id as well.
    """
    refusals: list[Refusal] = []
    spec = dict(plan.spec)
    people = _before(before or {}, found) | _people(plan, found, refusals)
    if _users(spec):
        users: list[JSON] = [_user(user, found, refusals) for user in _users(spec)]
        approval = tree(spec["approval"])
        native = tree(approval["native_approval"]) | {"approve_users": users}
        spec["approval"] = approval | {"native_approval": native}
    if isinstance(spec.get("jobs"), list):
        jobs: list[JSON] = [_job(job) for job in rows(spec["jobs"])]
        spec["jobs"] = jobs
    return Desired(plan=plan, spec=tree(cleared(shape, spec)), ids=people, refusals=tuple(refusals))


def _before(spec: Mapping[str, JSON], found: Found) -> dict[str, str]:
    account = _manager(spec) if spec.get("manager") else ("", "")
    who = found.get(account) or ()
    return {account[0]: who[0].uid} if len(who) == 1 else {}


def _people(plan: Plan, found: Found, refusals: list[Refusal]) -> dict[str, str]:
    account = _manager(plan.spec)
    who = found.get(account)
    if who is None:
        return {}
    if len(who) != 1:
        refusals.append(_nobody("manager", account[0], len(who)))
        return {}
    return {account[0]: who[0].uid}


def _nobody(role: str, account: str, count: int) -> Refusal:
    how_many = "nobody on the server has" if count == 0 else f"{count} users of the server have"
    return Refusal(guard="identity", message=f"{how_many} the account {account}, named as {role}")


def _user(user: Tree, found: Found, refusals: list[Refusal]) -> JSON:
    """Give an approver by id; the display name goes along where it is known."""
    if user.get("type") in ("group", "task_creator"):
        return dict(user)
    kept = {name: value for name, value in user.items() if name != "account"}
    kept["type"] = "user"
    account = user.get("account")
    if isinstance(account, str):
        return kept | _by_account(account, user, found.get((account, "")), refusals)
    _check_name(user, found, refusals)
    return kept


def _by_account(
    account: str, user: Tree, who: tuple[Person, ...] | None, refusals: list[Refusal]
) -> Tree:
    if who is None:
        message = (
            f"the token may not look up users, so the approver {account} has no id;"
            " declare user_id instead of account"
        )
        refusals.append(Refusal(guard="identity", message=message))
        return {}
    if len(who) != 1:
        refusals.append(_nobody("approver", account, len(who)))
        return {}
    person = who[0]
    named = user.get("user_name")
    if named not in (None, "", person.name, account):
        message = f"the account {account} belongs to {person.name}, not to {named}"
        refusals.append(Refusal(guard="identity", message=message))
    return {"user_id": person.uid, "user_name": named or person.name}


def _check_name(user: Tree, found: Found, refusals: list[Refusal]) -> None:
    """Refuse an id beside the name of somebody else's account, as far as that can be told."""
    name, uid = user.get("user_name"), user.get("user_id")
    who: Sequence[Person] = found.get((str(name), "")) or ()
    if name and len(who) == 1 and who[0].uid != uid:
        message = f"the account {name} has the id {who[0].uid}, not {uid}, beside which it stands"
        refusals.append(Refusal(guard="identity", message=message))


def _job(job: Tree) -> JSON:
    """Declaring a workflow job declares all of its inputs; none named means that none runs."""
    if job.get("type") != "workflow":
        return dict(job)
    spec = with_remotes(tree(job.get("spec")))
    return job | {"spec": {"inputs": []} | tree(spec)}
