"""Users, their groups, tokens and permissions (docs/servers/zadig.md §8.5, §10).

Accounts are compared whatever their case, as the server's database usually does.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.store import Store
from planops.sandbox.zadig.traits import Traits

ALL_EDITS = frozenset({"EditMetadata", "EditApproval", "EditSubtasks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person: ``account`` logs in, ``name`` is displayed, ``uid`` identifies."""

    uid: str
    account: str
    name: str
    identity_type: str = "system"
    is_admin: bool = False
    permissions: frozenset[str] = frozenset()
    last_login_time: int = 0

    def may(self, flags: Iterable[str]) -> bool:
        """Whether the user holds every one of ``flags``; ``Edit`` stands for all edit flags."""
        held = self.permissions | ({"Edit"} if self.permissions >= ALL_EDITS else frozenset())
        return self.is_admin or held.issuperset(flags)


class People:
    """The user service."""

    def __init__(self, store: Store, traits: Traits) -> None:
        self._store = store
        self._traits = traits

    def add(self, user: User) -> None:
        """Add a user, or replace the one with the same uid."""
        document = {**asdict(user), "permissions": sorted(user.permissions)}
        self._store.put("user", user.uid, document)

    def remove(self, uid: str) -> None:
        """Remove a user."""
        self._store.delete("user", uid)

    def all(self) -> tuple[User, ...]:
        """Every user."""
        return tuple(_user(document) for document in self._store.all("user"))

    def by_uid(self, uid: str) -> User | None:
        """The user with this uid."""
        document = self._store.get("user", uid)
        return None if document is None else _user(document)

    def by_account(self, account: str) -> User:
        """The one user of an account, whatever the identity type."""
        for user in self.all():
            if user.account.casefold() == account.casefold():
                return user
        raise KeyError(account)

    def search(self, account: str, identity_type: str) -> tuple[User, ...]:
        """Users by account and identity type; none given means ``system``."""
        wanted = identity_type or "system"
        anyone = wanted == "*" and self._traits.any_identity
        return tuple(
            user
            for user in self.all()
            if (not account or user.account.casefold() == account.casefold())
            and (anyone or user.identity_type == wanted)
        )

    def issue(self, account: str, token: str) -> str:
        """Make ``token`` stand for a user."""
        self._store.put("token", token, {"token": token, "uid": self.by_account(account).uid})
        return token

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        self._store.delete("token", token)

    def tokens(self) -> dict[str, str]:
        """The account behind every token of a known user."""
        known = {user.uid: user.account for user in self.all()}
        found = self._store.all("token")
        return {str(one["token"]): known[one["uid"]] for one in found if one["uid"] in known}

    def bearer(self, header: str) -> User | None:
        """The user whom an ``Authorization`` header stands for (§10.1)."""
        words = header.split(" ")
        if len(words) != len(("scheme", "token")):
            return None
        found = self._store.get("token", words[1])
        return None if found is None else self.by_uid(str(found["uid"]))

    def add_group(self, group_id: str, name: str, uids: Iterable[str]) -> None:
        """Add a group of users."""
        self._store.put("group", group_id, {"name": name, "uids": list(uids)})

    def members(self, group_id: str) -> tuple[User, ...]:
        """The users of a group."""
        group = self._store.get("group", group_id) or {"uids": []}
        found = (self.by_uid(str(uid)) for uid in group["uids"])
        return tuple(user for user in found if user is not None)


def _user(document: Document) -> User:
    return User(**{**document, "permissions": frozenset(document["permissions"])})
