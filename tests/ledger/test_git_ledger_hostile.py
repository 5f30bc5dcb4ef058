"""A ledger as an enemy or an accident leaves it in git: read with care, and without end nowhere."""

from __future__ import annotations

import pytest

from ledger.place import NOW, REF, SEEN, Clone, document, keys, ledger, put, record
from planops.core.ledger import MAX_BYTES, Book, Damage
from planops.errors import LedgerMoved, SettingsWrong, Unreachable
from planops.git import blobs
from planops.git import ledger as module
from planops.git.history import entries
from planops.git.repository import opened

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def data_of(key: str) -> bytes:
    """A sound document."""
    [data] = document(key).values()
    assert data is not None
    return data


def hold(place: Clone, *plans: str, root: tuple[str, ...] = (), ref: str = REF) -> str:
    """Let a repository hold a ledger of these rows of trees, whatever they are."""
    sound = place.blob(data_of("summer"))
    folder = place.tree(*plans, f"100644 blob {sound} summer.json")
    tip = place.commit(place.tree(*root, f"040000 tree {folder} plans"))
    place.git("update-ref", ref, tip)
    return tip


# ----------------------------------------------------------------------------- what stands in trees

NO_JSON = "it is no JSON document"
NO_KEY = "its name is no plan's key"


@pytest.mark.parametrize(
    ("name", "mode", "kind", "why"),
    [
        ("winter.json", "120000", "blob", NO_JSON),
        ("winter.json", "160000", "commit", NO_JSON),
        ("winter.json", "040000", "tree", NO_JSON),
        ("winter", "040000", "tree", NO_KEY),
        ("winter.yaml", "100644", "blob", NO_KEY),
        ("Winter.json", "100644", "blob", NO_KEY),
        ("win\nter.json", "100644", "blob", NO_KEY),
        ("win ter\t.json", "100644", "blob", NO_KEY),
        ("win\udcffter.json", "100644", "blob", NO_KEY),
        ("-winter.json", "100644", "blob", NO_KEY),
        (".git", "040000", "tree", NO_KEY),
        ("..", "040000", "tree", NO_KEY),
    ],
)
@pytest.mark.parametrize("folder", ["plans", "intents"])
def test_what_is_no_document(
    clone: Clone, upstream: Clone, folder: str, name: str, mode: str, kind: str, why: str
) -> None:
    """A link may lead out of the repository, a submodule is fetched from anywhere: none is read."""
    inner = {
        "blob": upstream.blob(b"../../../etc/passwd" if mode == "120000" else data_of("winter")),
        "commit": "1" * 40,
        "tree": upstream.tree(f"100644 blob {upstream.blob(data_of('winter'))} x.json"),
    }[kind]
    row = f"{mode} {kind} {inner} {name}"
    if folder == "plans":
        tip = hold(upstream, row)
    else:
        tip = hold(upstream, root=(f"040000 tree {upstream.tree(row)} intents",))
    shown = name.replace("\udcff", "\\xff")
    assert ledger(clone).load() == Book(
        tip=tip,
        records={"summer": record("summer")},
        damages=(Damage(path=f"{folder}/{shown}", why=why),),
    )


def test_a_file_that_may_be_run_is_a_file(clone: Clone, upstream: Clone) -> None:
    hold(upstream, f"100755 blob {upstream.blob(data_of('winter'))} winter.json")
    assert keys(ledger(clone).load()) == ["summer", "winter"]


@pytest.mark.parametrize("mode", ["100644", "120000", "160000"])
@pytest.mark.parametrize("name", ["plans", "intents"])
def test_no_folder_where_one_should_be(clone: Clone, upstream: Clone, name: str, mode: str) -> None:
    lease = upstream.blob(b"{}")
    inner = "1" * 40 if mode == "160000" else upstream.blob(b"intents")
    kind = "commit" if mode == "160000" else "blob"
    tree = upstream.tree(f"{mode} {kind} {inner} {name}", f"100644 blob {lease} lease.json")
    upstream.git("update-ref", REF, upstream.commit(tree))
    found = ledger(clone).load()
    assert (
        found.damages
        == (
            Damage(path=name, why="it is no folder"),
            Damage(path="lease.json", why="it says no format"),
        )[:: 1 if name < "lease" else -1]
    )
    ledger(clone).write(found.tip, {name: None, "lease.json": None}, "mend", NOW)
    assert not ledger(clone).load().damages


@pytest.mark.parametrize("kind", ["tree", "commit"])
def test_a_lease_that_is_no_file(clone: Clone, upstream: Clone, kind: str) -> None:
    inner = upstream.tree() if kind == "tree" else "1" * 40
    mode = "040000" if kind == "tree" else "160000"
    hold(upstream, root=(f"{mode} {kind} {inner} lease.json",))
    found = ledger(clone).load()
    assert (found.lease, [one.path for one in found.damages]) == (None, ["lease.json"])
    assert list(found.records) == ["summer"]


