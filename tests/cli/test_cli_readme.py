"""The README as a test: its YAML validates, its commands are understood, its codes are true."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from cli.place import ROOT, Place, command, later, parse
from planops.cli.group import COMMANDS
from planops.core.guards import NAMES
from planops.core.report import ExitCode

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("C*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def blocks(text: str, language: str) -> list[str]:
    return [found[2] for found in BLOCK.finditer(text) if found[1] == language]


def command_lines(text: str) -> list[str]:
    """Every ``planops …`` of the ``sh`` blocks, and of what stands as code in the text."""
    lines = [line.strip() for block in blocks(text, "sh") for line in block.splitlines()]
    lines += INLINE.findall(BLOCK.sub("", text))
    return [
        re.sub(r"^\S*bin/(?=planops )", "", line).partition(" #")[0].partition(" > ")[0]
        for line in lines
        if re.match(r"(?:\S*bin/)?planops(?: |$)", line)
    ]


def understood(line: str) -> None:
    """Parse a command line as far as the command itself would. Raises what click raises."""
    words = shlex.split(re.sub(r"\[(KEY|NAME)\]", r"\1", re.sub(r"\[(--[^\]]+)\]", r"\1", line)))
    assert words[0] == "planops"
    if not words[1:]:
        return
    if words[1].startswith("-"):
        assert words[1:] in (["--help"], ["--version"])
        return
    assert words[1] in COMMANDS, line
    parse(words[1], [word for word in words[2:] if word not in {"…", "..."}])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_understood(
    page: object, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    text = (ROOT / str(page)).read_text(encoding="utf-8")
    for line in command_lines(text):
        understood(line)


def test_the_readme_has_commands_to_understand() -> None:
    assert len(command_lines(README)) >= 10
    with pytest.raises(click.UsageError):
        understood("planops diff --nonsense")
    with pytest.raises(AssertionError):
        understood("planops nonsense")


def test_every_command_of_the_table_is_there_and_every_command_is_in_the_table() -> None:
    rows = re.findall(r"^\| `planops (\S+?)(?: [^`]*)?` \|", README, re.MULTILINE)
    assert rows == list(COMMANDS)


def test_the_plan_and_the_settings_validate_and_can_be_compared(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, mainframe, settings, target = blocks(README, "yaml")
    place.write("planops.yaml", settings + target)
    both = checkout.replace("metadata:\n", "metadata:\n  target: zadig-prod\n")
    place.write("plans/checkout.yaml", both)
    place.write("plans/mainframe.yaml", mainframe)
    monkeypatch.delenv("ZADIG_TOKEN")
    ended = place.json("validate")
    assert ended.json["problems"] == []
    assert (ended.code, ended.json["files"]) == (ExitCode.OK, 2)
    place.write("planops.yaml", settings)
    (place.folder / "plans/mainframe.yaml").unlink()
    place.write("plans/checkout.yaml", checkout)
    assert place.json("validate").json["problems"] == []


def test_what_the_readme_says_of_the_plan_is_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZADIG_TOKEN", "sandbox-admin-token")
    place.write("plans/checkout.yaml", later(blocks(README, "yaml")[0]))
    shown = place.planops("diff").out
    assert "checkout-2026-12" in shown
    assert "planning → finish_planning → wait_for_approval" in shown


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    line = re.search(r"^Exit codes: (.*?)\. \[More\]", README, re.MULTILINE)
    assert line is not None
    listed = {int(code) for code in re.findall(r"(?:^|; )(\d+) ", line[1])}
    assert listed <= {code.value for code in ExitCode}
    assert {0, 1, 2, 3, 4, 5, 6, 64, 70, 130} <= listed


def test_the_exit_codes_of_the_help_are_those_of_the_code(place: Place) -> None:
    text = " ".join(
        place.planops("--help").out.partition("Exit codes: ")[2].split("Options:")[0].split()
    )
    listed = {int(code) for code in re.findall(r"(?:^|; )(\d+) ", text)}
    used = {code.value for code in ExitCode}
    assert listed == used


def test_every_option_and_variable_that_the_readme_names_is_there() -> None:
    options = {"--help", "--version"}
    for name in COMMANDS:
        given = (each for each in command(name).params if isinstance(each, click.Option))
        options.update(flag for each in given for flag in each.opts)
    named = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", " ".join(INLINE.findall(README))))
    assert named - options == set()
    allowed = re.findall(r"--allow ([a-z-]+)", README)
    assert allowed
    assert set(allowed) <= set(NAMES)


def test_every_linked_file_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_first_steps_work(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANOPS_YES", "1")  # nobody is at a terminal here
    place.write("plans/checkout.yaml", later(blocks(README, "yaml")[0]))
    for words in (["validate"], ["diff"], ["apply"]):
        assert f"planops {words[0]}\n" in "".join(blocks(README, "sh"))
        assert place.planops(*words).code == ExitCode.OK
    (made,) = place.zadig.plans()
    assert made["status"] == "wait_for_approval"
