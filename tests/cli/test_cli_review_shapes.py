"""Pull requests of many shapes: what a review says of them is what merging does."""

from __future__ import annotations

from typing import Any

import pytest

from cli.place import Ended, Place
from planops.core.report import ExitCode

OPEN = "oops: [\n"


@pytest.fixture
def kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Applied plans on ``main``, one of them with an approval; what follows is on ``main`` too."""
    place.reviewable(monkeypatch)
    place.waiting("asked", description="one")
    applied(place)
    return place


def applied(place: Place, *words: str) -> None:
    place.commit()
    assert place.planops("apply", "--yes", *words).code == ExitCode.OK


def branch(place: Place) -> None:
    """Commit what there is, and begin the pull request."""
    place.git("add", "--all")
    place.git("commit", "--quiet", "--allow-empty", "--message", "The base")
    place.git("checkout", "--quiet", "-b", "feature")


def edit(place: Place, name: str, old: str, new: str) -> None:
    file = place.folder / f"plans/{name}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def remove(place: Place, *names: str) -> None:
    for name in names:
        (place.folder / f"plans/{name}.yaml").unlink()


def named(place: Place, name: str) -> str:
    return next(str(one["id"]) for one in place.zadig.plans() if one["name"] == f"Plan {name}")


def reviewed(place: Place, *words: str) -> tuple[Ended, str]:
    """Commit the pull request, go back, and review it: as JSON, and as Markdown."""
    place.commit()
    place.git("checkout", "--quiet", "main")
    words = ("--base", "main", "--head", "feature", *words)
    told = place.planops("review", *words, "--format", "markdown")
    return place.json("review", *words), told.out


def merged(place: Place, *words: str) -> int:
    """Merge and apply; how many calls that made."""
    place.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    before = len(place.zadig.writes)
    place.planops("apply", "--yes", *words)
    return len(place.zadig.writes) - before


def share(ended: Ended, key: str) -> Any:
    (change,) = (one for one in ended.json["changes"] if one["key"] == key)
    return change["review"]


def test_a_guard_that_is_lifted_makes_the_calls_that_it_refused(kept: Place) -> None:
    edit(kept, "asked", '"one"', '"two"')
    branch(kept)
    with (kept.folder / "plans/asked.yaml").open("a") as file:
        file.write('manage: {allow: [{guard: reopen, reason: "moved"}]}\n')
    ended, told = reviewed(kept)
    assert share(ended, "asked")["calls"] is True
    assert "**Merging makes 4 calls: " in told
    assert "pending without this pull request" not in told
    assert merged(kept) == 4


def test_calls_that_the_base_s_wrong_files_held_up_are_an_alarm(kept: Place) -> None:
    edit(kept, "train", '"one"', '"two"')
    kept.write("plans/bad.yaml", OPEN)
    branch(kept)
    remove(kept, "bad")
    ended, told = reviewed(kept)
    assert (share(ended, "train")["alarm"], share(ended, "other")["causes"]) == (True, False)
    assert "**Merging makes 1 call: " in told
    assert "files of it are wrong in the base, so that nothing is called here" in told
    assert merged(kept) == 1


def test_calls_that_a_limit_held_up_are_an_alarm(kept: Place) -> None:
    for number in range(9):
        kept.plan(f"new-{number}", description="x")
    branch(kept)
    remove(kept, *(f"new-{number}" for number in range(7)))
    ended, told = reviewed(kept)
    assert (share(ended, "new-7")["alarm"], ended.json["review"]["risk"]) == (True, "attention")
    assert "**Merging makes 2 calls: " in told
    assert "the base alone is refused by mass-change, so that nothing is called here" in told
    assert merged(kept) == 2


def test_a_target_that_is_stopped_with_it_and_without_it_is_no_alarm(kept: Place) -> None:
    for number in range(9):
        kept.plan(f"new-{number}", description="x")
    branch(kept)
    remove(kept, "new-0")
    ended, told = reviewed(kept)
    assert (ended.code, ended.json["review"]["risk"]) == (ExitCode.OK, "routine")
    assert not any(change["review"]["alarm"] for change in ended.json["changes"])
    assert "the base alone" not in told
    assert "**Merging changes nothing on the server.**" in told
    assert "this stands without the pull request, too" in told
    words = ("review", "--base", "main", "--head", "feature", "--format")
    assert "mass-change" not in kept.planops(*words, "github").out
    assert 'failures="0"' in kept.planops(*words, "junit").out
    assert merged(kept) == 0


def test_what_is_to_be_done_to_a_target_that_is_stopped_is_refused(kept: Place) -> None:
    for number in range(9):
        kept.plan(f"new-{number}", description="x")
    branch(kept)
    edit(kept, "new-0", '"x"', '"y"')
    ended, told = reviewed(kept)
    assert (ended.code, ended.json["review"]["risk"]) == (ExitCode.REFUSED, "blocked")
    assert "**Merging makes no call: what it asks for is refused.**" in told
    assert (
        "mass-change"
        in kept.planops(
            *("review", "--base", "main", "--head", "feature", "--format", "github")
        ).out
    )
    assert merged(kept) == 0


def test_deletions_that_are_refused_because_of_it_are_an_alarm(kept: Place) -> None:
    for number in range(4):
        kept.plan(f"new-{number}", description="x")
    applied(kept)
    remove(kept, "new-0", "new-1", "new-2")
    branch(kept)
    remove(kept, "new-3")
    ended, _ = reviewed(kept, "--prune")
    told = share(ended, "new-0")
    assert (told["touched"], told["guards"], told["alarm"]) == (False, True, True)
    assert share(ended, "new-3")["alarm"] is False
    assert merged(kept, "--prune") == 0


def test_a_file_that_went_long_ago_is_not_changed_by_every_pull_request(kept: Place) -> None:
    remove(kept, "other")
    branch(kept)
    edit(kept, "train", '"one"', '"two"')
    ended, told = reviewed(kept)
    assert share(ended, "other")["touched"] is False
    assert "of which nothing comes" not in told


@pytest.mark.parametrize("words", [(), ("--prune",)])
def test_a_file_that_comes_back_is_no_white_space(kept: Place, words: tuple[str, ...]) -> None:
    text = (kept.folder / "plans/other.yaml").read_text()
    remove(kept, "other")
    branch(kept)
    kept.write("plans/other.yaml", text)
    ended, told = reviewed(kept, *words)
    assert (share(ended, "other")["new"], share(ended, "other")["causes"]) == (True, True)
    assert "a new file for a plan that the server has" in told
    assert "is managed once this is merged" in told
    assert "of which nothing comes" not in told
    assert merged(kept, *words) == 0


def test_a_plan_that_is_taken_by_its_name_is_no_white_space(kept: Place) -> None:
    branch(kept)
    kept.plant("hers", description="three")
    kept.plan("hers", description="three")
    ended, told = reviewed(kept, "--adopt-by-name")
    assert share(ended, "hers")["causes"] is True
    assert "is managed once this is merged" in told
    assert merged(kept, "--adopt-by-name") == 0


def test_a_plan_of_that_name_that_is_not_taken_is_not_said_to_be_managed(kept: Place) -> None:
    branch(kept)
    kept.plant("hers", description="four")
    kept.plan("hers", description="three")
    _, told = reviewed(kept)
    assert "refused by adopt" in told
    assert "is managed once this is merged" not in told


def test_what_is_not_compared_any_more_is_not_settled(kept: Place) -> None:
    for name in ("train", "other"):
        kept.zadig.edit(named(kept, name), {"description": "theirs"})
    branch(kept)
    remove(kept, "other")
    ended, told = reviewed(kept)
    assert share(ended, "other")["settled"] == []
    assert "merging settles it" not in told


def conflicting(kept: Place) -> None:
    """Let the head and its base edit the same line, and the base be applied since."""
    branch(kept)
    edit(kept, "other", '"one"', '"two"')
    kept.plan("new", description="x")
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    edit(kept, "other", '"one"', '"three"')
    edit(kept, "train", '"one"', '"two"')
    kept.plan("late", description="x")
    settings = (kept.folder / "planops.yaml").read_text()
    kept.write("planops.yaml", f"{settings}# a word more\n")
    applied(kept)


@pytest.mark.parametrize("words", [(), ("--prune",)])
def test_a_conflict_is_no_reason_to_forget_what_the_base_has(
    kept: Place, words: tuple[str, ...]
) -> None:
    conflicting(kept)
    words = ("--base", "main", "--head", "feature", *words)
    ended = kept.json("review", *words)
    assert (ended.json["review"]["clean"], ended.json["review"]["settings"]) == (False, [])
    assert {c["key"] for c in ended.json["changes"] if c["steps"]} == {"new", "other"}
    assert share(ended, "other")["caused"] == ["/spec/description"]
    told = kept.planops("review", *words, "--format", "markdown").out
    assert "what conflicts is taken as the head has it" in told
    assert "pending without this pull request" not in told
    assert "of which nothing comes" not in told


@pytest.mark.parametrize("gone", ["in the base", "in the head"])
def test_a_file_that_one_side_removes_and_the_other_edits_is_as_the_head_has_it(
    kept: Place, gone: str
) -> None:
    branch(kept)
    if gone == "in the base":
        edit(kept, "other", '"one"', '"two"')
    else:
        remove(kept, "other")
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    if gone == "in the base":
        remove(kept, "other")
    else:
        edit(kept, "other", '"one"', '"two"')
    kept.commit()
    ended = kept.json("review", "--base", "main", "--head", "feature")
    assert ended.json["review"]["clean"] is False
    told = share(ended, "other")
    assert (told["new"], told["removed"]) == (gone == "in the base", gone == "in the head")


def test_settings_below_the_top_are_no_reason_to_read_marks_of_a_conflict(kept: Place) -> None:
    for name in ("planops.yaml", "plans"):
        (kept.folder / "deep").mkdir(exist_ok=True)
        (kept.folder / name).rename(kept.folder / "deep" / name)
    branch(kept)
    for side, text in (("feature", '"two"'), ("main", '"three"')):
        kept.git("checkout", "--quiet", side)
        file = kept.folder / "deep/plans/other.yaml"
        file.write_text(file.read_text().replace('"one"', text))
        kept.write("README", f"{text}\n")
        kept.commit()
    ended = kept.json("review", "-C", "deep", "--base", "main", "--head", "feature")
    assert (ended.json["review"]["clean"], ended.json["problems"]) == (False, [])
    assert share(ended, "other")["caused"] == ["/spec/description"]


def test_a_conflict_under_another_name_is_compared_from_where_the_head_left(kept: Place) -> None:
    branch(kept)
    edit(kept, "other", '"one"', '"two"')
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    edit(kept, "other", '"one"', '"three"')
    (kept.folder / "plans/other.yaml").rename(kept.folder / "plans/moved.yaml")
    settings = (kept.folder / "planops.yaml").read_text()
    kept.write("planops.yaml", f"{settings}# a word more\n")
    kept.commit()
    ended = kept.json("review", "--base", "main", "--head", "feature")
    assert (ended.json["review"]["clean"], ended.json["problems"]) == (False, [])
    assert share(ended, "other")["caused"] == ["/spec/description"]


def test_a_file_of_several_plans_of_which_one_changes_is_no_white_space(kept: Place) -> None:
    one, two = ((kept.folder / f"plans/{name}.yaml").read_text() for name in ("train", "other"))
    remove(kept, "train", "other")
    kept.write("plans/both.yaml", f"{one}---\n{two}")
    branch(kept)
    edit(kept, "both", f"---\n{two}", "---\n" + two.replace('"one"', '"two"'))
    ended, told = reviewed(kept)
    assert (share(ended, "train")["causes"], share(ended, "other")["causes"]) == (False, True)
    assert "of which nothing comes" not in told
    assert merged(kept) == 1


def test_what_is_refused_without_it_is_no_error_of_the_pull_request(kept: Place) -> None:
    edit(kept, "asked", '"one"', '"two"')
    branch(kept)
    edit(kept, "train", '"one"', '"two"')
    ended, _ = reviewed(kept)
    assert ended.code == ExitCode.OK
    words = ("review", "--base", "main", "--head", "feature", "--format")
    for form in ("github", "gitlab", "sarif"):
        assert "reopen" not in kept.planops(*words, form).out
    cases = kept.planops(*words, "junit").out
    assert ('failures="0"' in cases, "refused by reopen" in cases) == (True, True)
    assert "not caused by this pull request" in cases


def test_annotations_name_files_from_the_top(kept: Place) -> None:
    (kept.folder / "deep").mkdir()
    for name in ("planops.yaml", "plans"):
        (kept.folder / name).rename(kept.folder / "deep" / name)
    branch(kept)
    file = kept.folder / "deep/plans/asked.yaml"
    file.write_text(file.read_text().replace('"one"', '"two"'))
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    words = ("review", "-C", "deep", "--base", "main", "--head", "feature", "--format", "github")
    assert "::error file=deep/plans/asked.yaml,line=4," in kept.planops(*words).out


def test_changed_settings_are_annotated_where_they_are(kept: Place) -> None:
    (kept.folder / "deep").mkdir()
    for name in ("planops.yaml", "plans"):
        (kept.folder / name).rename(kept.folder / "deep" / name)
    settings = (kept.folder / "deep/planops.yaml").read_text().replace("${env:ZADIG_TOKEN}", "")
    kept.write("deep/planops.yaml", settings.replace("token: ", "token: ${file:../secret}"))
    kept.write("secret", "sandbox-admin-token\n")
    branch(kept)
    kept.write("deep/planops.yaml", (kept.folder / "deep/planops.yaml").read_text() + "# more\n")
    kept.write("secret", "another\n")
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    words = ("review", "-C", "deep", "--base", "main", "--head", "feature", "--format")
    told = kept.planops(*words, "github").out
    assert "::warning file=deep/planops.yaml,line=1," in told
    assert "::warning file=secret,line=1," in told
    found = kept.planops(*words, "json").json["review"]["settings"]
    assert found == ["deep/planops.yaml", "secret"]


@pytest.mark.parametrize("command", ["review", "validate"])
def test_settings_that_would_be_wrong_once_they_are_merged_are_wrong_before(
    kept: Place, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch(kept)
    text = (kept.folder / "planops.yaml").read_text()
    kept.write("planops.yaml", text.replace("backend: zadig", "backend: zodig"))
    edit(kept, "train", '"one"', '"two"')
    kept.commit()
    monkeypatch.setenv("PLANOPS_BASE", "main")
    since = len(kept.zadig.received)
    ended = kept.json(command)
    assert ended.code == ExitCode.FAILED
    errors = [one for one in ended.json["problems"] if one["severity"] == "error"]
    assert [(one["file"], one["line"]) for one in errors] == [("planops.yaml", 6)]
    assert len(kept.zadig.received) == since
    kept.git("checkout", "--quiet", "main")
    kept.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    monkeypatch.delenv("PLANOPS_BASE")
    assert kept.planops("apply", "--yes").code == ExitCode.FAILED


ADDED = (
    "this pull request adds it, and it is used once that is merged; merge the settings by"
    " themselves first to see what this plan does"
)


@pytest.mark.parametrize("command", ["review", "validate"])
@pytest.mark.parametrize(("target", "hint"), [("other", ADDED), ("another", "write `prod`")])
def test_a_target_that_a_pull_request_adds_is_told_from_one_that_nobody_knows(
    kept: Place, target: str, hint: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch(kept)
    text = (kept.folder / "planops.yaml").read_text()
    more = text[text.index("  prod:") :].replace("  prod:", "  other:")
    kept.write("planops.yaml", text + more)
    kept.plan("new", target=target)
    for file in (kept.folder / "plans").glob("*.yaml"):
        found = file.read_text()
        if "target:" not in found:
            file.write_text(found.replace("metadata: {", "metadata: {target: prod, "))
    kept.commit()
    monkeypatch.setenv("PLANOPS_BASE", "main")
    words = ("--base", "main") if command == "review" else ()
    ended = kept.json(command, *words)
    (error,) = (one for one in ended.json["problems"] if one["severity"] == "error")
    assert (error["code"], error["file"]) == ("unknown-target", "plans/new.yaml")
    assert error["message"] == f"the settings have no target `{target}`"
    assert error["hint"] == hint
    assert ended.code == ExitCode.FAILED


def test_marks_of_a_conflict_are_no_wrong_settings(kept: Place) -> None:
    branch(kept)
    text = (kept.folder / "planops.yaml").read_text()
    for side, more in (("feature", "2"), ("main", "3")):
        kept.git("checkout", "--quiet", side)
        kept.write("planops.yaml", f"{text}    concurrency: {more}\n")
        kept.commit()
    ended = kept.json("review", "--base", "main", "--head", "feature")
    assert ended.json["review"]["settings"] == ["planops.yaml"]
    assert {one["code"] for one in ended.json["problems"]} == {"settings-changed"}
    assert ended.code == ExitCode.OK


def test_what_merging_leaves_is_not_said_to_become_what_the_file_says(kept: Place) -> None:
    """Neither in the table nor as the plan's window."""
    kept.ledgered("local", "drift: report")
    kept.zadig.edit(named(kept, "asked"), {"end_time": 4_000_000_000})
    kept.zadig.edit(named(kept, "other"), {"description": "theirs"})
    branch(kept)
    edit(kept, "asked", "Hello", "Bye")
    edit(kept, "other", '"description": "one", ', "")
    ended, told = reviewed(kept, "--allow", "reopen")
    told = told.replace("&#95;", "_").replace("&#58;", ":").replace("&#34;", '"')
    (left,) = (line for line in told.splitlines() if line.startswith("| <code>/spec/end_time"))
    assert "| stays as it is; the file says <code>" in left
    (released,) = (line for line in told.splitlines() if '"theirs"' in line)
    assert "| stays as it is |" in released
    assert "2096-10-02 07:06Z</code>" in told.partition("**Caused by")[0]
    words = ("review", "--base", "main", "--head", "feature", "--allow", "reopen")
    offline = kept.planops(*words, "--offline", "--format", "markdown").out
    assert "stays as it is" not in offline
    assert merged(kept, "--allow", "reopen") == 4
    plans = {str(one["name"]): one for one in kept.zadig.plans()}
    assert plans["Plan asked"]["end_time"] == 4_000_000_000
    assert plans["Plan other"]["description"] == "theirs"
    assert ended.code == ExitCode.OK


def test_a_target_that_is_stopped_cancels_no_approval(kept: Place) -> None:
    branch(kept)
    for number in range(9):
        kept.plan(f"new-{number}", description="x")
    edit(kept, "asked", '"one"', '"two"')
    _, told = reviewed(kept, "--allow", "reopen")
    assert "**Merging makes no call: what it asks for is refused.**" in told
    assert "It cancels" not in told
    assert merged(kept, "--allow", "reopen") == 0
