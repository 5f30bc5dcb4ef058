"""A repository is used only if git itself would use it, and git is asked so that it can say no."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.place import Clone, keys, ledger, put
from planops.errors import SettingsWrong
from planops.git.history import entries
from planops.git.repository import descends, facts, said


@pytest.fixture
def elsewhere(other: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook of another repository, whose variables name that one."""
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_PREFIX", "plans/")


@pytest.fixture
def strange(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """To git every repository is somebody else's, as in git's own tests; what it runs is told."""
    clone.git("config", "core.fsmonitor", "touch ran; false")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    return monkeypatch


def untrusted(clone: Clone) -> str:
    return (
        f"{clone.folder}: git does not take this repository: fatal: detected dubious ownership in"
        f" repository at '{clone.folder}'; mend it, or, if you trust its owner, name it to git:"
        f" git config --global --add safe.directory {clone.folder}"
    )


@pytest.mark.usefixtures("strange")
@pytest.mark.parametrize("remote", ["origin", None])
def test_an_owner_that_git_does_not_trust(
    clone: Clone, upstream: Clone, remote: str | None
) -> None:
    """Its settings name programs to run: nothing is asked of it."""
    before, theirs = clone.kept(), upstream.kept()
    runs = ledger(clone, remote=remote)
    for step in (runs.load, runs.tip, lambda: put(runs, "summer", tip="")):
        with pytest.raises(SettingsWrong) as caught:
            step()
        assert str(caught.value) == untrusted(clone)
    with pytest.raises(SettingsWrong):
        entries(runs, None, 5)
    assert facts(clone.folder) is None
    assert not descends(clone.folder, "HEAD")
    assert (clone.kept(), upstream.kept()) == (before, theirs)


@pytest.mark.usefixtures("elsewhere", "strange")
def test_a_hooks_variables_lend_no_trust(clone: Clone) -> None:
    """With GIT_DIR set git asks nobody who owns what."""
    with pytest.raises(SettingsWrong) as caught:
        ledger(clone).load()
    assert str(caught.value) == untrusted(clone)
    assert facts(clone.folder) is None


def test_an_owner_whom_the_user_trusts(
    clone: Clone, isolated: Path, strange: pytest.MonkeyPatch
) -> None:
    isolated.write_text("[safe]\n\tdirectory = *\n")
    put(clone, "summer")
    assert keys(ledger(clone).load()) == ["summer"]
    assert (found := facts(clone.folder / "plans")) is not None
    strange.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
    assert (found.head, found.branch) == (clone.at("refs/heads/main"), "main")
    assert found.folder == "plans"
    assert descends(clone.folder, found.head)


@pytest.mark.usefixtures("elsewhere")
def test_a_hooks_variables_do_not_lead_elsewhere(clone: Clone) -> None:
    (clone.folder / "new.yaml").write_text("x\n")
    found = facts(clone.folder)
    assert (found and found.dirty) is True
    assert keys(ledger(clone).load()) == []


def test_a_repository_of_settings_that_git_cannot_read(clone: Clone) -> None:
    (clone.folder / ".git" / "config").write_text("[core\n")
    with pytest.raises(SettingsWrong) as caught:
        ledger(clone).load()
    assert str(caught.value).startswith(
        f"{clone.folder}: git does not take this repository: fatal: bad config line 1 in file"
    )
    assert facts(clone.folder) is None


def test_a_link_into_another_repository(clone: Clone, other: Clone) -> None:
    """By its name a folder belongs to one repository, by where it is, to git, to the other."""
    (clone.folder / "link").symlink_to(other.folder / "plans")
    assert facts(clone.folder / "link") is None
    with pytest.raises(SettingsWrong, match="this is no git repository"):
        ledger(clone.folder / "link").load()


def test_new_files_are_seen_whatever_the_user_wants_to_see(clone: Clone, isolated: Path) -> None:
    isolated.write_text("[status]\n\tshowUntrackedFiles = no\n")
    assert (found := facts(clone.folder)) is not None
    assert not found.dirty
    (clone.folder / "plans" / "new.yaml").write_text("x\n")
    assert (found := facts(clone.folder)) is not None
    assert found.dirty


class Failed(Exception):
    """As GitPython raises it."""

    def __init__(self, out: str, err: str) -> None:
        super().__init__("failed")
        self.stdout = f"\n  stdout: '{out}'" if out else ""
        self.stderr = f"\n  stderr: '{err}'" if err else ""


@pytest.mark.parametrize(
    ("out", "err", "told"),
    [
        ("", "", "failed"),
        ("", "fatal: it's\nbroken\n", "fatal: it's broken"),
        (
            "To ../x.git\n!\ta:b\t[rejected] (stale info)\nDone",
            (
                "remote: no, \x1b[31mplease\nerror: failed to push some refs to '../x.git'\n"
                "hint: Updates were rejected\nremote: hint: read the manual"
            ),
            "remote: no,  [31mplease ! a:b [rejected] (stale info)",
        ),
        ("", "hint: Waiting for your editor to close the file...", "failed"),
        ("", "x" * 400, "x" * 300),
    ],
)
def test_the_reason_comes_first(out: str, err: str, told: str) -> None:
    assert said(Failed(out, err)) == told
