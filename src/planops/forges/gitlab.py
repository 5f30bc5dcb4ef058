"""GitLab, hosted or self-managed: docs/forges.md has the facts and where they come from."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from planops.backends.exchange import BUSY, Endpoint, Source, Transport
from planops.core.forge import Author, Comment, Issue, Post, Pull
from planops.core.model import JSON
from planops.core.sticky import Act
from planops.errors import ForgeFailed, OutcomeUnknown
from planops.forges import board
from planops.forges.api import PATIENCE, Absent, Api
from planops.forges.labels import changes
from planops.forges.rows import at, commit, number, sha, text, words
from planops.ports import Posted

if TYPE_CHECKING:
    from planops.ports import Clock

LIMIT: Final = 1_000_000
"""Characters of a note. A description is measured in bytes, so that is the limit there."""
_PAGE: Final = 50
_SOURCE: Final = Source(
    file="the environment", url="CI_API_V4_URL", ca_file="CI_SERVER_TLS_CA_FILE", load=""
)
_QUICK: Final = re.compile(r"^/", re.MULTILINE)


def endpoint(api: str, token: str, ca_file: Path | None = None) -> Endpoint:
    """Say how a GitLab is called. ``api`` is ``CI_API_V4_URL``.

    Raises ``SettingsWrong`` for an address or a token that cannot be used.
    """
    return Endpoint(
        url=api,
        headers={"PRIVATE-TOKEN": token},
        secrets=(token,),
        ca_file=ca_file,
        concurrency=1,
        busy=BUSY - {429},
        source=_SOURCE,
    )


class GitLab:
    """One project on GitLab, by its id."""

    def __init__(
        self, transport: Transport, clock: Clock, *, project: int, patience: float = PATIENCE
    ) -> None:
        self._api = Api(transport, clock, patience=patience)
        self._project = f"/projects/{project}"
        self._me: Author | None = None

    @property
    def limit(self) -> int:
        """See :data:`LIMIT`."""
        return LIMIT

    def me(self) -> Author:
        """Say as whom the token writes; a job token is refused here, and may not write either."""
        if self._me is None:
            self._me = _author(self._api.get("/user"))
        return self._me

    def pull(self, number: int) -> Pull:
        """See ``ports.Forge.pull``."""
        return _pull(self._api.get(f"{self._project}/merge_requests/{number}"))

    def tip(self, branch: str) -> str:
        """See ``ports.Forge.tip``."""
        path = f"{self._project}/repository/branches/{quote(branch, safe='')}"
        return commit(self._api.get(path), "commit", "id")

    def pulls_of(self, commit: str) -> tuple[Pull, ...]:
        """See ``ports.Forge.pulls_of``."""
        path = f"{self._project}/repository/commits/{quote(commit)}/merge_requests"
        rows = self._api.pages(path, (("state", "merged"),), size=_PAGE)
        return tuple(self.pull(number(row, "iid")) for row in rows if at(row, "state") == "merged")

    def pulls_from(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """See ``ports.Forge.pulls_from``; whose branch it is shows only in the pull request."""
        del owner
        query = (("state", "opened"), ("source_branch", branch))
        rows = self._api.pages(f"{self._project}/merge_requests", query, size=_PAGE)
        return tuple(self.pull(number(row, "iid")) for row in rows)

    def upsert(self, post: Post, notice: str = "") -> Posted:
        """See ``ports.Forge.upsert``."""
        return board.upsert(self, _harmless(post), harmless(notice))

    def notice(self, post: Post) -> bool:
        """See ``ports.Forge.notice``."""
        return board.notify(self, _harmless(post))

    def issue(self, title: str, post: Post, *, wanted: bool) -> Act:
        """See ``ports.Forge.issue``."""
        size = len(post.text.encode())
        if size > LIMIT:
            raise ForgeFailed(f"issue {title!r}: it has {size} bytes, more than {LIMIT}; cut it")
        return board.follow(self, title, _harmless(post), wanted=wanted)

    def label(self, number: int, wanted: Collection[str], ours: Collection[str]) -> None:
        """See ``ports.Forge.label``; one call, which leaves all other labels alone."""
        path = f"{self._project}/merge_requests/{number}"
        present = at(self._api.get(path), "labels")
        names = (
            [name for name in present if isinstance(name, str)] if isinstance(present, list) else []
        )
        asked = changes(names, wanted, ours)
        body: dict[str, JSON] = {}
        if asked.add:
            body["add_labels"] = ",".join(asked.add)
        if asked.remove:
            body["remove_labels"] = ",".join(asked.remove)
        if not body:
            return
        try:
            self._wrote("PUT", path, body)
        except OutcomeUnknown as error:
            raise ForgeFailed(str(error)) from None

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Read all comments of a merge request, oldest first; the system's own are left out."""
        query = (("sort", "asc"), ("order_by", "created_at"))
        rows = self._api.pages(self._notes(number), query, size=_PAGE)
        return tuple(_comment(row) for row in rows if at(row, "system") is not True)

    def add(self, number: int, text: str) -> None:
        """Write a comment."""
        self._wrote("POST", self._notes(number), {"body": text})

    def edit(self, number: int, id_: int, text: str) -> None:
        """Write a comment anew. Raises ``ForgeRefused`` where it is gone."""
        self._wrote("PUT", f"{self._notes(number)}/{id_}", {"body": text})

    def remove(self, number: int, id_: int) -> None:
        """Delete a comment; one that is gone is no error."""
        self._api.send("DELETE", f"{self._notes(number)}/{id_}")

    def issues(self) -> tuple[Issue, ...]:
        """Read our own issues: all that are open, the latest that are closed."""
        path = f"{self._project}/issues"
        mine = (("scope", "all"), ("author_id", str(self.me().id)))
        rows = self._api.pages(path, (("state", "opened"), *mine), size=_PAGE)
        query = (("state", "closed"), *mine, ("order_by", "updated_at"), ("sort", "desc"))
        rows += self._api.some(path, query, size=_PAGE)
        return tuple(_issue(row) for row in rows)

    def open_issue(self, title: str, text: str) -> None:
        """Open an issue."""
        self._wrote("POST", f"{self._project}/issues", {"title": title, "description": text})

    def edit_issue(self, number: int, title: str, text: str, *, keep_open: bool) -> None:
        """Write an issue anew, and close it unless it is to stay open."""
        body: dict[str, JSON] = {"title": title, "description": text}
        if not keep_open:
            body["state_event"] = "close"
        self._wrote("PUT", f"{self._project}/issues/{number}", body)

    def _notes(self, number: int) -> str:
        return f"{self._project}/merge_requests/{number}/notes"

    def _wrote(self, method: str, path: str, body: JSON) -> JSON:
        answer = self._api.send(method, path, body)
        if isinstance(answer, Absent):
            raise answer.error
        return answer


