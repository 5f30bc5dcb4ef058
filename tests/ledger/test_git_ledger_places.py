"""Wherever a run may stand, and whatever its remote may be, the ledger works or says why not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ledger.place import REF, SEEN, Clone, keys, ledger, put
from planops.core.ledger import Book
from planops.errors import LedgerMoved, PlanopsError, SettingsWrong, Unreachable
from planops.git.ledger import GitLedger

# ------------------------------------------------------------------------------------- repositories


def works(folder: Path, other: Clone, *, read_first: str) -> None:
    """The ledger is read and written from a folder as from any clone."""
    runs = ledger(folder)
    assert keys(runs.load()) == [read_first]
    tip = put(runs, "winter")
    assert ledger(other).load().tip == tip
    assert keys(ledger(other).load()) == sorted([read_first, "winter"])
    put(ledger(folder, remote=None), "local")
    assert keys(ledger(folder, remote=None).load()) == ["local"]


def test_a_detached_head(clone: Clone, other: Clone) -> None:
    put(other, "summer")
    clone.git("checkout", "--quiet", "--detach")
    before = clone.kept()
    works(clone.folder, other, read_first="summer")
    assert {name for name, _ in clone.kept().items() ^ before.items()} == {f".git/{REF}"}


def test_a_folder_below_the_root(clone: Clone, other: Clone) -> None:
    put(other, "summer")
    works(clone.folder / "plans", other, read_first="summer")


def test_a_linked_work_tree(clone: Clone, other: Clone, tmp_path: Path) -> None:
    put(other, "summer")
    clone.git("worktree", "add", "--quiet", "../linked", "-b", "linked")
    linked = Clone(folder=tmp_path / "linked")
    (linked.folder / "planops.yaml").write_text("kind: Changed\n")
    before, status = clone.kept(), linked.git("status", "--porcelain")
    works(linked.folder, other, read_first="summer")
    assert {name for name, _ in clone.kept().items() ^ before.items()} == {f".git/{REF}"}
    assert linked.git("status", "--porcelain") == status
    assert linked.git("symbolic-ref", "HEAD") == "refs/heads/linked"
    assert keys(ledger(clone).load()) == ["summer", "winter"]


@pytest.mark.parametrize(
    "how",
    [
        ("--depth=1",),
        ("--single-branch", "--branch=side", "--no-tags"),
        ("--no-checkout",),
        ("--depth=1", "--single-branch", "--no-checkout", "--no-tags"),
        ("--filter=blob:none",),
        ("--filter=tree:0", "--depth=1", "--no-checkout"),
        ("--bare",),
        ("--mirror",),
    ],
    ids=" ".join,
)
def test_a_clone_of_any_kind(
    upstream: Clone, other: Clone, tmp_path: Path, how: tuple[str, ...]
) -> None:
    """A CI's checkout holds little, and all that is needed of the ledger is brought."""
    upstream.git("config", "uploadpack.allowFilter", "true")
    (other.folder / "planops.yaml").write_text("kind: Changed\n")
    other.git("commit", "--quiet", "--all", "--message=Another")
    other.git("push", "--quiet", "origin", "main")
    put(other, "summer", "spring")
    put(other, "spring", "summer")
    here = Clone(folder=tmp_path)
    here.git("clone", "--quiet", *how, f"file://{upstream.folder}", "made")
    made = Clone(folder=tmp_path / "made")
    if "--mirror" in how:  # git itself takes no single ref for a remote that is a mirror
        made.git("config", "remote.origin.mirror", "false")
        made.git("update-ref", "-d", REF)
    shallow = made.folder / ".git" / "shallow"
    depth = shallow.read_bytes() if shallow.exists() else b""
    if any("filter" in word for word in how):
        before = _have(made)
        assert keys(ledger(made.folder).load()) == ["spring", "summer"]
        assert not before & _names_of(other, REF)
    else:
        assert keys(ledger(made.folder).load()) == ["spring", "summer"]
    tip = put(ledger(made.folder), "winter")
    assert ledger(other).load().tip == tip
    put(ledger(made.folder, remote=None), "local")
    assert (shallow.read_bytes() if shallow.exists() else b"") == depth


