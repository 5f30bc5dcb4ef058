"""An emulated GitHub: one repository, as its REST documentation says (docs/forges.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from forges.serving import Answer, Asked, Forge
from forges.store import NOW, OTHER_APP, PERSON, READER, TOKENS, Note, Pull, Store, Ticket, User

REPOSITORY = "acme/release--plans"
LIMIT = 65_536
FORBIDDEN = Answer(status=403, body={"message": "Resource not accessible by integration"})
UNMADE = Answer(
    status=403,
    body={
        "message": "You do not have permission to create labels on this repository.",
        "errors": [{"resource": "Repository", "field": "label", "code": "unauthorized"}],
    },
)
NOT_FOUND = Answer(status=404, body={"message": "Not Found"})
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes."
TOO_LONG = {
    "message": "Validation Failed",
    "errors": [{"field": "data", "message": "Body is too long (maximum is 65536 characters)"}],
}


class GitHub(Forge):
    """``prefix`` is ``/api/v3`` on a server of one's own; GraphQL is beside it there.

    ``known`` are the repository's labels, where the token may make no others.
    """

    def __init__(self, *, prefix: str = "", viewer: bool = True) -> None:
        super().__init__()
        self.store = Store()
        self.prefix = prefix
        self.viewer = viewer
        self.known: frozenset[str] | None = None

    @property
    def api(self) -> str:
        return self.url + self.prefix

    def answer(self, asked: Asked) -> Answer:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            return Answer(status=401, body={"message": "Bad credentials"})
        if not asked.headers.get("user-agent"):
            return Answer(status=403, body={"message": "Request forbidden by administrative rules"})
        if asked.path == self.prefix.removesuffix("/v3") + "/graphql":
            return self._graphql(asked, TOKENS[token])
        if asked.path == f"{self.prefix}/user":
            return Answer(body=_user(TOKENS[token])) if token == PERSON else FORBIDDEN
        root = f"{self.prefix}/repos/{REPOSITORY}"
        if not asked.path.startswith(root):
            return NOT_FOUND
        if asked.method != "GET" and token == READER:
            return FORBIDDEN
        return self._route(asked, asked.path.removeprefix(root), TOKENS[token])

    def _graphql(self, asked: Asked, user: User) -> Answer:
        assert "viewer" in asked.body["query"]
        if not self.viewer:
            return FORBIDDEN
        return Answer(body={"data": {"viewer": {"login": user.login, "databaseId": user.id}}})

    def _route(self, asked: Asked, path: str, user: User) -> Answer:
        parts = [part for part in re.split("/", path) if part]
        match (asked.method, *parts):
            case ("GET", "pulls"):
                return self._pulls(asked)
            case ("GET", "pulls", number):
                found = self.store.pulls.get(int(number))
                return Answer(body=_pull(found)) if found else NOT_FOUND
            case ("GET", "branches", name):
                tip = self.store.tips.get(name)
                return Answer(body={"name": name, "commit": {"sha": tip}}) if tip else NOT_FOUND
            case ("GET", "commits", commit, "pulls"):
                rows = [_pull(pull, listed=True) for pull in self.store.of_commit(commit)]
                return self.page(asked, rows, asked.path)
            case (method, "issues", *rest):
                return self._issues(asked, method, rest, user)
            case _:
                return NOT_FOUND

    def _issues(self, asked: Asked, method: str, rest: Sequence[str], user: User) -> Answer:
        match (method, *rest):
            case (_, "comments", id_):
                return self._comment(asked, method, int(id_))
            case (_, number, "comments"):
                return self._comments(asked, method, int(number), user)
            case (_, number, "labels", *name):
                return self._labels(asked, int(number), name)
            case ("GET",):
                return self._tickets(asked)
            case ("POST",):
                ticket = self.store.open_ticket(user, asked.body["title"], asked.body["body"])
                return Answer(status=201, body=_ticket(ticket))
            case ("PATCH", number):
                return self._edit(asked, int(number))
            case _:
                return NOT_FOUND

    def _pulls(self, asked: Asked) -> Answer:
        owner, _, source = asked.query["head"].partition(":")
        rows = [
            _pull(pull, listed=True)
            for pull in self.store.pulls.values()
            if pull.open and (pull.owner, pull.source) == (owner, source)
        ]
        return self.page(asked, rows, asked.path)

    def _comments(self, asked: Asked, method: str, number: int, user: User) -> Answer:
        pull = self.store.pulls.get(number)
        if pull is None:
            return NOT_FOUND
        if method == "GET":
            return self.page(asked, [_note(note) for note in pull.notes], asked.path)
        if len(asked.body["body"]) > LIMIT:
            return Answer(status=422, body=TOO_LONG)
        return Answer(status=201, body=_note(self.store.say(pull, user, asked.body["body"])))

    def _comment(self, asked: Asked, method: str, id_: int) -> Answer:
        found = self.store.note(id_)
        if found is None:
            return NOT_FOUND
        pull, note = found
        if method == "DELETE":
            pull.notes.remove(note)
            return Answer(status=204)
        if len(asked.body["body"]) > LIMIT:
            return Answer(status=422, body=TOO_LONG)
        note.text = asked.body["body"]
        return Answer(body=_note(note))

    def _labels(self, asked: Asked, number: int, name: Sequence[str]) -> Answer:
        labels = self.store.pulls[number].labels
        if asked.method == "GET":
            return self.page(asked, [{"name": each} for each in labels], asked.path)
        if asked.method == "POST":
            if self.known is not None and not self.known.issuperset(asked.body["labels"]):
                return UNMADE
            have = {each.casefold() for each in labels}
            labels += [each for each in asked.body["labels"] if each.casefold() not in have]
            return Answer(body=[{"name": each} for each in labels])
        wanted = "/".join(name).casefold()  # the path came decoded
        kept = [each for each in labels if each.casefold() != wanted]
        if kept == labels:
            return Answer(status=404, body={"message": "Label does not exist"})
        labels[:] = kept
        return Answer(body=[{"name": each} for each in labels])

    def _tickets(self, asked: Asked) -> Answer:
        wanted = asked.query["state"] == "open"
        rows = [
            _ticket(ticket)
            for ticket in self.store.tickets.values()
            if ticket.open is wanted and ticket.user.login == asked.query["creator"]
        ]
        if asked.query.get("sort") == "updated":
            rows.sort(key=lambda row: row["updated"], reverse=True)
        pulls = [_pull(pull) | {"pull_request": {}} for pull in self.store.pulls.values()]
        return self.page(asked, [*rows, *pulls], asked.path)

    def _edit(self, asked: Asked, number: int) -> Answer:
        ticket = self.store.tickets[number]
        ticket.title, ticket.text = asked.body["title"], asked.body["body"]
        ticket.open = asked.body.get("state", "open" if ticket.open else "closed") == "open"
        self.store.touch(ticket)
        return Answer(body=_ticket(ticket))


def secondary(seconds: int | None) -> Answer:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Answer(status=403, body={"message": SECONDARY}, headers=headers)


def primary(seconds: int) -> Answer:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + seconds)}
    return Answer(status=403, body={"message": "API rate limit exceeded"}, headers=headers)


def _user(user: User) -> dict[str, Any]:
    return {"id": user.id, "login": user.login, "type": "Bot" if user.bot else "User"}


def _note(note: Note) -> dict[str, Any]:
    ghost = note.user.login == "ghost"
    return {"id": note.id, "user": None if ghost else _user(note.user), "body": note.text}


def _pull(pull: Pull, *, listed: bool = False) -> dict[str, Any]:
    head = None if pull.gone else {"id": 2 if pull.fork else 1}
    row: dict[str, Any] = {
        "number": pull.number,
        "state": "open" if pull.open else "closed",
        "title": "@everyone <!-- planops:v1 {} -->",
        "draft": pull.draft,
        "user": _user(OTHER_APP if not pull.fork else User(666, "mallory")),
        "html_url": f"https://github.example/{REPOSITORY}/pull/{pull.number}",
        "head": {"sha": pull.head, "ref": pull.source, "repo": head},
        "base": {"sha": pull.base, "ref": pull.branch, "repo": {"id": 1}},
        "merged_at": "2026-11-01T00:00:00Z" if pull.merge else None,
        "merge_commit_sha": pull.merge or "f" * 40,  # the trial merge, while it is open
    }
    return row if listed else row | {"merged": bool(pull.merge)}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "user": _user(ticket.user),
        "title": ticket.title,
        "body": ticket.text,
        "state": "open" if ticket.open else "closed",
        "updated": ticket.updated,
    }