def harmless(body: str) -> str:
    """Keep lines from being quick actions: GitLab does what a line that begins with ``/`` says.

    A space before it ends that, shows nothing in a paragraph, and no return can take it away.
    """
    return _QUICK.sub(" /", body.replace("\r", ""))


def _harmless(post: Post) -> Post:
    return replace(post, body=harmless(post.body))


def _pull(row: JSON) -> Pull:
    state = text(row, "state")
    merged = state == "merged"
    head = commit(row, "sha")
    # a fast-forward merge makes no commit of its own
    merge = sha(row, "merge_commit_sha") or sha(row, "squash_commit_sha") or head
    return Pull(
        number=number(row, "iid"),
        head=head,
        base=sha(row, "diff_refs", "base_sha"),
        branch=text(row, "target_branch"),
        open=state in {"opened", "locked"},
        merged=merged,
        merge=merge if merged else "",
        draft=at(row, "draft") is True,
        fork=at(row, "source_project_id") != number(row, "target_project_id"),
        author=words(row, "author", "username"),
        url=words(row, "web_url"),
    )


def _author(row: JSON) -> Author:
    return Author(id=number(row, "id"), login=words(row, "username"))


def _comment(row: JSON) -> Comment:
    return Comment(id=number(row, "id"), author=_author(at(row, "author")), text=words(row, "body"))


def _issue(row: JSON) -> Issue:
    return Issue(
        number=number(row, "iid"),
        author=_author(at(row, "author")),
        title=text(row, "title"),
        text=words(row, "description"),
        open=text(row, "state") == "opened",
    )
