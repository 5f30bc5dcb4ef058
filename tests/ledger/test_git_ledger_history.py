"""The history is told the same to everybody, whatever they have set, and whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.place import NOW, REF, Clone, document, ledger, put
from planops.git.history import Entry, entries

AT = "2023-11-14 22:13:20Z"

HOSTILE = """\
[log]
\tshowSignature = true
\tfollow = true
\tdecorate = full
\tdate = raw
\tmailmap = true
\tshowRoot = false
\tdiffMerges = on
\tabbrevCommit = true
[format]
\tpretty = fuller
\tnotes = true
[i18n]
\tlogOutputEncoding = UTF-16
\tcommitEncoding = ISO-8859-1
[color]
\tui = always
[gpg]
\tprogram = false
[notes]
\tdisplayRef = refs/notes/*
[diff]
\trenames = copies
[core]
\tabbrev = 4
\tquotePath = true
\tpager = false
[mailmap]
\tfile = /nowhere
[alias]
\trev-list = !false
\tlog = !false
"""


def told(clone: Clone, key: str | None = None, number: int = 20) -> list[tuple[str, ...]]:
    return [(one.at, one.subject, *one.body) for one in entries(ledger(clone), key, number)]


def test_it_is_told_newest_first(clone: Clone) -> None:
    assert entries(ledger(clone), None, 20) == ()
    first, second = put(clone, "summer"), put(clone, "winter")
    found = entries(ledger(clone), None, 20)
    assert found == (
        Entry(commit=second, at=AT, subject="apply prod: winter", body=()),
        Entry(commit=first, at=AT, subject="apply prod: summer", body=()),
    )
    assert entries(ledger(clone), "summer", 20) == found[1:]
    assert entries(ledger(clone), None, 1) == found[:1]
    assert entries(ledger(clone), "nobody", 20) == ()


def test_settings_of_the_user_change_nothing(clone: Clone, isolated: Path) -> None:
    """A record that takes over another's content is no rename of it."""
    tip = put(clone, "summer")
    [(_, data)] = document("summer").items()
    runs, message = ledger(clone), "Übernommen\n\nVon: jemandem\n\n\nBy: ✓"
    runs.write(tip, {"plans/summer.json": None, "plans/winter.json": data}, message, NOW)
    clone.git("notes", "add", "-m", "a note", tip)
    plain = [told(clone), told(clone, "winter")]
    assert plain[1] == [(AT, "Übernommen", "Von: jemandem", "By: ✓")]
    assert plain[0] == [*plain[1], (AT, "apply prod: summer")]
    isolated.write_text(HOSTILE)
    assert [told(clone), told(clone, "winter")] == plain


def test_what_signs_a_commit_is_not_told(clone: Clone, upstream: Clone, isolated: Path) -> None:
    tip = put(clone, "summer")
    signed = upstream.git("cat-file", "commit", tip).replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n", 1
    )
    made = upstream.git("hash-object", "-t", "commit", "-w", "--stdin", data=f"{signed}\n".encode())
    upstream.git("update-ref", REF, made)
    isolated.write_text(HOSTILE)
    assert told(clone) == [(AT, "apply prod: summer")]


@pytest.mark.parametrize(
    ("head", "message", "entry"),
    [
        (f"{NOW} +0000", b"a\x01b\n\nc\x01\x02\x00d", (AT, "a\x01b", "c\x01\x02")),
        (
            f"{NOW} +0000",
            b"commit 1\ncommit 2\n\ncommit 3\n",
            (AT, "commit 1 commit 2", "commit 3"),
        ),
        (f"{NOW} +0000", b"", (AT, "")),
        ("99999999999999 +0000", b"x", ("at no time", "x")),
        ("none at all", b"x", ("at no time", "x")),
    ],
)
def test_whatever_somebody_wrote(
    clone: Clone, upstream: Clone, head: str, message: bytes, entry: tuple[str, ...]
) -> None:
    put(clone, "spring")
    tip = put(clone, "summer")
    tree = upstream.git("rev-parse", f"{tip}^{{tree}}")
    who = f"tree {tree}\nauthor T <t@example.com> {head}\ncommitter T <t@example.com> {head}\n\n"
    words = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    upstream.git("update-ref", REF, upstream.git(*words, data=who.encode() + message))
    assert told(clone) == [entry]


def test_a_commit_that_stands_for_another_is_not_told(clone: Clone) -> None:
    tip = put(clone, "summer")
    clone.git("replace", "-f", tip, clone.at("refs/heads/main"))
    assert told(clone) == [(AT, "apply prod: summer")]