def test_what_lies_beside_is_not_read(clone: Clone, upstream: Clone) -> None:
    readme = upstream.blob(b"A ledger.\n")
    hold(upstream, root=(f"100644 blob {readme} README.md",))
    assert keys(ledger(clone).load()) == ["summer"]
    put(clone, "winter")
    assert upstream.git("show", f"{REF}:README.md") == "A ledger."


def test_a_document_that_is_too_large_is_not_read(clone: Clone, upstream: Clone) -> None:
    full = upstream.blob(data_of("full").ljust(MAX_BYTES))
    over = upstream.blob(b"x" * (MAX_BYTES + 1000))
    hold(upstream, f"100644 blob {full} full.json", f"100644 blob {over} over.json")
    found = ledger(clone).load()
    assert sorted(found.records) == ["full", "summer"]
    assert found.damages == (
        Damage(path="plans/over.json", why="it has 4194305 bytes; at most 4194304 are read"),
    )


def test_a_tree_with_more_paths_than_could_be_listed(clone: Clone, upstream: Clone) -> None:
    """Twelve trees, and ten to the twelfth paths."""
    tree = upstream.tree(f"100644 blob {upstream.blob(b'x')} x.json")
    for _ in range(12):
        tree = upstream.tree(*(f"040000 tree {tree} {letter}" for letter in "abcdefghij"))
    hold(upstream, f"040000 tree {tree} bomb", root=(f"040000 tree {tree} bomb",))
    found = ledger(clone, REF).load()
    assert list(found.records) == ["summer"]
    assert [one.path for one in found.damages] == ["plans/bomb"]


TOO_MUCH = "; name another by ledger.ref"


def test_one_document_under_very_many_names(clone: Clone, upstream: Clone) -> None:
    """A few kilobytes in git, and gigabytes where each is read; here none is."""
    blob = upstream.blob(b" " * MAX_BYTES)
    tip = hold(upstream, *(f"100644 blob {blob} a{number}.json" for number in range(200)))
    with pytest.raises(SettingsWrong) as caught:
        ledger(clone).load()
    total = 200 * MAX_BYTES + len(data_of("summer"))
    assert str(caught.value) == (
        f"origin {REF}: the ledger cannot be read: it has 201 documents of {total} bytes; at most"
        f" 100000 of 536870912 are read{TOO_MUCH}"
    )
    assert clone.at(SEEN) == tip


