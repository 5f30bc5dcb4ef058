"""An emulated GitLab: one project, as its REST documentation says (docs/forges.md).

Lines that begin with a slash are quick actions: they are done and taken out of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from forges.serving import Answer, Asked, Forge
from forges.store import OTHER_APP, READER, TOKENS, Note, Pull, Store, Ticket, User

PROJECT = 42
REPOSITORY = "acme/sub-group/release--plans"
LIMIT = 1_000_000
NOT_FOUND = Answer(status=404, body={"message": "404 Not found"})
QUICK = re.compile(r"^/(close|merge|label|assign|title)\b(?:[ ]([^\n]*))?(?:\s*\n|$)", re.MULTILINE)


class GitLab(Forge):
    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.done: list[str] = []  # quick actions
        self.hide = False  # a token that may not write sees 404, as in a private project

    @property
    def api(self) -> str:
        return f"{self.url}/api/v4"

    def answer(self, asked: Asked) -> Answer:
        token = asked.headers.get("private-token", "")
        if token not in TOKENS:
            return Answer(status=401, body={"message": "401 Unauthorized"})
        if asked.path == "/api/v4/user":
            return Answer(body=_user(TOKENS[token]))
        root = f"/api/v4/projects/{PROJECT}/"
        if not asked.path.startswith(root):
            return NOT_FOUND
        if asked.method != "GET" and token == READER:
            return NOT_FOUND if self.hide else Answer(status=403, body={"message": "403 Forbidden"})
        return self._route(asked, asked.path.removeprefix(root).split("/"), TOKENS[token])

    def _route(self, asked: Asked, parts: Sequence[str], user: User) -> Answer:
        match (asked.method, *parts):
            case ("GET", "merge_requests"):
                source = asked.query["source_branch"]
                rows = [p for p in self.store.pulls.values() if p.open and p.source == source]
                return self.page(asked, [_pull(pull) for pull in rows], asked.path)
            case (method, "merge_requests", number):
                found = self.store.pulls.get(int(number))
                if found is None:
                    return NOT_FOUND
                if method == "PUT":
                    _relabel(found, asked.body)
                return Answer(body=_pull(found))
            case ("GET", "repository", "branches", name):
                tip = self.store.tips.get(name)
                return Answer(body={"name": name, "commit": {"id": tip}}) if tip else NOT_FOUND
            case ("GET", "repository", "commits", commit, "merge_requests"):
                found_pulls = [_pull(pull) for pull in self.store.of_commit(commit)]
                return self.page(asked, found_pulls, asked.path)
            case (_, "merge_requests", number, "notes", *id_):
                return self._notes(asked, int(number), id_, user)
            case (_, "issues", *number):
                return self._issues(asked, number, user)
            case _:
                return NOT_FOUND

    def _notes(self, asked: Asked, number: int, id_: Sequence[str], user: User) -> Answer:
        pull = self.store.pulls.get(number)
        if pull is None:
            return NOT_FOUND
        if not id_ and asked.method == "GET":
            assert asked.query["sort"] == "asc"
            return self.page(asked, [_note(note) for note in pull.notes], asked.path)
        if asked.body is not None and len(asked.body["body"]) > LIMIT:
            message = "is too long (maximum is 1000000 characters)"
            return Answer(status=400, body={"message": {"note": [message]}})
        if not id_:
            note = self.store.say(pull, user, self._quick(asked.body["body"]))
            return Answer(status=201, body=_note(note))
        found = [note for note in pull.notes if note.id == int(id_[0])]
        if not found:
            return NOT_FOUND
        if asked.method == "DELETE":
            pull.notes.remove(found[0])
            return Answer(status=204)
        found[0].text = self._quick(asked.body["body"])
        return Answer(body=_note(found[0]))

    def _quick(self, text: str) -> str:
        plain = text.replace("\r", "")
        self.done += [match[0].strip() for match in QUICK.finditer(plain)]
        return QUICK.sub("", plain).rstrip()

    def _issues(self, asked: Asked, number: Sequence[str], user: User) -> Answer:
        if asked.method == "GET":
            wanted = asked.query["state"] == "opened"
            rows = [
                ticket
                for ticket in self.store.tickets.values()
                if ticket.open is wanted and str(ticket.user.id) == asked.query["author_id"]
            ]
            rows.sort(key=lambda ticket: -ticket.updated)
            return self.page(asked, [_ticket(ticket) for ticket in rows], asked.path)
        text = self._quick(asked.body["description"])
        if asked.method == "POST":
            ticket = self.store.open_ticket(user, asked.body["title"], text)
            return Answer(status=201, body=_ticket(ticket))
        ticket = self.store.tickets[int(number[0])]
        ticket.title, ticket.text = asked.body["title"], text
        if asked.body.get("state_event") == "close":
            ticket.open = False
        self.store.touch(ticket)
        return Answer(body=_ticket(ticket))


def limited(seconds: int | None) -> Answer:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Answer(status=429, raw=b"Retry later\n", headers=headers)


def _relabel(pull: Pull, body: Any) -> None:
    gone = set(body.get("remove_labels", "").split(","))
    pull.labels = [name for name in pull.labels if name not in gone]
    added = body.get("add_labels", "")
    pull.labels += [name for name in added.split(",") if name and name not in pull.labels]


def _user(user: User) -> dict[str, Any]:
    return {"id": user.id, "username": user.login.replace("[bot]", "_bot")}


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.id, "author": _user(note.user), "body": note.text, "system": note.system}


def _pull(pull: Pull) -> dict[str, Any]:
    state = "opened" if pull.open else "merged" if pull.merge else "closed"
    return {
        "iid": pull.number,
        "sha": pull.head,
        "state": state,
        "draft": pull.draft,
        "labels": pull.labels,
        "author": _user(OTHER_APP if not pull.fork else User(666, "mallory")),
        "web_url": f"https://gitlab.example/{REPOSITORY}/-/merge_requests/{pull.number}",
        "target_branch": pull.branch,
        "source_branch": pull.source,
        "diff_refs": {"base_sha": pull.base, "head_sha": pull.head},
        "source_project_id": None if pull.gone else 43 if pull.fork else PROJECT,
        "target_project_id": PROJECT,
        "merge_commit_sha": pull.merge or None,
        "squash_commit_sha": None,
    }


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "iid": ticket.number,
        "author": _user(ticket.user),
        "title": ticket.title,
        "description": ticket.text,
        "state": "opened" if ticket.open else "closed",
    }
