"""What git says about the files: the commit they are at, and whether they differ from it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from planops.core.report import GitFacts
from planops.errors import SettingsWrong
from planops.git import calls

if TYPE_CHECKING:
    from git import Repo

Answer = TypeVar("Answer")

_QUOTED: Final = re.compile(r"\s*std(?:out|err): '(.*)'\s*", re.DOTALL)
"""What GitPython makes of an answer."""
_NOISE: Final = re.compile(
    r"^(?:(?:remote: )?hint:.*|error: failed to push some refs to .*|To .*|Done"
    r"|\s*git config --global --add safe\.directory .*)$",
    re.MULTILINE,
)
"""Lines that give no reason: git's advice, and what a push says around it."""


@contextmanager
def opened(folder: Path) -> Iterator[Repo | None]:
    """Open the repository that a folder belongs to; ``None`` where there is none, or no git.

    Nothing ever waits for a password or disturbs an index.

    Raises ``SettingsWrong`` where git does not want the repository, above all because it does not
    trust its owner, and where git is missing or cannot be called.
    """
    if not _installed():
        yield None
        return
    from git import Repo
    from git.exc import GitError

    try:
        repo = Repo(folder, search_parent_directories=True)
    except (GitError, OSError, ValueError):
        yield None
        return
    with repo:
        if not _is_meant(repo, folder):
            yield None
            return
        repo.git.update_environment(
            GIT_OPTIONAL_LOCKS="0",
            GIT_TERMINAL_PROMPT="0",
            LC_ALL="C",
            **_place(repo),
        )
        yield repo


def descends(folder: Path, commit: str, heads: Sequence[str] = ("HEAD",)) -> bool:
    """Tell whether a head descends from a commit; false too where this clone does not hold it."""

    def question(repo: Repo, head: str) -> bool:
        full = repo.git.rev_parse("--verify", "--end-of-options", f"{commit}^{{commit}}")
        repo.git.merge_base("--is-ancestor", full, head)
        return True

    return any(_answer(folder, partial(question, head=head)) for head in heads)


def top(folder: Path) -> Path | None:
    """Give the folder of the work tree that a folder belongs to; ``None`` where there is none."""

    def question(repo: Repo) -> Path | None:
        return Path(repo.working_tree_dir).resolve() if repo.working_tree_dir else None

    return _answer(folder, question)


def facts(folder: Path) -> GitFacts | None:
    """Give the commit, branch and dirtiness of the work tree that a folder belongs to.

    ``None`` where it belongs to none, where git is missing, or where git will not say (an owner
    that it does not trust, a repository without a commit): a report can do without.
    """

    def question(repo: Repo) -> GitFacts:
        head = repo.git.rev_parse("--verify", "--end-of-options", "HEAD^{commit}")
        branch = "" if repo.head.is_detached else repo.active_branch.name
        status = repo.git.status("--porcelain", "-z", "--untracked-files", "--", str(folder))
        below = below_top(folder, repo)
        return GitFacts(head=head, branch=branch, dirty=bool(status), folder=below)

    return _answer(folder, question)


def uncommitted(folder: Path) -> Callable[[str], bool]:
    """Tell which files below a folder may not be as HEAD has them; all, where git does not say.

    Besides what git calls changed, that is what it does not look at: ignored files, those of
    another repository, and those that its index bids it to take for unchanged. A link is followed.
    """

    def question(repo: Repo) -> tuple[Path, frozenset[str], frozenset[str]]:
        top = Path(repo.working_tree_dir or "").resolve()
        where = ("--", str(folder.resolve()))
        told = repo.git.status("--porcelain", "-z", "--untracked-files", "--no-renames", *where)
        listed = repo.git.ls_files("-z", "-v", "--full-name", "--recurse-submodules", *where)
        dirty = frozenset(line[3:].rstrip("/") for line in str(told).split("\0"))
        plain = (line[2:] for line in str(listed).split("\0") if line.startswith("H "))
        return top, dirty, frozenset(plain)

    found = _answer(folder, question)
    if found is None:
        return lambda _: True
    top, dirty, plain = found

    def may_differ(file: str) -> bool:
        place = folder.resolve() / file
        if not place.resolve().is_relative_to(top):
            return True
        named, real = (path.relative_to(top) for path in (place, place.resolve()))
        parts = (part for path in (named, real) for part in (path, *path.parents))
        changed = any(part.as_posix() in dirty for part in parts)
        return changed or (place.exists() and real.as_posix() not in plain)

    return may_differ