def _have(clone: Clone) -> set[str]:
    listed = clone.git("cat-file", "--batch-check=%(objectname)", "--batch-all-objects")
    return set(listed.splitlines())


def _names_of(clone: Clone, ref: str) -> set[str]:
    tip = ledger(clone, ref).load().tip
    return {row.split()[0] for row in clone.git("rev-list", "--objects", tip).splitlines()}


@pytest.mark.parametrize("bare", [True, False])
def test_a_repository_without_a_commit(upstream: Clone, other: Clone, *, bare: bool) -> None:
    put(other, "summer")
    here = Clone(folder=upstream.folder.parent)
    here.git("init", "--quiet", *(["--bare"] if bare else []), "unborn")
    unborn = Clone(folder=here.folder / "unborn")
    unborn.git("remote", "add", "origin", "../upstream.git")
    works(unborn.folder, other, read_first="summer")
    assert unborn.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert unborn.at("refs/heads/main") == ""


def test_a_repository_that_names_objects_by_sha_256(tmp_path: Path) -> None:
    here, mine = Clone(folder=tmp_path), Clone(folder=tmp_path / "mine")
    here.git("init", "--quiet", "--bare", "--object-format=sha256", "long.git")
    here.git("init", "--quiet", "--object-format=sha256", "mine")
    mine.git("remote", "add", "origin", "../long.git")
    for remote in ("origin", None):
        runs = ledger(mine, remote=remote)
        assert len(put(runs, "summer")) == 64
        put(runs, "winter")
        assert keys(runs.load()) == ["summer", "winter"]


def test_a_clone_with_packed_refs_and_collected_objects(clone: Clone, upstream: Clone) -> None:
    put(clone, "summer")
    put(ledger(clone, remote=None), "local")
    for place in (clone, upstream):
        place.git("pack-refs", "--all")
        place.git("gc", "--quiet", "--prune=now")
    put(clone, "winter")
    put(ledger(clone, remote=None), "more")
    assert keys(ledger(clone).load()) == ["summer", "winter"]
    assert keys(ledger(clone, remote=None).load()) == ["local", "more"]


