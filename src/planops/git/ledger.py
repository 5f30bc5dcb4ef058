"""The ledger in git: read with a handful of processes, written by compare-and-swap.

A commit chain of its own at a ref of its own; the work tree, the index and HEAD are never touched,
and no hook of the user's runs. In mode ``git`` the remote's ref is the truth and a push that would
overwrite somebody's is refused by the remote; in mode ``local`` the same is done to a ref of this
repository. What a failed write came to is found out by looking, never by what git's words were.

Left behind in the repository: ``refs/planops/seen/…``, the remote's ledger as it was last seen, so
that the next run fetches only what is new. It decides nothing and may be deleted. Where the ledger
is a branch, git moves the remote-tracking branch with a push, as with every push.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planops.core import refs
from planops.core.ledger import INTENTS, LEASE, MAX_BYTES, PLANS, Book, book
from planops.errors import LedgerMoved, PlanopsError, Refused, SettingsWrong, Unreachable
from planops.git.blobs import read
from planops.git.calls import NO_HOOKS, limited, undisturbed
from planops.git.commits import commit
from planops.git.repository import opened, said

if TYPE_CHECKING:
    from git import Repo

MAX_DOCUMENTS: Final = 100_000
"""The most documents that are read: ten times what a large server holds."""
MAX_TOTAL: Final = 512 * 1024 * 1024
"""The most bytes that are read; one small tree can name one large document very often."""

_REMOTE: Final = re.compile(r"[A-Za-z0-9][-_.A-Za-z0-9]*(/[A-Za-z0-9][-_.A-Za-z0-9]*)*")
_DOCUMENT: Final = re.compile(r"(?:plans|intents)/[a-z0-9][-.a-z0-9]*\.json|lease\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLedger:
    """One target's ledger; ``remote`` is ``None`` in mode ``local``.

    ``timeout`` is how long the remote may take to answer one call, in seconds.

    Raises ``SettingsWrong`` where there is no repository, no git, no such remote, or where the ref
    holds something else, ``Unreachable`` where the remote or the repository does not answer or
    refuses for another reason than that the ledger moved.
    """

    root: Path
    ref: str
    remote: str | None = "origin"
    timeout: float = 60.0

    def load(self) -> Book:
        """Read the ledger as it is now, from the remote where there is one."""
        with self._opened() as repo:
            tip = self._tip(repo)
            return book(tip, self._documents(repo, tip) if tip else {})

    def tip(self) -> str:
        """Give the commit that the ledger is at now, held here; empty where there is none yet."""
        with self._opened() as repo:
            tip = self._tip(repo)
            if tip:
                self._listed(repo, tip)
            return tip

    def write(self, tip: str, changes: Mapping[str, bytes | None], message: str, now: int) -> str:
        """Add a commit on ``tip`` that sets these documents (``None`` removes one); its id.

        Raises ``LedgerMoved`` where the ref is no longer at ``tip``, ``Refused`` for a document
        that could not be read again; nothing is written then.
        """
        self._readable(changes)
        with self._opened() as repo:
            made = commit(repo, tip, changes, message, now)
            if self.remote is None:
                self._swap(repo, made, tip)
            else:
                self._push(repo, self.remote, made, tip)
            return made

    @property
    def _where(self) -> str:
        return self.ref if self.remote is None else f"{self.remote} {self.ref}"

    @property
    def _seen(self) -> str:
        """Where this repository keeps what it has seen of the remote's ledger."""
        return f"refs/planops/seen/{self.ref.removeprefix('refs/').replace('/', '-')}"

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        self._well_named()
        with opened(self.root) as repo:
            if repo is None:
                raise SettingsWrong(
                    f"{self.root}: ledger: this is no git repository, or git is missing; make one,"
                    " or set the ledger's mode to none"
                )
            from git.exc import CommandError

            # A replaced commit would be another ledger; a hook may do anything to the repository.
            repo.git.update_environment(GIT_NO_REPLACE_OBJECTS="1")
            repo.git.set_persistent_git_options(c=[NO_HOOKS])
            try:
                with undisturbed():
                    self._apart(repo)
                yield repo
            except (CommandError, OSError) as error:
                raise self._unreachable(error, "used") from error

    def _well_named(self) -> None:
        if not refs.can_hold(self.ref):
            raise SettingsWrong(
                f"ledger.ref {self.ref[:200]!r}: this is no ref that can hold a ledger; write a"
                " whole one, such as refs/planops/ledger/prod or refs/heads/planops-ledger"
            )
        if self.remote is not None and not _REMOTE.fullmatch(self.remote):
            raise SettingsWrong(
                f"ledger.remote {self.remote[:200]!r}: this is no remote's name; write the name of"
                " one that git knows, such as origin"
            )

    def _apart(self, repo: Repo) -> None:
        """Make sure of the remote, and that the ledger is not the branch that the files are on."""
        if str(repo.git.symbolic_ref("--quiet", "HEAD", with_exceptions=False)) == self.ref:
            raise SettingsWrong(
                f"{self._where}: the ledger cannot be on the branch that is checked out;"
                " name a ref of its own by ledger.ref"
            )
        if self.remote is None:
            return
        # Git takes a name that it does not know for a path: what lies there is no remote.
        known = str(repo.git.remote(with_exceptions=False)).splitlines()
        if self.remote not in known:
            raise SettingsWrong(
                f"{self._where}: the ledger cannot be used: there is no such remote; name one by"
                " ledger.remote, or set the ledger's mode to local"
            )

    # ------------------------------------------------------------------------------ the tip

    def _tip(self, repo: Repo) -> str:
        return self._here(repo) if self.remote is None else self._fetched(repo, self.remote)

    def _here(self, repo: Repo) -> str:
        """Give the commit that the ref of this repository is at; empty where there is none."""
        _, listed, warned = repo.git.for_each_ref(
            "--format=%(refname) %(objectname) %(objecttype)",
            "--",
            self.ref,
            with_extended_output=True,
        )
        for line in str(listed).splitlines():
            name, found, kind = line.split(" ")
            if name == self.ref:
                return self._commit_only(found, kind)
        if "broken ref" in str(warned):
            raise Unreachable(
                f"{self._where}: the ledger cannot be read: the ref is broken; restore it from its"
                " reflog or another clone, or delete it to begin a new ledger"
            )
        return ""

    def _advertised(self, repo: Repo, remote: str) -> str:
        """Give what the remote says that its ref is at; empty where it has none."""
        listed = limited(repo, self.timeout, "ls-remote", "--", remote, self.ref)
        rows = (line.split("\t") for line in listed.splitlines())
        # The pattern also matches refs that end in this name.
        return next((row[0] for row in rows if row[1:] == [self.ref]), "")

    def _fetched(self, repo: Repo, remote: str) -> str:
        """Give the commit that the remote's ref is at, once this repository holds it."""
        from git.exc import GitCommandError

        try:
            tip = self._advertised(repo, remote)
            if tip and tip != _resolved(repo, self._seen):
                self._fetch(repo, remote, tip)
        except (GitCommandError, TimeoutError) as error:
            raise self._unreachable(error, "read") from error
        return tip and self._commit_only(tip, str(repo.git.cat_file("-t", tip)))

    def _fetch(self, repo: Repo, remote: str, tip: str) -> None:
        from git.exc import GitCommandError

        try:
            limited(
                repo, self.timeout, "fetch",
                "--quiet", "--no-tags", "--no-prune", "--no-filter", "--no-write-fetch-head",
                "--no-auto-gc", "--no-write-commit-graph", "--no-recurse-submodules", "--refmap=",
                "--", remote, f"+{self.ref}:{self._seen}",
            )  # fmt: skip
        except GitCommandError:
            # Another run in this clone may have held the lock of what was seen: the commit is here.
            if _resolved(repo, f"{tip}^{{commit}}") != tip:
                raise

    def _commit_only(self, found: str, kind: str) -> str:
        if kind != "commit":
            raise SettingsWrong(
                f"{self._where}: the ledger cannot be read: the ref holds no commit but a {kind};"
                " name another by ledger.ref"
            )
        return found

    # -------------------------------------------------------------------------- the writing

    def _readable(self, changes: Mapping[str, bytes | None]) -> None:
        for path, data in changes.items():
            if data is None:
                continue
            if not _DOCUMENT.fullmatch(path):
                raise Refused(f"{self._where}: {path!r} is the name of no document of a ledger")
            if len(data) > MAX_BYTES:
                raise Refused(
                    f"{self._where}: {path} has {len(data)} bytes; at most {MAX_BYTES} could be"
                    " read again; make the plan smaller"
                )

    def _swap(self, repo: Repo, made: str, tip: str) -> None:
        from git.exc import GitCommandError

        try:
            with undisturbed():
                repo.git.update_ref("--no-deref", self.ref, made, tip or "0" * len(made))
        except GitCommandError as error:
            raise self._failed(error, tip, self._here(repo)) from error

    def _push(self, repo: Repo, remote: str, made: str, tip: str) -> None:
        from git.exc import GitCommandError

        try:
            limited(
                repo, self.timeout, "push",
                "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags",
                "--recurse-submodules=no", f"--force-with-lease={self.ref}:{tip}",
                "--", remote, f"{made}:{self.ref}",
                setting=f"remote.{remote}.mirror=false",  # a mirror takes all refs, or none
            )  # fmt: skip
        except (GitCommandError, TimeoutError) as error:
            now = self._after(repo, remote, error)
            if now != made:  # it may have arrived, and only the answer was lost
                raise self._failed(error, tip, now) from error
        repo.git.update_ref("--no-deref", self._seen, made, with_exceptions=False)

    def _after(self, repo: Repo, remote: str, failed: Exception) -> str:
        """Look what a push that failed came to; what it said is the reason, if that fails too."""
        from git.exc import GitCommandError

        try:
            return self._advertised(repo, remote)
        except (GitCommandError, TimeoutError):
            raise self._unreachable(failed, "written") from failed

    def _failed(self, error: Exception, tip: str, now: str) -> PlanopsError:
        if now != tip:
            return LedgerMoved(f"{self._where}: another run wrote into the ledger first; run again")
        return self._unreachable(error, "written")

    def _unreachable(self, error: Exception, what: str) -> Unreachable:
        if self.remote is None:
            remedy = "check the repository"
        elif isinstance(error, TimeoutError):
            remedy = "check the remote, or give it more time by ledger.timeout"
        else:
            remedy = "check the remote, and that it takes this ref (ledger.ref may name a branch)"
        return Unreachable(f"{self._where}: the ledger cannot be {what}: {said(error)}; {remedy}")

    # -------------------------------------------------------------------------- the reading

    def _documents(self, repo: Repo, tip: str) -> dict[str, bytes]:
        """Read every document of a commit: two processes, however many there are.

        What is no plain file stands as an empty document, a large one as one that is too large.
        """
        found: dict[str, bytes] = {}
        wanted: dict[str, str] = {}
        total = 0
        for path, (mode, blob, size) in self._listed(repo, tip).items():
            found[path] = b""
            if mode not in ("100644", "100755") or not size.isdecimal():
                continue
            if int(size) > MAX_BYTES:
                found[path] = b" " * (MAX_BYTES + 1)
            else:
                wanted[path] = blob
                total += int(size)
        self._within_bounds(len(found), total)
        blobs = read(repo, wanted.values())
        return found | {path: blobs.get(blob, b"") for path, blob in wanted.items()}

    def _listed(self, repo: Repo, tip: str) -> dict[str, tuple[str, str, str]]:
        """List what lies where documents belong: mode, id and size, by path.

        Not into folders below is looked: a tree can be made that is small and has more paths than
        could ever be listed.
        """
        listed: bytes = repo.git.ls_tree(
            "-z", "-l", "--full-tree", "--end-of-options", tip, "--",
            PLANS.rstrip("/"), PLANS, INTENTS.rstrip("/"), INTENTS, LEASE,
            stdout_as_string=False,
        )  # fmt: skip
        found: dict[str, tuple[str, str, str]] = {}
        for row in listed.split(b"\0")[:-1]:
            head, _, name = row.partition(b"\t")
            mode, _, blob, size = head.decode().split()
            found[name.decode(errors="backslashreplace")] = (mode, blob, size)
        if not any(map(_DOCUMENT.fullmatch, found)):
            self._a_ledger(repo, tip)
        return found

    def _within_bounds(self, count: int, total: int) -> None:
        if count > MAX_DOCUMENTS or total > MAX_TOTAL:
            raise SettingsWrong(
                f"{self._where}: the ledger cannot be read: it has {count} documents of {total}"
                f" bytes; at most {MAX_DOCUMENTS} of {MAX_TOTAL} are read; name another by"
                " ledger.ref"
            )

    def _a_ledger(self, repo: Repo, tip: str) -> None:
        """Make sure that a commit without documents is not the commit of something else."""
        names = str(repo.git.ls_tree("-z", "--name-only", "--full-tree", tip)).split("\0")[:-1]
        if others := {*names} - {PLANS.rstrip("/"), INTENTS.rstrip("/"), LEASE}:
            raise SettingsWrong(
                f"{self._where}: this is no ledger: it holds {min(others)[:100]!r} and no"
                " document; name a ref of its own by ledger.ref"
            )


def _resolved(repo: Repo, name: str) -> str:
    """Resolve a name to a full id; empty where there is none."""
    return str(
        repo.git.rev_parse("--verify", "--quiet", "--end-of-options", name, with_exceptions=False)
    )
