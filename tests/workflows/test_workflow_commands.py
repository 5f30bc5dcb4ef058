"""Every command line in workflows and templates is one that planops understands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from planops.cli.group import COMMANDS, planops_command
from planops.cli.options import FORMATS
from planops.starter.files import compose
from workflows.reading import ROOT, STARTS, Workflow, everything, parse, reusable


def texts() -> Iterator[str]:
    yield from (workflow.text for workflow in everything())
    for name in ("gitlab", "gitlab-brpm"):
        yield from (file.text for file in compose(STARTS[name]) if file.path.startswith(".gitlab/"))


def lines() -> list[str]:
    """The words of every call, with what GitHub puts in taken out or replaced by an example."""
    found = []
    for text in texts():
        found += re.findall(
            r"^ +(?:- )?(?:run: )?planops ([a-z].*?)(?: \|\|.*)?$", text, re.MULTILINE
        )
        found += re.findall(r"arguments: (?!>)(.*)$", text, re.MULTILINE)
        found += re.findall(r"arguments: >-\n((?: {12}.*\n)+)", text)
    numbered = [re.sub(r"\$\{\{ [\w.]+\.number \}\}|\"\$NUMBER\"", "12", line) for line in found]
    calls = {" ".join(re.sub(r"\$\{\{.*?\}\}", "", line).split()) for line in numbered}
    return sorted(calls - {""})


def understood(line: str) -> None:
    """Parse a call as the command would. Raises what click raises.

    What a command does not have yet is left out: publishing, formats, and the review itself.
    """
    name, *words = line.split()
    if name not in COMMANDS:
        assert name == "review", line
        return
    parent = click.Context(planops_command, **planops_command.context_settings)
    command = planops_command.get_command(parent, name)
    assert command is not None
    flags = {flag for option in command.params for flag in option.opts}
    kept: list[str] = []
    for word in words:
        kind = word.partition("=")[0]
        if kept[-1:] == ["--format"] and kind in {"github", "gitlab", "junit"} - {*FORMATS}:
            kept.pop()
        elif word in flags or word != "--publish":
            kept.append(word)
    command.make_context(name, kept, parent=parent)


@pytest.mark.parametrize("line", lines())
def test_a_call_is_understood(line: str) -> None:
    understood(line)


def test_calls_are_found() -> None:
    assert {line.split()[0] for line in lines()} == {"validate", "review", "apply", "drift"}
    assert "review --publish --pull-request 12" in lines()
    with pytest.raises(click.UsageError):
        understood("apply --nonsense")


def test_the_hook_is_a_command() -> None:
    (hook,) = parse((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "planops-validate"
    assert hook["language"] == "python"
    assert (hook["pass_filenames"], hook["types"]) == ("false", ["yaml"])
    understood(hook["entry"].removeprefix("planops "))


@pytest.mark.parametrize("workflow", [each for each in reusable() if each.kind != "validate"])
def test_the_example_of_more_arguments_is_one_that_the_command_takes(workflow: Workflow) -> None:
    told = workflow.tree["on"]["workflow_call"]["inputs"]["arguments"]["description"]
    (example,) = re.findall(r"such as (--[a-z-]+)\.", told)
    command = "apply" if workflow.kind == "reconcile" else workflow.kind
    understood(f"{command} {example}")
