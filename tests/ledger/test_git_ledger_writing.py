"""What is written is read again, by whoever looks, and nothing else in any repository moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.place import NOW, REF, SEEN, Clone, document, keys, ledger, put, record
from planops.core.ledger import MAX_BYTES, Book, Lease, lease_document
from planops.errors import LedgerMoved, Refused, Unreachable

BRANCH = "refs/heads/planops-ledger"


# ------------------------------------------------------------------------------- one after another


@pytest.mark.parametrize("ref", [REF, BRANCH, "refs/x.y/ä-b/@"])
@pytest.mark.parametrize("remote", ["origin", None])
def test_runs_write_one_after_another(
    clone: Clone, upstream: Clone, ref: str, remote: str | None
) -> None:
    runs = ledger(clone, ref, remote)
    assert runs.load() == Book()
    first = put(runs, "summer")
    assert runs.load() == Book(tip=first, records={"summer": record("summer")})
    second = runs.write(first, {"plans/summer.json": None, **document("winter")}, "more", NOW)
    assert runs.load() == Book(tip=second, records={"winter": record("winter")})
    third = runs.write(second, {"plans/winter.json": None}, "all gone", NOW)
    assert runs.load() == Book(tip=third)
    place = upstream if remote else clone
    assert place.at(ref) == third
    assert place.git("rev-list", "--reverse", ref).split() == [first, second, third]


def test_another_clone_sees_it(clone: Clone, other: Clone) -> None:
    tip = put(clone, "summer")
    assert ledger(other).load() == Book(tip=tip, records={"summer": record("summer")})
    assert put(other, "winter") == ledger(clone).load().tip
    assert keys(ledger(clone).load()) == ["summer", "winter"]


def test_an_upstream_without_a_commit_takes_a_ledger(tmp_path: Path) -> None:
    here, mine = Clone(folder=tmp_path), Clone(folder=tmp_path / "mine")
    here.git("init", "--quiet", "--bare", "empty.git")
    here.git("init", "--quiet", "mine")
    mine.git("remote", "add", "origin", "../empty.git")
    assert ledger(mine).load() == Book()
    put(mine, "summer")
    assert keys(ledger(mine).load()) == ["summer"]


def test_a_local_ledger_stays_here(clone: Clone, upstream: Clone, other: Clone) -> None:
    before = upstream.kept()
    put(ledger(clone, remote=None), "summer")
    assert keys(ledger(clone, remote=None).load()) == ["summer"]
    assert ledger(clone).load() == ledger(other).load() == Book()
    assert upstream.kept() == before


def test_what_is_not_named_stays(clone: Clone) -> None:
    put(clone, "autumn", "summer")
    lease = Lease(holder="me", run="r", until=NOW + 300, seconds=300)
    path, data = lease_document(lease)
    tip = ledger(clone).load().tip
    tip = ledger(clone).write(tip, {path: data, **document("summer", note="x")}, "m", NOW)
    assert ledger(clone).load() == Book(
        tip=tip,
        records={"autumn": record("autumn"), "summer": record("summer", note="x")},
        lease=lease,
    )


def test_removing_what_is_not_there_is_no_failure(clone: Clone) -> None:
    tip = ledger(clone).write("", {"plans/summer.json": None}, "m", NOW)
    assert ledger(clone).load() == Book(tip=tip)
    tip = ledger(clone).write(tip, {}, "m", NOW)
    assert ledger(clone).load() == Book(tip=tip)


@pytest.mark.parametrize(
    "path", ["plans/a/b.json", 'plans/"\n.json', "plans/é.json", "README.md", "plans", "a b"]
)
def test_whatever_does_not_belong_there_can_be_removed(
    clone: Clone, upstream: Clone, path: str
) -> None:
    tip = put(clone, "summer")
    upstream.git("read-tree", tip)
    blob = upstream.blob(b"x")
    if path == "plans":
        upstream.git("read-tree", "--empty")
    upstream.git("update-index", "-z", "--index-info", data=f"100644 {blob}\t{path}\0".encode())
    spoilt = upstream.commit(upstream.git("write-tree"), tip)
    upstream.git("update-ref", REF, spoilt)
    assert ledger(clone).load().tip == spoilt
    mended = ledger(clone).write(spoilt, {path: None, **document("winter")}, "m", NOW)
    wanted = (
        ["plans/winter.json"] if path == "plans" else ["plans/summer.json", "plans/winter.json"]
    )
    assert upstream.git("ls-tree", "-r", "--name-only", mended).splitlines() == wanted
    assert not ledger(clone).load().damages


# ------------------------------------------------------------------------------- what it looks like


def test_documents_are_stored_as_they_are(clone: Clone, isolated: Path) -> None:
    """No line ends are turned and no filters run, whatever files in the work tree go through."""
    isolated.write_text("[core]\n\tautocrlf = true\n\teol = crlf\n")
    (clone.folder / ".gitattributes").write_text("* text eol=crlf\n*.json filter=none\n")
    tip = put(clone, "summer")
    [(path, data)] = document("summer").items()
    assert data is not None
    assert clone.git("cat-file", "blob", f"{tip}:{path}") + "\n" == data.decode()
    assert clone.git("ls-tree", "-r", tip).startswith("100644 blob ")
    assert keys(ledger(clone).load()) == ["summer"]


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("apply prod: summer", "apply prod: summer"),
        ("one\n\ntwo\n# three\n", "one\n\ntwo\n# three"),
        ("# a comment?", "# a comment?"),
        ("", ""),
        ("发布 \U0001f680 é", "发布 \U0001f680 é"),
        ("a\x00b\x01c\x1b[31md\re\tf\x7fg\x9bh", "a�b�c�[31md�e�f�g�h"),
        ("half \ud800 a pair", "half � a pair"),
        ("\u202eturned", "�turned"),
        ("data 3\nfrom 0\nD plans\ndone", "data 3\nfrom 0\nD plans\ndone"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_a_message_is_kept_and_harms_no_terminal(clone: Clone, message: str, kept: str) -> None:
    tip = ledger(clone, remote=None).write("", document("summer"), message, NOW)
    assert clone.git("cat-file", "commit", tip).partition("\n\n")[2] == kept
    assert keys(ledger(clone, remote=None).load()) == ["summer"]


def test_nobodys_name_is_needed_and_nobodys_is_taken(
    clone: Clone, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = "[commit]\n\tgpgsign = true\n[push]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n"
    isolated.write_text(f"[user]\n\tuseConfigOnly = true\n{sign}")
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_DATE"):
        monkeypatch.setenv(name, "1 Jan 2001 somebody")
    tip = put(clone, "summer")
    head = clone.git("cat-file", "commit", tip).split("\n\n")[0].splitlines()[1:]
    me = f"planops <planops@localhost> {NOW} +0000"
    assert head == [f"author {me}", f"committer {me}"]


# ------------------------------------------------------------------------------- nothing else moves


@pytest.mark.parametrize("ref", [REF, BRANCH])
def test_nothing_of_the_users_moves(clone: Clone, upstream: Clone, other: Clone, ref: str) -> None:
    """Not the work tree, nor the index, HEAD, FETCH_HEAD, a ref, a reflog or the settings."""
    (clone.folder / "planops.yaml").write_text("kind: Changed\n")
    (clone.folder / "new.yaml").write_text("x\n")
    clone.git("add", "new.yaml")
    (clone.folder / "new.yaml").write_text("y\n")
    put(ledger(other, ref), "autumn")
    before, theirs = clone.kept(), upstream.refs()
    runs = ledger(clone, ref)
    assert keys(runs.load()) == ["autumn"]
    assert clone.kept() == before
    tip = put(runs, "summer")
    with pytest.raises(LedgerMoved):
        put(runs, "summer", tip="")
    assert upstream.refs() == theirs | {ref: tip}
    # A push of a branch moves the branch that tracks it, here as everywhere.
    tracking = (".git/refs/remotes/origin/planops-ledger", ".git/logs/refs/remotes/origin/planops-")
    after = clone.kept()
    assert {name: data for name, data in after.items() if not name.startswith(tracking)} == before


@pytest.mark.parametrize("ref", [REF, BRANCH])
def test_nothing_but_the_ref_moves_in_mode_local(clone: Clone, ref: str) -> None:
    before, refs = clone.kept(), clone.refs()
    tip = put(ledger(clone, ref, None), "summer")
    assert clone.refs() == refs | {ref: tip}
    moved = set(clone.kept().items() ^ before.items())
    assert {name for name, _ in moved} <= {f".git/{ref}", f".git/logs/{ref}"}


def test_what_was_seen_is_all_that_stays_behind(clone: Clone) -> None:
    tip = put(clone, "summer")
    assert {ref: at for ref, at in clone.refs().items() if "planops" in ref} == {SEEN: tip}


def test_what_was_seen_decides_nothing(clone: Clone, other: Clone) -> None:
    """It may be gone, or of another ledger with a name that comes to the same, or no commit."""
    tip = put(clone, "summer")
    clone.git("update-ref", "-d", SEEN)
    assert ledger(clone).load().tip == tip
    clone.git("update-ref", SEEN, clone.at("refs/heads/main"))
    assert keys(ledger(clone).load()) == ["summer"]
    clone.git("update-ref", SEEN, clone.blob(b"x"))
    assert keys(ledger(clone).load()) == ["summer"]
    same = ledger(clone, "refs/planops-ledger/prod")
    assert same.load() == Book()
    put(same, "winter")
    assert keys(ledger(clone).load()) == ["summer"]
    assert keys(same.load()) == keys(ledger(other, same.ref).load()) == ["winter"]


def test_no_hook_of_the_users_runs(clone: Clone, isolated: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    names = (
        "pre-push", "reference-transaction", "pre-commit", "commit-msg", "prepare-commit-msg",
        "post-commit", "post-checkout", "post-merge", "pre-auto-gc", "post-index-change",
        "fsmonitor-watchman", "post-rewrite",
    )  # fmt: skip
    for name in names:
        clone.hook(name, f"echo {name} >> {told}; exit 1")
    clone.git("config", "core.hooksPath", str(clone.folder / ".git" / "hooks"))
    isolated.write_text("[gc]\n\tauto = 1\n")
    put(clone, "summer")
    put(ledger(clone, remote=None), "summer")
    assert keys(ledger(clone).load()) == keys(ledger(clone, remote=None).load()) == ["summer"]
    assert not told.exists()


def test_settings_of_the_user_do_not_matter(clone: Clone, upstream: Clone, other: Clone) -> None:
    for name, value in {
        "push.followTags": "true", "push.recurseSubmodules": "on-demand", "push.default": "nothing",
        "fetch.prune": "true", "fetch.pruneTags": "true", "fetch.recurseSubmodules": "true",
        "fetch.writeCommitGraph": "true", "fetch.output": "compact", "remote.origin.prune": "true",
        "remote.origin.tagOpt": "--tags", "transfer.fsckObjects": "true", "color.ui": "always",
        "core.abbrev": "4", "core.quotePath": "true", "core.ignoreCase": "true",
        "core.logAllRefUpdates": "always", "fastimport.unpackLimit": "1", "alias.push": "!false",
        "push.useForceIfIncludes": "true", "remote.origin.push": "refs/heads/*:refs/heads/*",
    }.items():  # fmt: skip
        clone.git("config", name, value)
    clone.git("config", "--add", "remote.origin.fetch", "+refs/*:refs/mirrored/*")
    for name in ("receive.fsckObjects", "receive.denyNonFastForwards", "receive.denyDeletes"):
        upstream.git("config", name, "true")
    other.git("tag", "-a", "-m", "x", "v1", "main")
    other.git("push", "--quiet", "origin", "v1")
    put(other, "autumn")
    theirs, mine = upstream.refs(), clone.refs()
    put(clone, "summer")
    tip = put(clone, "winter")
    assert keys(ledger(clone).load()) == ["autumn", "summer", "winter"]
    assert upstream.refs() == theirs | {REF: tip}
    found = clone.refs()
    assert {name: at for name, at in found.items() if not name.startswith("refs/mirrored/")} == (
        mine | {SEEN: tip}
    )


# ----------------------------------------------------------------------------- what is not written


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_failure_leaves_nothing(clone: Clone, upstream: Clone, remote: str | None) -> None:
    """Fast-import finds no commit to stand on; its crash report goes too."""
    runs = ledger(clone, remote=remote)
    put(runs, "summer")
    before, theirs = clone.kept(), upstream.kept()
    with pytest.raises(Unreachable, match="Not a valid commit: 1111"):
        put(runs, "winter", tip="1" * 40)
    assert (clone.kept(), upstream.kept()) == (before, theirs)
    assert keys(runs.load()) == ["summer"]


def test_a_failure_half_way_leaves_nothing(clone: Clone, upstream: Clone) -> None:
    """The folder that a document belongs into cannot be read, long after the commit was begun."""
    tip = put(clone, "summer")
    before, theirs = clone.kept(), upstream.kept()
    lost = clone.git("rev-parse", f"{tip}:plans")
    (clone.folder / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(Unreachable, match=f"the ledger cannot be used: .*{lost}"):
        ledger(clone).write(tip, {"lease.json": b"x", **document("winter")}, "m", NOW)
    assert (clone.kept(), upstream.kept()) == (before, theirs)


@pytest.mark.parametrize(
    "path",
    [
        "", "plans", "plans/", "README.md", "/plans/a.json", "plans/../a.json", "plans/a/b.json",
        "plans/A.json", "plans/a.json\n", "plans/a.json\nD plans/b.json", '"plans/a.json"',
        ".git/config", "intents/.json", "plans/a.yaml",
    ],
)  # fmt: skip
def test_what_is_no_document_is_not_written(clone: Clone, upstream: Clone, path: str) -> None:
    with pytest.raises(Refused) as caught:
        ledger(clone).write("", {**document("summer"), path: b"x"}, "m", NOW)
    assert str(caught.value) == f"origin {REF}: {path!r} is the name of no document of a ledger"
    assert upstream.at(REF) == ""


def test_what_could_not_be_read_again_is_not_written(clone: Clone, upstream: Clone) -> None:
    with pytest.raises(Refused) as caught:
        ledger(clone).write("", {"plans/a.json": b" " * (MAX_BYTES + 1)}, "m", NOW)
    assert str(caught.value) == (
        f"origin {REF}: plans/a.json has 4194305 bytes; at most 4194304 could be read again;"
        " make the plan smaller"
    )
    assert upstream.at(REF) == ""