@pytest.mark.parametrize("words", [(), ("-c", "core.bare=false")])
def test_a_hook_that_runs_planops_elsewhere(
    clone: Clone, other: Clone, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Git's variables name the repository of the hook; the one of the files is meant."""
    put(clone, "summer")
    before = other.kept()
    index = other.folder / ".git" / "hook-index"
    shutil.copy(other.folder / ".git" / "index", index)
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    monkeypatch.setenv("GIT_PREFIX", "plans/")
    if words:
        monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'{words[1]}'")
    content = index.read_bytes()
    put(clone, "winter")
    put(ledger(clone, remote=None), "local")
    assert keys(ledger(clone).load()) == ["summer", "winter"]
    assert keys(ledger(clone, remote=None).load()) == ["local"]
    assert index.read_bytes() == content
    index.unlink()
    assert other.kept() == before


# --------------------------------------------------------------------------------- what is missing


def raised(runs: GitLedger, kind: type[PlanopsError]) -> str:
    """What is said when nothing can be read, which is also said when nothing can be written."""
    with pytest.raises(kind) as read:
        runs.load()
    with pytest.raises(kind) as written:
        put(runs, "summer", tip="")
    assert {type(read.value), type(written.value)} == {kind}
    assert "\n" not in f"{read.value}{written.value}"
    assert (
        str(written.value).replace("be written", "be read").partition(" be read: ")[0]
        == (str(read.value).partition(" be read: ")[0])
    )
    return str(read.value)


@pytest.mark.parametrize("remote", ["origin", None])
def test_no_repository(tmp_path: Path, remote: str | None) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for root in (folder, folder / "not there"):
        assert raised(ledger(root, remote=remote), SettingsWrong) == (
            f"{root}: ledger: this is no git repository, or git is missing; make one, or set the"
            " ledger's mode to none"
        )


@pytest.mark.parametrize("remote", ["origin", None])
def test_no_git(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: str | None
) -> None:
    """Above all it must not look like a ledger without records."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert raised(ledger(clone, remote=remote), SettingsWrong) == (
        f"{clone.folder}: git is missing; install it, or set the ledger's mode to none"
    )


@pytest.mark.parametrize("name", ["upstream", "plans", "origin/main"])
def test_no_such_remote(clone: Clone, name: str) -> None:
    """Git would take the name for a path; what lies there is nobody's remote."""
    Clone(folder=clone.folder / "plans").git("init", "--quiet", "--bare", ".")
    assert raised(ledger(clone, remote=name), SettingsWrong) == (
        f"{name} {REF}: the ledger cannot be used: there is no such remote; name one by"
        " ledger.remote, or set the ledger's mode to local"
    )


def test_a_remote_of_another_name(clone: Clone, upstream: Clone) -> None:
    clone.git("remote", "rename", "origin", "team/main.x")
    tip = put(ledger(clone, remote="team/main.x"), "summer")
    assert upstream.at(REF) == tip


REMOTES = (
    "", "-o", "--upload-pack=touch x", "../upstream.git", "/upstream.git", "a b", "a\nb", "a\0b",
    "https://release.example.com/x.git", "ext::sh -c true", "git@example.com:x", "file:///x",
    "origin/", "a//b", ".", "a" * 300 + "!",
)  # fmt: skip


@pytest.mark.parametrize("name", REMOTES)
def test_what_is_no_remotes_name(clone: Clone, name: str) -> None:
    assert raised(ledger(clone, remote=name), SettingsWrong) == (
        f"ledger.remote {name[:200]!r}: this is no remote's name; write the name of one that git"
        " knows, such as origin"
    )


REFS = (
    "", "-d", "--all", "HEAD", "main", "heads/x", "refs", "refs/", "refs/x", "refs/x/", "/refs/x/y",
    "refs//x", "refs/../x/y", "refs/x/..", "refs/x/../../y", "refs/x/a..b", "refs/x/.a",
    "refs/.x/a", "refs/x/a.lock", "refs/x.lock/a", "refs/x/a.", "refs/x/a@{1}", "refs/x/a b",
    "refs/x/a~1", "refs/x/a^", "refs/x/a:b", "refs/x/a*", "refs/x/a?", "refs/x/[a]", "refs/x/a\\b",
    "refs/x/a\n", "refs/x/a\0", "refs/x/a\x7f", "+refs/x/y", "refs/planops/seen/x",
    "refs/planops/seen", "refs/replace/x", "refs/x/" + "a" * 300 + "*",
)  # fmt: skip


@pytest.mark.parametrize("ref", REFS)
def test_what_is_no_ref(clone: Clone, upstream: Clone, ref: str) -> None:
    before, theirs = clone.kept(), upstream.kept()
    for remote in ("origin", None):
        assert raised(ledger(clone, ref, remote), SettingsWrong) == (
            f"ledger.ref {ref[:200]!r}: this is no ref that can hold a ledger; write a whole one,"
            " such as refs/planops/ledger/prod or refs/heads/planops-ledger"
        )
    assert (clone.kept(), upstream.kept()) == (before, theirs)


@pytest.mark.parametrize("born", [True, False])
@pytest.mark.parametrize("remote", ["origin", None])
def test_the_branch_that_is_checked_out(clone: Clone, remote: str | None, *, born: bool) -> None:
    if not born:
        clone.git("checkout", "--quiet", "--orphan", "new")
    ref = "refs/heads/main" if born else "refs/heads/new"
    before = clone.kept()
    where = f"{remote} {ref}" if remote else ref
    assert raised(ledger(clone, ref, remote), SettingsWrong) == (
        f"{where}: the ledger cannot be on the branch that is checked out; name a ref of its own"
        " by ledger.ref"
    )
    assert clone.kept() == before


# --------------------------------------------------------------------- remotes that do not want to

ADVICE = "; check the remote, and that it takes this ref (ledger.ref may name a branch)"


def refused(clone: Clone, upstream: Clone, *, ref: str = REF, tip: str = "") -> str:
    """What is said when a remote that can be read takes nothing, and nothing has moved."""
    before, theirs = clone.kept(), upstream.refs()
    with pytest.raises(Unreachable) as caught:
        put(ledger(clone, ref), "winter", tip=tip)
    text = str(caught.value)
    assert text.startswith(f"origin {ref}: the ledger cannot be written: ")
    assert text.endswith(ADVICE)
    assert "\n" not in text
    assert (clone.kept(), upstream.refs()) == (before, theirs)
    return text


def test_a_remote_that_vanished(clone: Clone, upstream: Clone) -> None:
    tip = put(clone, "summer")
    shutil.rmtree(upstream.folder)
    text = raised(ledger(clone), Unreachable)
    assert text.startswith(f"origin {REF}: the ledger cannot be read: ")
    assert "'../upstream.git' does not appear to be a git repository" in text
    assert text.endswith(ADVICE)
    assert clone.at(SEEN) == tip


@pytest.mark.parametrize("hook", ["pre-receive", "update", "reference-transaction"])
def test_a_remote_whose_hook_says_no(clone: Clone, upstream: Clone, hook: str) -> None:
    tip = put(clone, "summer")
    upstream.hook(hook, "echo 'branches only, \033[31mplease' >&2; exit 1")
    text = refused(clone, upstream, tip=tip)
    assert "branches only, [31mplease" in text.replace(" [31m", "[31m")
    assert "\033" not in text
    assert keys(ledger(clone).load()) == ["summer"]


def test_a_remote_that_is_a_mirror_takes_the_ledger_and_nothing_else(
    clone: Clone, upstream: Clone
) -> None:
    clone.git("branch", "mine")
    clone.git("config", "remote.origin.mirror", "true")
    before = upstream.refs()
    tip = put(clone, "summer")
    assert upstream.refs() == {**before, REF: tip}
    upstream.git("update-ref", REF, before["refs/heads/main"])
    with pytest.raises(LedgerMoved):
        put(ledger(clone), "winter", tip=tip)
    assert upstream.at(REF) == before["refs/heads/main"]


def test_a_remote_that_hides_the_ref(clone: Clone, upstream: Clone) -> None:
    upstream.git("config", "transfer.hideRefs", "refs/planops")
    assert "hidden ref" in refused(clone, upstream)
    assert ledger(clone).load() == Book()


def test_a_remote_where_the_ref_cannot_be_made(clone: Clone, upstream: Clone) -> None:
    """A ref stands where a folder of refs would have to be; no other run has been faster."""
    upstream.git("update-ref", "refs/planops/ledger", "refs/heads/main")
    assert "be written: remote: error: cannot lock ref" in refused(clone, upstream)


def test_a_remote_where_the_ref_is_locked(clone: Clone, upstream: Clone) -> None:
    """As by a process that was killed, or where the folder takes no files."""
    tip = put(clone, "summer")
    (upstream.folder / f"{REF}.lock").write_text("")
    assert "be written: remote: error: cannot lock ref" in refused(clone, upstream, tip=tip)
    (upstream.folder / f"{REF}.lock").unlink()
    put(clone, "winter")
    assert keys(ledger(clone).load()) == ["summer", "winter"]


def test_a_remote_that_has_the_branch_checked_out(clone: Clone, upstream: Clone) -> None:
    clone.git("checkout", "--quiet", "--detach")
    upstream.git("symbolic-ref", "HEAD", "refs/heads/new")
    upstream.git("config", "core.bare", "false")
    upstream.git("config", "receive.denyCurrentBranch", "refuse")
    upstream.git("config", "core.worktree", "..")
    text = refused(clone, upstream, ref="refs/heads/new")
    assert "branch is currently checked out" in text


def test_a_protocol_that_is_not_allowed(clone: Clone) -> None:
    tip = put(clone, "summer")
    clone.git("config", "protocol.file.allow", "never")
    text = raised(ledger(clone), Unreachable)
    assert "transport 'file' not allowed" in text
    clone.git("config", "protocol.file.allow", "user")
    assert ledger(clone).load().tip == tip


def test_a_remote_that_lost_objects(clone: Clone, other: Clone, upstream: Clone) -> None:
    tip = put(other, "summer")
    lost = upstream.git("rev-parse", f"{tip}:plans")
    (upstream.folder / "objects" / lost[:2] / lost[2:]).unlink()
    before = clone.kept()
    with pytest.raises(Unreachable, match=f"origin {REF}: the ledger cannot be read: "):
        ledger(clone).load()
    assert clone.kept() == before


def test_a_write_whose_answer_is_lost_has_happened(clone: Clone, upstream: Clone) -> None:
    """The remote took it and died before it could say so: looking tells."""
    tip = put(clone, "summer")
    hook = upstream.hook("reference-transaction", 'test "$1" != committed || kill -9 $PPID')
    made = put(clone, "winter", tip=tip)
    assert upstream.git("rev-parse", REF, f"{REF}^").split() == [made, tip]
    with pytest.raises(LedgerMoved):
        put(clone, "autumn", tip=tip)
    hook.unlink()
    assert keys(ledger(clone).load()) == ["summer", "winter"]


def test_a_write_that_is_cut_short_has_not_happened(clone: Clone, upstream: Clone) -> None:
    tip = put(clone, "summer")
    upstream.hook("reference-transaction", 'test "$1" != prepared || kill -9 $PPID')
    with pytest.raises(Unreachable, match=f"origin {REF}: the ledger cannot be written: "):
        put(clone, "winter", tip=tip)
    assert upstream.at(REF) == tip


class _Locked(BaseHTTPRequestHandler):
    """A server that wants a password."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named by the base
        """Say nothing."""


@contextmanager
def _served() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Locked) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/x.git"
        finally:
            server.shutdown()
            thread.join()


def test_nobody_is_asked_for_a_password(clone: Clone) -> None:
    with _served() as url:
        clone.git("remote", "set-url", "origin", url.replace("//", "//somebody:sesame@"))
        text = raised(ledger(clone), Unreachable)
        assert "Authentication failed" in text
        assert "sesame" not in text
        clone.git("remote", "set-url", "origin", url)
        assert "terminal prompts disabled" in raised(ledger(clone), Unreachable)


# ------------------------------------------------------------------ repositories that are not whole


def test_a_local_ref_that_is_broken_is_no_empty_ledger(clone: Clone) -> None:
    """As after a power cut: the file of the ref is there, and empty."""
    put(ledger(clone, remote=None), "summer")
    (clone.folder / ".git" / REF).write_text("")
    with pytest.raises(Unreachable) as caught:
        ledger(clone, remote=None).load()
    assert str(caught.value) == (
        f"{REF}: the ledger cannot be read: the ref is broken; restore it from its reflog or"
        " another clone, or delete it to begin a new ledger"
    )
    with pytest.raises(Unreachable):
        put(ledger(clone, remote=None), "winter", tip="")


def test_a_local_ref_without_its_commit_is_no_empty_ledger(clone: Clone) -> None:
    tip = put(ledger(clone, remote=None), "summer")
    (clone.folder / ".git" / "objects" / tip[:2] / tip[2:]).unlink()
    with pytest.raises(Unreachable, match=f"{REF}: the ledger cannot be used: .*missing object"):
        ledger(clone, remote=None).load()


def test_a_local_ref_that_is_locked(clone: Clone) -> None:
    tip = put(ledger(clone, remote=None), "summer")
    lock = clone.folder / ".git" / f"{REF}.lock"
    lock.write_text("")
    with pytest.raises(
        Unreachable, match=r"the ledger cannot be written: .*; check the repository"
    ):
        put(ledger(clone, remote=None), "winter", tip=tip)
    lock.unlink()
    put(ledger(clone, remote=None), "winter")


def test_what_was_seen_is_locked_by_another_run(clone: Clone, other: Clone) -> None:
    """Two runs in one clone: the commit has been brought, only its note could not be kept."""
    put(clone, "summer")
    tip = put(other, "winter")
    lock = clone.folder / ".git" / f"{SEEN}.lock"
    lock.write_text("")
    assert ledger(clone).load().tip == tip
    assert keys(ledger(clone).load()) == ["summer", "winter"]
    made = put(clone, "spring")
    assert ledger(other).load().tip == made
    lock.unlink()
    assert ledger(clone).load().tip == made