def test_more_documents_than_there_can_be_plans(
    clone: Clone, upstream: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_DOCUMENTS", 3)
    blob = upstream.blob(b"{}")
    hold(upstream, *(f"100644 blob {blob} a{number}.json" for number in range(2)))
    assert len(ledger(clone).load().damages) == 2
    hold(upstream, *(f"100644 blob {blob} a{number}.json" for number in range(3)))
    with pytest.raises(SettingsWrong, match=r"it has 4 documents of [0-9]+ bytes; at most 3 of "):
        ledger(clone).load()


def test_equal_documents_are_each_read(clone: Clone, upstream: Clone) -> None:
    blob = upstream.blob(b"{}")
    hold(upstream, f"100644 blob {blob} a.json", f"100644 blob {blob} b.json")
    found = ledger(clone).load()
    assert [one.why for one in found.damages] == ["it says no format"] * 2


def test_a_document_that_the_repository_lost(clone: Clone) -> None:
    """The others are read all the same."""
    tip = put(clone, "summer", "winter")
    lost = clone.git("rev-parse", f"{tip}:plans/winter.json")
    (clone.folder / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    found = ledger(clone).load()
    assert found.records == {"summer": record("summer")}
    assert found.damages == (Damage(path="plans/winter.json", why=NO_JSON),)


def test_a_document_that_is_lost_while_it_is_read(clone: Clone) -> None:
    """It was listed, and is not there any more when it is asked for."""
    put(clone, "summer")
    blob = clone.git("rev-parse", f"{SEEN}:plans/summer.json")
    with opened(clone.folder) as repo:
        assert repo is not None
        assert blobs.read(repo, ["1" * 40, blob, "2" * 40, blob]) == {blob: data_of("summer")}
        assert blobs.read(repo, []) == {}


# --------------------------------------------------------------------------- what the ref leads to


@pytest.mark.parametrize("remote", ["origin", None])
@pytest.mark.parametrize("kind", ["blob", "tree", "tag"])
def test_a_ref_that_leads_to_no_commit(
    clone: Clone, upstream: Clone, kind: str, remote: str | None
) -> None:
    place = upstream if remote else clone
    place.git("tag", "-a", "-m", "x", "v1", "main")
    found = {"blob": place.blob(b"x"), "tree": EMPTY_TREE, "tag": place.git("rev-parse", "v1")}
    place.tree()
    place.git("update-ref", REF, found[kind])
    with pytest.raises(SettingsWrong) as caught:
        ledger(clone, remote=remote).load()
    where = f"origin {REF}" if remote else REF
    assert str(caught.value) == (
        f"{where}: the ledger cannot be read: the ref holds no commit but a {kind};"
        " name another by ledger.ref"
    )
    with pytest.raises(LedgerMoved if remote else SettingsWrong):
        put(ledger(clone, remote=remote), "summer", tip="")
    assert place.at(REF) == found[kind]


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_branch_of_the_files_is_no_ledger(
    clone: Clone, upstream: Clone, remote: str | None
) -> None:
    clone.git("branch", "side")
    found = ledger(clone, "refs/heads/side", remote)
    where = "origin refs/heads/side" if remote else "refs/heads/side"
    for asked in (found.load, found.tip, lambda: entries(found, None, 20)):
        with pytest.raises(SettingsWrong) as caught:
            asked()
        assert str(caught.value) == (
            f"{where}: this is no ledger: it holds 'planops.yaml' and no document; name a ref of"
            " its own by ledger.ref"
        )
    assert upstream.at("refs/heads/side") == upstream.at("refs/heads/main")


def test_a_ref_whose_name_ends_the_same_is_another(clone: Clone, upstream: Clone) -> None:
    """Git matches names from the end, in reading and in pushing: it is neither read nor written."""
    there = put(clone, "winter")
    tip = hold(upstream, ref=f"refs/heads/{REF}")
    assert keys(ledger(clone).load()) == ["winter"]
    with pytest.raises(Unreachable, match="matches more than one"):
        put(clone, "spring", tip=there)
    assert (upstream.at(REF), upstream.at(f"refs/heads/{REF}")) == (there, tip)
    upstream.git("update-ref", "-d", REF)
    assert ledger(clone).load() == Book()
    with pytest.raises(Unreachable, match="stale info"):
        put(clone, "winter", tip="")
    assert (upstream.at(REF), upstream.at(f"refs/heads/{REF}")) == ("", tip)


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_ref_that_has_others_below_it_is_not_there(
    clone: Clone, upstream: Clone, remote: str | None
) -> None:
    hold(upstream if remote else clone, ref=f"{REF}/below")
    assert ledger(clone, remote=remote).load() == Book()


def test_a_local_ref_that_leads_to_another_is_written_itself(clone: Clone) -> None:
    clone.git("update-ref", "refs/heads/side", hold(clone))
    clone.git("symbolic-ref", REF, "refs/heads/side")
    before = clone.at("refs/heads/side")
    runs = ledger(clone, remote=None)
    tip = put(runs, "winter")
    assert keys(runs.load()) == ["summer", "winter"]
    assert (clone.at(REF), clone.at("refs/heads/side")) == (tip, before)


def test_a_ledger_whose_history_was_rewritten(clone: Clone, other: Clone, upstream: Clone) -> None:
    old = put(clone, "summer")
    upstream.git("update-ref", "-d", REF)
    new = put(other, "winter")
    with pytest.raises(LedgerMoved) as caught:
        put(clone, "autumn", tip=old)
    assert str(caught.value) == (
        f"origin {REF}: another run wrote into the ledger first; run again"
    )
    assert ledger(clone).load() == Book(tip=new, records={"winter": record("winter")})
    upstream.git("update-ref", REF, old)
    assert ledger(clone).load() == Book(tip=old, records={"summer": record("summer")})


def test_a_ledger_that_was_removed(clone: Clone, upstream: Clone) -> None:
    old = put(clone, "summer")
    upstream.git("update-ref", "-d", REF)
    with pytest.raises(LedgerMoved):
        put(clone, "winter", tip=old)
    assert ledger(clone).load() == Book()
    put(clone, "autumn")
    assert keys(ledger(clone).load()) == ["autumn"]


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_commit_that_stands_for_another_is_not_taken(clone: Clone, remote: str | None) -> None:
    """Git lets a ref under refs/replace exchange one commit for another."""
    runs = ledger(clone, remote=remote)
    tip = put(runs, "summer")
    clone.git("replace", tip, hold(clone, ref="refs/x/forged"))
    clone.git("replace", clone.git("rev-parse", "refs/x/forged"), tip, "-f")
    clone.git("replace", "-f", tip, clone.at("refs/heads/main"))
    assert runs.load() == Book(tip=tip, records={"summer": record("summer")})
    put(runs, "winter")
    assert keys(runs.load()) == ["summer", "winter"]