def left_out(folder: Path) -> frozenset[str]:
    """Name the files below a folder that a sparse checkout leaves out of the work tree."""

    def question(repo: Repo) -> frozenset[str]:
        top = Path(repo.working_tree_dir or "").resolve()
        place = below_top(folder, repo)
        listed = str(repo.git.ls_files("-z", "-t", "--full-name", "--", str(top / place)))
        skipped = (Path(line[2:]) for line in listed.split("\0") if line.startswith("S "))
        gone = (path for path in skipped if not (top / path).exists())
        return frozenset(path.relative_to(place).as_posix() for path in gone)

    return _answer(folder, question) or frozenset()


def failures() -> tuple[type[Exception], ...]:
    """Give what may go wrong with git, for whoever can do without its answer."""
    mine = (SettingsWrong, OSError, ValueError, LookupError)
    if not _installed():
        return mine
    from git.exc import GitError

    return (GitError, *mine)


def said(error: Exception) -> str:
    """Give what git said, the reason first, on one line and printable; its advice left out."""
    parts = [str(getattr(error, name, "")) for name in ("stderr", "stdout")]
    told = [quoted[1] if (quoted := _QUOTED.fullmatch(part)) else part for part in parts]
    words = " ".join(_NOISE.sub("", "\n".join(told)).split()) or str(error)
    return "".join(char if char.isprintable() else " " for char in words)[:300]


def _installed() -> bool:
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        import git  # noqa: F401
    except ImportError:
        return False
    return True


def _answer(folder: Path, question: Callable[[Repo], Answer]) -> Answer | None:
    """Ask what a report can do without: ``None`` where git does not say."""
    if not _installed():
        return None
    try:
        with opened(folder) as repo:
            return None if repo is None else question(repo)
    except failures():
        return None


def _is_meant(repo: Repo, folder: Path) -> bool:
    """Tell whether git means the same repository; whether it trusts it, it says only if asked so.

    Once a repository is named by GIT_DIR, git takes it, whoever owns it: its settings name programs
    to run.
    """
    from git.exc import GitCommandError, GitCommandNotFound

    try:
        return Path(calls.found(folder)).samefile(repo.git_dir)
    except GitCommandNotFound as error:
        raise SettingsWrong(
            f"{folder}: git is missing; install it, or set the ledger's mode to none"
        ) from error
    except OSError as error:
        raise SettingsWrong(
            f"{folder}: git cannot be called: {error.strerror or error}; mend that, and run again"
        ) from error
    except GitCommandError as error:
        raise SettingsWrong(
            f"{folder}: git does not take this repository: {said(error)}; mend it, or, if you trust"
            " its owner, name it to git: git config --global --add safe.directory"
            f" {repo.working_tree_dir or repo.git_dir}"
        ) from error


def below_top(folder: Path, repo: Repo) -> str:
    """Say where a folder lies below the top of its work tree; empty for the top itself."""
    top = Path(repo.working_tree_dir or folder).resolve()
    here = folder.resolve()
    inside = here != top and here.is_relative_to(top)
    return here.relative_to(top).as_posix() if inside else ""


def _place(repo: Repo) -> dict[str, str]:
    """Name this repository, since in a hook git's own variables may name another one."""
    place = {"GIT_DIR": str(repo.git_dir), "GIT_INDEX_FILE": str(Path(repo.git_dir) / "index")}
    tree = repo.working_tree_dir
    return place if tree is None else place | {"GIT_WORK_TREE": str(tree)}
