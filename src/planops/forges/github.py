"""GitHub, and GitHub Enterprise Server: docs/forges.md has the facts and where they come from."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from planops.backends.exchange import BUSY, Endpoint, Source, Transport
from planops.core.forge import Author, Comment, Issue, Post, Pull
from planops.core.model import JSON
from planops.core.sticky import Act
from planops.errors import ForgeFailed, ForgeRefused, OutcomeUnknown
from planops.forges import board
from planops.forges.api import PATIENCE, Absent, Api
from planops.forges.labels import changes
from planops.forges.rows import at, commit, number, sha, text, words
from planops.ports import Posted

if TYPE_CHECKING:
    from planops.ports import Clock

LIMIT: Final = 65_536
"""Characters (code points) of a comment or issue; one more is a 422."""
_PAGE: Final = 100
_ENTERPRISE: Final = "/v3"
_SOURCE: Final = Source(
    file="the environment", url="GITHUB_API_URL", ca_file="SSL_CERT_FILE", load=""
)
ACTIONS: Final = Author(id=None, login="github-actions[bot]", bot=True)
"""As whom the token of a workflow writes; its id differs between servers, its login cannot."""
_VIEWER: Final = "query{viewer{login databaseId}}"


def endpoint(api: str, token: str) -> Endpoint:
    """Say how a GitHub is called. ``api`` is ``GITHUB_API_URL``.

    Raises ``SettingsWrong`` for an address or a token that cannot be used.
    """
    return Endpoint(
        url=api.rstrip("/").removesuffix(_ENTERPRISE),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        secrets=(token,),
        concurrency=1,
        busy=BUSY - {429},
        source=_SOURCE,
    )


class GitHub:
    """One repository on GitHub. ``api`` is ``GITHUB_API_URL``, ``repository`` owner and name."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        api: str,
        repository: str,
        patience: float = PATIENCE,
    ) -> None:
        self._api = Api(transport, clock, patience=patience)
        self._root = _ENTERPRISE if api.rstrip("/").endswith(_ENTERPRISE) else ""
        self._repo = f"{self._root}/repos/{quote(repository)}"
        self._me: Author | None = None

    @property
    def limit(self) -> int:
        """See :data:`LIMIT`."""
        return LIMIT

    def me(self) -> Author:
        """Say as whom the token writes.

        ``GET /user`` is refused to a workflow's and to an app's token; the viewer of GraphQL is
        not. Where that is refused too, the author is the workflow's own, until the answer to a
        first comment says better.
        """
        if self._me is None:
            self._me = self._viewer() or ACTIONS
        return self._me

    def _viewer(self) -> Author | None:
        try:
            answer = self._api.ask("/graphql", {"query": _VIEWER})
        except ForgeRefused:
            return None
        viewer = at(answer, "data", "viewer")
        login, id_ = words(viewer, "login"), at(viewer, "databaseId")
        if not login:
            return None
        return Author(
            id=id_ if isinstance(id_, int) else None, login=login, bot=login.endswith("[bot]")
        )

    def pull(self, number: int) -> Pull:
        """See ``ports.Forge.pull``."""
        return _pull(self._api.get(f"{self._repo}/pulls/{number}"))

    def tip(self, branch: str) -> str:
        """See ``ports.Forge.tip``."""
        row = self._api.get(f"{self._repo}/branches/{quote(branch, safe='')}")
        return commit(row, "commit", "sha")

    def pulls_of(self, commit: str) -> tuple[Pull, ...]:
        """See ``ports.Forge.pulls_of``."""
        rows = self._api.pages(f"{self._repo}/commits/{quote(commit)}/pulls", size=_PAGE)
        return tuple(
            found
            for row in rows
            if at(row, "merged_at") is not None
            if (found := self.pull(number(row, "number"))).merged
        )

    def pulls_from(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """See ``ports.Forge.pulls_from``."""
        query = (("state", "open"), ("head", f"{owner}:{branch}"))
        rows = self._api.pages(f"{self._repo}/pulls", query, size=_PAGE)
        return tuple(self.pull(number(row, "number")) for row in rows)

    def upsert(self, post: Post, notice: str = "") -> Posted:
        """See ``ports.Forge.upsert``."""
        return board.upsert(self, post, notice)

    def notice(self, post: Post) -> bool:
        """See ``ports.Forge.notice``."""
        return board.notify(self, post)

    def issue(self, title: str, post: Post, *, wanted: bool) -> Act:
        """See ``ports.Forge.issue``."""
        return board.follow(self, title, post, wanted=wanted)

    def label(self, number: int, wanted: Collection[str], ours: Collection[str]) -> None:
        """See ``ports.Forge.label``."""
        path = f"{self._repo}/issues/{number}/labels"
        present = [text(row, "name") for row in self._api.pages(path, size=_PAGE)]
        asked = changes(present, wanted, ours)
        for name in asked.remove:
            self._gone("DELETE", f"{path}/{quote(name, safe='')}")
        refused = [error for name in asked.add if (error := self._unmade(path, name))]
        if refused:
            raise refused[0]

    def _unmade(self, path: str, name: str) -> ForgeRefused | None:
        """Add one label, or say why not: one that the repository lacks is not everybody's to make.

        Each by itself, since of several that are asked for at once none is added then.
        """
        try:
            self._sent("POST", path, {"labels": [name]})
        except ForgeRefused as error:
            return ForgeRefused(f"{error}; make the label {name} once, where it is not there")
        return None

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Read all comments of a pull request, oldest first."""
        rows = self._api.pages(f"{self._repo}/issues/{number}/comments", size=_PAGE)
        return tuple(_comment(row) for row in rows)

    def add(self, number: int, text: str) -> None:
        """Write a comment, and learn from the answer as whom."""
        row = self._wrote("POST", f"{self._repo}/issues/{number}/comments", {"body": text})
        self._me = _author(row)

    def edit(self, number: int, id_: int, text: str) -> None:  # noqa: ARG002  GitLab needs it
        """Write a comment anew. Raises ``ForgeRefused`` where it is gone."""
        self._wrote("PATCH", f"{self._repo}/issues/comments/{id_}", {"body": text})

    def remove(self, number: int, id_: int) -> None:  # noqa: ARG002  GitLab needs it
        """Delete a comment; one that is gone is no error."""
        self._api.send("DELETE", f"{self._repo}/issues/comments/{id_}")

    def issues(self) -> tuple[Issue, ...]:
        """Read our own issues: all that are open, the latest that are closed."""
        path, mine = f"{self._repo}/issues", ("creator", self.me().login)
        rows = self._api.pages(path, (("state", "open"), mine), size=_PAGE)
        query = (("state", "closed"), mine, ("sort", "updated"), ("direction", "desc"))
        rows += self._api.some(path, query, size=_PAGE)
        return tuple(_issue(row) for row in rows if at(row, "pull_request") is None)

    def open_issue(self, title: str, text: str) -> None:
        """Open an issue."""
        row = self._wrote("POST", f"{self._repo}/issues", {"title": title, "body": text})
        self._me = _author(row)

    def edit_issue(self, number: int, title: str, text: str, *, keep_open: bool) -> None:
        """Write an issue anew, and close it unless it is to stay open."""
        body: dict[str, JSON] = {"title": title, "body": text}
        if not keep_open:
            body["state"] = "closed"
        self._wrote("PATCH", f"{self._repo}/issues/{number}", body)

    def _wrote(self, method: str, path: str, body: JSON) -> JSON:
        answer = self._api.send(method, path, body)
        if isinstance(answer, Absent):
            raise answer.error
        return answer

    def _sent(self, method: str, path: str, body: JSON) -> None:
        """Make a write that may be made twice."""
        try:
            self._wrote(method, path, body)
        except OutcomeUnknown as error:
            raise ForgeFailed(str(error)) from None

    def _gone(self, method: str, path: str) -> None:
        try:
            self._api.send(method, path)
        except OutcomeUnknown as error:
            raise ForgeFailed(str(error)) from None


def _pull(row: JSON) -> Pull:
    head, base = at(row, "head", "repo", "id"), at(row, "base", "repo", "id")
    merged = at(row, "merged") is True
    return Pull(
        number=number(row, "number"),
        head=commit(row, "head", "sha"),
        base=commit(row, "base", "sha"),
        branch=text(row, "base", "ref"),
        open=text(row, "state") == "open",
        merged=merged,
        merge=sha(row, "merge_commit_sha") if merged else "",
        draft=at(row, "draft") is True,
        fork=head is None or head != base,  # a fork that is gone has no repository
        author=words(row, "user", "login"),
        url=words(row, "html_url"),
    )


def _author(row: JSON) -> Author:
    """Give who wrote something; an account that is gone is nobody's."""
    if at(row, "user") is None:
        return Author(id=0, login="ghost")
    return Author(
        id=number(row, "user", "id"),
        login=text(row, "user", "login"),
        bot=words(row, "user", "type") == "Bot",
    )


def _comment(row: JSON) -> Comment:
    return Comment(id=number(row, "id"), author=_author(row), text=words(row, "body"))


def _issue(row: JSON) -> Issue:
    return Issue(
        number=number(row, "number"),
        author=_author(row),
        title=text(row, "title"),
        text=words(row, "body"),
        open=text(row, "state") == "open",
    )
