"""Settings, files and repositories as users leave them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.place import TOKEN, Place
from planops.core.report import ExitCode

COMMANDS = (("validate",), ("diff",), ("apply", "--yes"), ("status",))


def problems(place: Place, *words: str) -> list[str]:
    """What a command finds wrong, by code."""
    ended = place.json(*words)
    assert ended.code == ExitCode.FAILED
    return [problem["code"] for problem in ended.json["problems"]]


# ---------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_settings_there_is_a_report_all_the_same(
    words: tuple[str, ...], place: Place
) -> None:
    (place.folder / "planops.yaml").unlink()
    assert problems(place, *words) == ["no-settings"]
    ended = place.planops(*words)
    assert ended.code == ExitCode.FAILED
    assert f"{place.folder}: no planops.yaml here or above, up to the repository" in ended.out
    assert place.zadig.received == ()


def test_settings_above_the_repository_are_not_found(place: Place) -> None:
    (place.folder / "planops.yaml").rename(place.folder.parent / "planops.yaml")
    assert problems(place, "diff") == ["no-settings"]


BROKEN = {
    "empty": "",
    "a list": "- a\n",
    "no YAML": "targets: [\n",
    "two documents": "---\na: 1\n---\nb: 2\n",
    "unknown key": "apiVersion: planops/v1\nkind: Config\nplans: [a]\ntargets: {}\nextra: 1\n",
    "no text": "\x00\x01",
    "a literal token": "",
    "http elsewhere": "",
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_settings_are_told_with_their_place(
    name: str, words: tuple[str, ...], place: Place
) -> None:
    good = (place.folder / "planops.yaml").read_text()
    content = BROKEN[name]
    if name == "a literal token":
        content = good.replace("${env:ZADIG_TOKEN}", TOKEN)
    if name == "http elsewhere":
        content = good.replace(place.url, "http://zadig.example.com")
    place.write("planops.yaml", content)
    ended = place.planops(*words)
    assert ended.code == ExitCode.FAILED
    assert "planops.yaml:" in ended.out
    assert "error" in ended.out
    assert TOKEN not in ended.both
    assert place.zadig.received == ()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("${env:NOWHERE_TOKEN}", "${env:NOWHERE_TOKEN}: the variable NOWHERE_TOKEN is not set"),
        ("${env:EMPTY_TOKEN}", "${env:EMPTY_TOKEN}: it is empty; put the secret there"),
        ("${file:nowhere}", "${file:nowhere}: No such file or directory; check the path"),
        ("${file:plans}", "${file:plans}: Is a directory; check the path"),
        ("${file:two-lines}", "${file:two-lines}: it is not one line of printable ASCII"),
    ],
)
def test_a_token_that_is_not_there(
    reference: str, said: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY_TOKEN", "")
    place.write("two-lines", "one-secret\ntwo-secret\n")
    settings = (place.folder / "planops.yaml").read_text()
    place.write("planops.yaml", settings.replace("${env:ZADIG_TOKEN}", f'"{reference}"'))
    place.plan()
    assert place.planops("validate").code == ExitCode.OK
    for words in COMMANDS[1:]:
        ended = place.planops(*words)
        assert ended.code == ExitCode.FAILED
        assert said in ended.out
        assert "one-secret" not in ended.both
    assert place.zadig.received == ()


def test_a_token_from_a_file_beside_the_settings(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (place.folder / "planops.yaml").read_text()
    place.write("planops.yaml", settings.replace("${env:ZADIG_TOKEN}", '"${file:secret}"'))
    place.write("secret", f"{TOKEN}\n")
    place.plan()
    monkeypatch.chdir(place.folder / "plans")
    assert place.planops("apply", "--yes").code == ExitCode.OK


def test_validate_needs_no_credentials_and_calls_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZADIG_TOKEN")
    place.plan()
    ended = place.planops("validate")
    assert ended.code == ExitCode.OK
    assert "1 file read, no problems." in ended.out
    assert place.zadig.received == ()


# ------------------------------------------------------------------------------------------- files


def test_one_bad_file_keeps_its_target_from_being_called_and_no_other(place: Place) -> None:
    place.settings("one", "two")
    place.plan("good", target="one")
    place.write(
        "plans/bad.yaml",
        "apiVersion: planops/v1\nkind: ZadigReleasePlan\n"
        "metadata: {name: bad, target: two}\nspec: {name: 1.10}\n",
    )
    place.plan("beside", target="two")
    for words in (("diff",), ("apply", "--yes")):
        ended = place.json(*words)
        assert ended.code in {ExitCode.FAILED, ExitCode.PARTIAL}
        one, two = ended.json["targets"]
        assert not one["notices"]
        assert two["notices"] == ["not called, since files of it are wrong"]
        assert {problem["file"] for problem in ended.json["problems"]} == {"plans/bad.yaml"}
    assert [plan["name"] for plan in place.zadig.plans()] == ["Plan good"]
    for kind, said in (
        ("text", "  not asked, 1 in files: "),
        ("markdown", "not asked, 1 in files; "),
    ):
        shown = place.planops("diff", "--format", kind).out
        assert said in shown
        assert "0 plans on the server" not in shown


def test_all_problems_of_all_files_are_told_at_once(place: Place) -> None:
    place.write("plans/a.yaml", "a: yes\n")
    place.write("plans/b.yaml", "{")
    place.write("plans/c.yaml", "apiVersion: planops/v2\n")
    place.write("plans/d.yaml", "")
    ended = place.planops("validate")
    assert ended.code == ExitCode.FAILED
    for file in "abcd":
        assert f"plans/{file}.yaml" in ended.out
    assert {problem["file"] for problem in place.json("diff").json["problems"]} == {
        f"plans/{file}.yaml" for file in "abcd"
    }
    assert place.zadig.received == ()


def test_no_files_at_all_is_a_warning(place: Place) -> None:
    ended = place.json("validate")
    assert ended.code == ExitCode.OK
    assert [problem["code"] for problem in ended.json["problems"]] == ["no-files"]


@pytest.mark.parametrize("name", ["no\x1b[31mred.yaml", "a\u202eb.yaml", "##[error]x.yaml"])
def test_a_hostile_file_name_never_reaches_the_terminal(name: str, place: Place) -> None:
    place.write(f"plans/{name}", "x: yes\n")
    for kind in ("text", "json", "markdown"):
        said = place.planops("validate", "-f", kind).both
        assert not {"\x1b", "\u202e"} & set(said)
        assert "##[" not in said


# ------------------------------------------------------------------------------------- where we are


def keys(place: Place, *words: str) -> list[str]:
    ended = place.json("diff", *words)
    assert ended.code == ExitCode.OK, ended.both
    return [change["key"] for change in ended.json["changes"]]


def test_the_settings_are_found_from_below(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.plan("a")
    place.plan("sub/b".replace("/", "-"))
    monkeypatch.chdir(place.folder / "plans")
    assert keys(place) == ["a", "sub-b"]


def test_paths_are_meant_from_where_one_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.plan("a")
    place.plan("b")
    (place.folder / "plans/deep").mkdir()
    (place.folder / "plans/b.yaml").rename(place.folder / "plans/deep/b.yaml")
    assert keys(place, "plans/a.yaml") == ["a"]
    assert keys(place, "plans/deep/") == ["b"]
    assert keys(place, "./plans/../plans") == ["a", "b"]
    assert keys(place, ".") == ["a", "b"]
    assert keys(place, str(place.folder / "plans/a.yaml")) == ["a"]
    monkeypatch.chdir(place.folder / "plans/deep")
    assert keys(place, "b.yaml") == ["b"]
    assert keys(place, "../a.yaml") == ["a"]
    assert place.planops("diff", "a.yaml").code == ExitCode.USAGE
    monkeypatch.chdir("/")
    chdir = ("-C", str(place.folder / "plans"))
    assert keys(place, *chdir, "a.yaml") == ["a"]
    assert keys(place, *chdir, "deep") == ["b"]


def test_a_repository_behind_a_symbolic_link(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan("a")
    link = tmp_path / "link"
    link.symlink_to(place.folder)
    monkeypatch.chdir(link)
    monkeypatch.setenv("PWD", str(link))
    assert keys(place) == ["a"]
    assert keys(place, "plans/a.yaml") == ["a"]
    assert keys(place, str(link / "plans/a.yaml")) == ["a"]
    assert keys(place, "-C", str(link / "plans"), "a.yaml") == ["a"]


# --------------------------------------------------------------------------------------------- git


def test_outside_of_a_repository(place: Place, tmp_path: Path) -> None:
    place.plan()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("planops.yaml", "plans"):
        (place.folder / name).rename(elsewhere / name)
    ended = place.json("diff", "-C", str(elsewhere))
    assert ended.code == ExitCode.OK
    assert ended.json["git"] is None
    assert place.planops("diff", "-C", str(elsewhere)).out.startswith("planops diff\n")


def test_a_repository_without_commits(place: Place) -> None:
    place.plan()
    assert place.json("diff").json["git"] is None


def test_the_commit_the_branch_and_a_dirty_tree_are_shown(place: Place) -> None:
    place.plan()
    place.commit()
    head = place.git("rev-parse", "HEAD").strip()
    assert place.json("diff").json["git"] == {"head": head, "branch": "main", "dirty": False}
    assert f"main at {head[:12]}\n" in place.planops("diff").out
    place.plan(description="changed")
    assert place.json("diff").json["git"]["dirty"]
    assert "with changes not committed" in place.planops("diff").out
    place.git("checkout", "--quiet", "--", ".")
    place.plan("untracked")
    assert place.json("diff").json["git"]["dirty"]


def test_a_detached_head_has_no_branch(place: Place) -> None:
    place.plan()
    place.commit()
    place.git("checkout", "--quiet", "--detach")
    head = place.git("rev-parse", "HEAD").strip()
    assert place.json("diff").json["git"] == {"head": head, "branch": "", "dirty": False}
    assert head[:12] in place.planops("diff").out


def test_a_work_tree_beside_the_repository(place: Place, tmp_path: Path) -> None:
    place.plan()
    place.commit()
    place.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "side")
    assert place.json("diff", "-C", str(tmp_path / "tree")).json["git"]["branch"] == "side"


def test_a_folder_made_up_like_a_repository_runs_nothing(place: Place, tmp_path: Path) -> None:
    """A commit can hold such a folder; its settings name a program that ``git status`` runs."""
    place.plan()
    place.commit()
    folder, ran = place.folder / "deploy", tmp_path / "ran"
    shutil.copytree(place.folder / ".git", folder)
    with (folder / "config").open("a", encoding="utf-8") as config:
        config.write(f'\tworktree = {folder}\n\tfsmonitor = "touch {ran}; false"\n')
    for name in ("planops.yaml", "plans"):
        (place.folder / name).rename(folder / name)
    for command in ("validate", "diff"):
        place.planops(command, "-C", "deploy")
        assert not ran.exists()
    ended = place.planops("review", "-C", "deploy", "--base", "main")
    assert ended.code == ExitCode.FAILED
    assert not ran.exists()


def test_a_broken_repository_does_not_end_a_run(place: Place) -> None:
    place.plan()
    place.write(".git/HEAD", "nonsense\n")
    assert place.json("diff").code == ExitCode.OK


def test_a_hostile_branch_never_reaches_the_terminal(place: Place) -> None:
    place.plan()
    place.write(".git/HEAD", "ref: refs/heads/a\u202eb\n")
    place.commit()
    for kind in ("text", "json", "markdown"):
        assert "\u202e" not in place.planops("diff", "-f", kind).both


def test_the_environment_of_a_git_hook_does_not_mislead(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan()
    place.commit()
    head = place.git("rev-parse", "HEAD").strip()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    found = place.json("diff").json["git"]
    assert found == {"head": head, "branch": "main", "dirty": False}


def test_nothing_is_written_into_the_repository(place: Place) -> None:
    place.plan()
    place.commit()
    before = {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")}
    for words in COMMANDS:
        assert place.planops(*words).code == ExitCode.OK
    assert {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")} == before
