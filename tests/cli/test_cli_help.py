"""Help, usage, and what is loaded for them."""

from __future__ import annotations

import re
import shlex

import click
import pytest

import planops
from cli.place import Place, command, parse
from planops.cli.group import COMMANDS
from planops.core.report import ExitCode

HEAVY = ("httpx", "git", "jsonschema", "deepdiff", "starlette", "uvicorn", "stamina")
LOADED = f"""
import sys
from planops.cli.group import run
code = run(sys.argv[1:])
print("loaded:", *sorted({{*{HEAVY!r}}} & sys.modules.keys()), file=sys.stderr)
sys.exit(code)
"""


def options(name: str) -> list[click.Option]:
    return [each for each in command(name).params if isinstance(each, click.Option)]


def examples(text: str) -> list[str]:
    return re.findall(r"^ +(planops .*)$", text.partition("Example")[2], re.MULTILINE)


# -------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_is_for_people(words: tuple[str, ...], flag: str, place: Place) -> None:
    ended = place.planops(*words, flag)
    assert ended.code == ExitCode.OK
    assert ended.err == ""
    assert ended.out.startswith(f"Usage: {' '.join(('planops', *words))} ")
    assert [line for line in ended.out.splitlines() if len(line) > 90] == []
    assert not set("\\\b\x1b\t") & set(ended.out)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_on_lines_of_their_own(name: str, place: Place) -> None:
    shown = place.planops(name, "--help").out
    assert examples(shown)
    for line in examples(shown):
        words = shlex.split(line.partition(" > ")[0])
        assert words[:2] == ["planops", name]
        parse(name, words[2:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_an_environment_name_and_says_so(name: str, place: Place) -> None:
    shown = " ".join(place.planops(name, "--help").out.split())
    for option in options(name):
        assert option.help, option.opts
        assert isinstance(option.envvar, str), option.opts
        assert option.envvar.startswith("PLANOPS_")
        assert f"env var: {option.envvar}" in shown


def test_an_environment_name_means_one_option() -> None:
    known: dict[str, set[str]] = {}
    for name in COMMANDS:
        for option in options(name):
            known.setdefault(str(option.envvar), set()).add(str(option.name))
    assert {name: meant for name, meant in known.items() if len(meant) > 1} == {}


def test_help_lists_every_command_with_its_purpose(place: Place) -> None:
    shown = place.planops("--help").out
    for name, purpose in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(purpose)}$", shown, re.MULTILINE)
        assert (command(name).help or "").partition("\n")[0].endswith(".")


def test_version(place: Place) -> None:
    assert place.planops("--version").out == f"planops, version {planops.__version__}\n"


def test_no_command_shows_the_help_as_usage(place: Place) -> None:
    ended = place.planops()
    assert ended.code == ExitCode.USAGE
    assert "Commands:" in ended.both


# ------------------------------------------------------------------------------------- environment


def test_the_environment_gives_what_the_command_line_does_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.settings("one", "two")
    place.plan("a", target="one", labels="{team: x}")
    place.plan("b", target="two", labels="{team: x}")
    for name, value in {
        "PLANOPS_CHDIR": str(place.folder),
        "PLANOPS_TARGET": "one",
        "PLANOPS_SELECTOR": "team=x",
        "PLANOPS_FORMAT": "json text=a.txt",
        "PLANOPS_ALLOW": "past=2 reopen",
        "PLANOPS_EXIT_CODE": "1",
        "PLANOPS_QUIET": "true",
        "PLANOPS_COLOR": "always",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    ended = place.planops("diff")
    assert ended.code == ExitCode.CHANGES
    assert [change["key"] for change in ended.json["changes"]] == ["a"]
    assert ended.err == ""
    both = place.planops("diff", "--target", "two", "--format", "json")
    assert [change["key"] for change in both.json["changes"]] == ["b"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLANOPS_FORMAT", "xml"),
        ("PLANOPS_ALLOW", "everything"),
        ("PLANOPS_EXIT_CODE", "perhaps"),
        ("PLANOPS_COLOR", "blue"),
        ("PLANOPS_CHDIR", "/nowhere/at/all"),
    ],
)
def test_a_bad_environment_is_usage(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = place.planops("diff")
    assert ended.code == ExitCode.USAGE
    assert ended.out == ""
    assert value in ended.err


# ------------------------------------------------------------------------------------------- usage

USAGE = {
    "plan": "there is no command 'plan'; did you mean diff?",
    "push": "did you mean apply?",
    "lint": "did you mean validate?",
    "aply": "did you mean apply?",
    "xyzzy": "see planops --help",
    "'\x1b[31m'": "there is no command '\\x1b[31m'",
    "diff --nonsense": "No such option '--nonsense'.",
    "diff --exit-cod": "Did you mean '--exit-code'?",
    "diff --allow": "Option '--allow' requires an argument.",
    "diff --allow everything": "'everything' is no guard; choose from conflict, delete,",
    "diff --allow past=0": "'0' is no number of plans; write past=1 or more",
    "diff --allow past=-1": "'-1' is no number of plans; write past=1 or more",
    "diff --allow past=": "'' is no number of plans; write past=1 or more",
    "diff --allow past=²": "'²' is no number of plans; write past=1 or more",
    "diff --format xml": "'xml' is no format; choose from text, json, markdown, github,",
    "diff --format =a": "'' is no format; choose from text, json, markdown",
    "diff --color blue": "'blue' is not one of 'auto', 'always', 'never'.",
    "diff -C /nowhere/at/all": "Directory '/nowhere/at/all' does not exist.",
    "diff -C planops.yaml": "Directory 'planops.yaml' is a file.",
    "diff --target prd": "target `prd`: planops.yaml has no such target; did you mean `prod`?",
    "diff --target other": "there are prod",
    "diff -l =x": "label selector `=x`: `=x` is no condition; write key, key=value or key!=value",
    "diff elsewhere": "path `",
    "diff ..": "no plan file is there; `plans` in planops.yaml says where",
    "diff ''": "path ``: it is empty; name a file or a folder",
    "status --wait soon": "'soon' is no duration; write 90s, 30m or 2h",
    "status --wait 10": "'10' is no duration; write 90s, 30m or 2h",
    "status --wait -5m": "'-5m' is no duration; write 90s, 30m or 2h",
    "status nobody": "status: no file declares a plan 'nobody'",
    "status a b": "Got unexpected extra argument (b)",
    "schema nothing": "schema: there is none named 'nothing'; choose from brpm-plan, config, plan",
    "apply": "say --yes, or --expect with the fingerprints that diff shows",
    "sandbox --port 70000": "70000 is not in the range 0<=x<=65535.",
    "sandbox --zadig-version 3.0": "'3.0' is not one of '4.1', '5.0'.",
    "validate --yes": "No such option '--yes'.",
    "log -l team=a": "No such option '-l'.",
    "ledger show -l team=a": "No such option '-l'.",
    "ledger unlock -l team=a": "No such option '-l'.",
}


@pytest.mark.parametrize("line", USAGE)
def test_usage_is_one_clear_sentence_and_never_2(line: str, place: Place) -> None:
    place.plan()
    ended = place.planops(*shlex.split(line))
    assert ended.code == ExitCode.USAGE
    assert ended.out == ""
    last = ended.err.rstrip("\n").splitlines()[-1]
    assert last.startswith(("Error: ", "planops: error: "))
    assert USAGE[line] in last
    assert "\x1b" not in ended.err
    assert place.zadig.received == ()


def test_a_selection_of_nothing_is_no_change(place: Place) -> None:
    place.plan(labels="{team: x}")
    ended = place.json("diff", "-l", "team=nobody")
    assert ended.code == ExitCode.OK
    assert ended.json["changes"] == []


# ------------------------------------------------------------------------------------------ loading


def loaded(place: Place, *words: str, code: int = 0) -> set[str]:
    with place.start(*words, code=LOADED) as started:
        _, err = started.communicate(timeout=60)
    assert started.returncode == code, err
    return set(err.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("diff", "--help"),
        ("sandbox", "-h"),
        ("schema",),
        ("schema", "plan"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_to_help(words: tuple[str, ...], place: Place) -> None:
    assert loaded(place, *words) == set()


def test_good_files_are_validated_without_what_explains_bad_ones(place: Place) -> None:
    place.plan()
    assert loaded(place, "validate") <= {"git"}


def test_a_comparison_loads_no_server(place: Place) -> None:
    place.plan()
    assert not loaded(place, "diff", "--quiet") & {"starlette", "uvicorn", "jsonschema"}
