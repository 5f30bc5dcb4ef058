"""`planops init`: what it writes is sound, it writes all or nothing, and nothing over a file."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

import planops
from cli.beginning import JOBS, PLAIN, everything, files
from cli.place import Ended, Place, command
from planops.core.report import ExitCode
from planops.manifests import schemas

FORGES = ("github", "gitlab", "none")
BACKENDS = ("zadig", "brpm")
USES = f"some-owner/planops@{'ab' * 20}"


def refused(ended: Ended, *parts: str) -> None:
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    for part in parts:
        assert part in ended.err


# ----------------------------------------------------------------------------------- what it writes


@pytest.mark.parametrize(("forge", "backend"), list(itertools.product(FORGES, BACKENDS)))
def test_what_is_written_validates(forge: str, backend: str, empty: Place) -> None:
    ended = empty.planops("init", "--forge", forge, "--backend", backend)
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    assert set(files(empty.folder)) == PLAIN | JOBS[forge]
    checked = empty.json("validate")
    assert (checked.code, checked.json["problems"], checked.json["files"]) == (ExitCode.OK, [], 1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("words", [(), ("--uses", USES)], ids=["alone", "uses"])
def test_no_word_is_left_that_stands_for_another(
    backend: str, words: tuple[str, ...], empty: Place
) -> None:
    for forge in FORGES[: 1 if words else None]:
        given = ("--force", "--forge", forge, "--backend", backend, "--target", "my-server", *words)
        assert empty.planops("init", *given).code == ExitCode.OK
        for name, text in files(empty.folder).items():
            if not name.startswith("schemas/"):
                assert "EXAMPLE" not in text, name
                assert "example-" not in text, name
                assert "planops==0.0.0" not in text, name
                assert "0" * 40 not in text, name


def test_the_target_the_address_and_the_token_are_the_given_ones(empty: Place) -> None:
    url = "https://brpm.example.org:8443/brpm"
    words = ("--backend", "brpm", "--target", "no", "--url", url, "--forge", "github")
    assert empty.planops("init", *words).code == ExitCode.OK
    found = empty.json("validate").json
    assert found["problems"] == []
    settings = files(empty.folder)["planops.yaml"]
    assert '  "no":\n    backend: brpm\n' in settings
    assert f"    url: {url}\n    token: ${{env:BRPM_TOKEN}}" in settings
    workflow = files(empty.folder)[".github/workflows/planops-apply.yml"]
    assert "--target no\n" in workflow
    assert "BRPM_TOKEN: ${{ secrets.BRPM_TOKEN }}" in workflow


def test_the_workflows_install_this_version(empty: Place) -> None:
    empty.planops("init", "--forge", "github")
    found = files(empty.folder)
    for name in JOBS["github"]:
        assert f"pip install --quiet planops=={planops.__version__}\n" in found[name]


def test_the_workflows_call_the_ones_that_are_named(empty: Place) -> None:
    assert empty.planops("init", "--forge", "github", "--uses", USES).code == ExitCode.OK
    found = files(empty.folder)
    owner, _, commit = USES.partition("@")
    for name in JOBS["github"]:
        job = Path(name).stem.removeprefix("planops-")
        assert f"uses: {owner}/.github/workflows/{job}.yml@{commit}\n" in found[name]
        assert "pip install" not in found[name]


def test_the_schemas_are_those_that_schema_prints(empty: Place) -> None:
    empty.planops("init")
    found = files(empty.folder)
    for name in ("plan", "config", *schemas.KINDS.values()):
        assert found[f"schemas/{name}.schema.json"] == empty.planops("schema", name).out


def test_every_schema_that_is_named_is_there(empty: Place) -> None:
    empty.planops("init")
    for name in ("planops.yaml", "plans/first-plan.yaml"):
        head = files(empty.folder)[name].partition("\n")[0]
        prefix = "# yaml-language-server: $schema="
        assert head.startswith(prefix)
        assert (empty.folder / name).parent.joinpath(head.removeprefix(prefix)).is_file()
    editor = json.loads(files(empty.folder)[".vscode/settings.json"])["yaml.schemas"]
    assert all((empty.folder / schema).is_file() for schema in editor)
    assert list(editor.values()) == ["planops.yaml", ["plans/**/*.yaml", "plans/**/*.yml"]]


def test_a_plan_with_either_ending_is_found(empty: Place) -> None:
    empty.planops("init")
    first = empty.folder / "plans/first-plan.yaml"
    first.rename(first.with_suffix(".yml"))
    assert "1 file read, no problems." in empty.planops("validate").out


def test_it_says_what_it_wrote_and_what_is_next(empty: Place) -> None:
    said = empty.planops("init", "--forge", "github").out
    for name in PLAIN | JOBS["github"]:
        assert f"wrote {name}\n" in said
    for part in ("planops.yaml: write your server's address", "ZADIG_TOKEN", "planops validate"):
        assert part in said.partition("Next:")[2]
    said = empty.planops(
        "init", "--forge", "gitlab", "--url", "https://z.example.org", "--force"
    ).out
    assert "write your server's address" not in said
    assert "PLANOPS_GITLAB_TOKEN" in said


# -------------------------------------------------------------------------------------- all or none


def test_a_file_in_the_way_stops_everything_and_every_one_is_named(empty: Place) -> None:
    empty.write("planops.yaml", "mine\n")
    empty.write(".github/workflows/planops-apply.yml", "mine too\n")
    before = everything(empty.folder)
    ended = empty.planops("init", "--forge", "github")
    refused(ended, "planops.yaml, .github/workflows/planops-apply.yml: ", "nothing was written")
    refused(ended, "--force")
    assert everything(empty.folder) == before
    assert files(empty.folder)["planops.yaml"] == "mine\n"


def test_force_writes_over_it(empty: Place) -> None:
    empty.write("planops.yaml", "mine\n")
    assert empty.planops("init", "--force").code == ExitCode.OK
    assert empty.planops("validate").code == ExitCode.OK


def test_what_is_there_with_the_same_text_is_not_in_the_way(empty: Place) -> None:
    empty.planops("init", "--forge", "gitlab")
    before = files(empty.folder)
    (empty.folder / "plans/first-plan.yaml").unlink()
    ended = empty.planops("init", "--forge", "gitlab")
    assert ended.code == ExitCode.OK
    assert [line for line in ended.out.splitlines() if line.startswith("wrote")] == [
        "wrote plans/first-plan.yaml"
    ]
    assert "planops.yaml is there already, as it should be\n" in ended.out
    assert files(empty.folder) == before


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_the_files_of_others_stay_and_it_says_what_to_add(
    force: tuple[str, ...], empty: Place
) -> None:
    empty.write(".gitlab-ci.yml", "mine: {script: [make]}\n")
    empty.write(".vscode/settings.json", "{}\n")
    ended = empty.planops("init", "--forge", "gitlab", *force)
    assert ended.code == ExitCode.OK
    found = files(empty.folder)
    assert (found[".gitlab-ci.yml"], found[".vscode/settings.json"]) == (
        "mine: {script: [make]}\n",
        "{}\n",
    )
    assert ".gitlab-ci.yml is yours and stays as it is; add to it:\n\n    include:" in ended.out
    assert '"./schemas/plan.schema.json"' in ended.out


def test_a_folder_where_a_file_would_be_is_never_written_over(empty: Place) -> None:
    (empty.folder / "planops.yaml").mkdir()
    before = everything(empty.folder)
    refused(empty.planops("init", "--force"), "planops.yaml: a folder is where a file would be")
    assert everything(empty.folder) == before


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize("blocked", ["schemas", ".github", ".vscode"])
def test_what_fails_half_way_is_taken_back(
    blocked: str, force: tuple[str, ...], empty: Place
) -> None:
    """A file stands where a folder has to be, which is found out only when it is made."""
    if force:
        empty.write("planops.yaml", "mine\n")
    empty.write(blocked, "a file\n")
    before = files(empty.folder)
    ended = empty.planops("init", "--forge", "github", *force)
    assert ended.code == ExitCode.FAILED
    assert ended.err.startswith(f"planops: error: {blocked}/")
    assert "nothing was written" in ended.err
    assert files(empty.folder) == before
    assert len(everything(empty.folder)) == len(before)


def test_a_folder_that_leads_out_of_the_repository_is_not_written_to(
    empty: Place, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (empty.folder / "schemas").symlink_to(outside)
    ended = empty.planops("init", "--force")
    assert ended.code == ExitCode.FAILED
    assert "schemas/plan.schema.json: its folder is a symbolic link that leaves" in ended.err
    assert everything(empty.folder) == ["schemas"]
    assert list(outside.iterdir()) == []


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "Prod!"), "--target 'Prod!': this is no name of a target; write 1 to 100"),
        (("--target", ""), "--target '': this is no name"),
        (("--target", "a.lock"), "--target a.lock: "),
        (("--url", ""), "--url: "),
        (("--url", "zadig.example.com"), "--url: `url` is no https address; write https://HOST"),
        (("--url", "http://zadig.example.com"), "http would show the token to the network"),
        (("--url", "https://a:b@zadig.example.com"), "`url` holds a user or a password"),
        (("--url", "https://x/\n    token: y"), "--url: this is no address"),
        (("--url", "https://x/" + "a" * 3000), "--url: this is no address"),
        (("--forge", "none", "--uses", USES), "--uses: it names workflows of GitHub"),
        (("--forge", "gitlab", "--uses", USES), "--uses: it names workflows of GitHub"),
        (("--forge", "github", "--uses", "a/b@v1"), "is not OWNER/REPO@COMMIT"),
        (("--forge", "github", "--uses", USES + "\n- x"), "is not OWNER/REPO@COMMIT"),
        (("--forge", "svn"), "'svn' is not one of 'github', 'gitlab', 'none'"),
        (("--backend", "jira"), "'jira' is not one of 'zadig', 'brpm'"),
        (("-C", "nowhere"), "'nowhere' does not exist"),
        (("extra",), "unexpected extra argument"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    words: tuple[str, ...], said: str, empty: Place
) -> None:
    ended = empty.planops("init", *words)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert everything(empty.folder) == []


def test_an_address_may_be_this_computer_s(empty: Place) -> None:
    assert empty.planops("init", "--url", empty.url).code == ExitCode.OK
    assert f"url: {empty.url}\n" in files(empty.folder)["planops.yaml"]


@pytest.mark.parametrize("target", ["1e5", "0x1f", "on", "null", "2026-12-01", "a.b-c"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(target: str, empty: Place) -> None:
    assert empty.planops("init", "--target", target).code == ExitCode.OK
    assert empty.planops("validate", "--target", target).code == ExitCode.OK


def test_without_settings_validate_says_how_to_begin(empty: Place) -> None:
    ended = empty.planops("validate")
    assert ended.code == ExitCode.FAILED
    assert "`planops init` writes one" in ended.both


@pytest.mark.parametrize("word", ["new", "setup"])
def test_other_words_for_it_are_answered(word: str, empty: Place) -> None:
    assert "did you mean init?" in empty.planops(word).err


def test_the_options_can_come_from_the_environment(
    empty: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for option in command("init").params:
        assert str(option.envvar).startswith("PLANOPS_")
    monkeypatch.setenv("PLANOPS_FORGE", "gitlab")
    monkeypatch.setenv("PLANOPS_TARGET", "two")
    assert empty.planops("init").code == ExitCode.OK
    assert "  two:\n" in files(empty.folder)["planops.yaml"]
    assert ".gitlab-ci.yml" in files(empty.folder)


def test_the_new_repository_can_be_committed_and_cloned(empty: Place, tmp_path: Path) -> None:
    """Nothing that is written is ignored, and nothing else is needed."""
    empty.planops("init", "--forge", "github")
    empty.commit()
    clone = tmp_path / "clone"
    subprocess.run(  # noqa: S603
        ["git", "clone", "--quiet", str(empty.folder), str(clone)],  # noqa: S607
        check=True,
    )
    assert files(clone) == files(empty.folder)
    assert empty.planops("validate", "-C", str(clone)).code == ExitCode.OK
