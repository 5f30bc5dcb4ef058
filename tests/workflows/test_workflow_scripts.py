"""The scripts themselves, run: what the action does with its inputs, and how git gets its token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from workflows.reading import ACTION, Workflow, everything, parse, written

STUB = """#!/bin/sh
echo "arguments: $*"
env | sort | grep -v '^_=' | grep -E '(_TOKEN|PLANOPS_|GIT_CONFIG|^TOKENS)'
exit "${CODE:-0}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The action's script, with a planops that says what it was given."""

    temp: Path

    def run(self, word: str = "run", **environment: str) -> subprocess.CompletedProcess[str]:
        given = {
            "ACCEPT": "",
            "ARGUMENTS": "validate",
            "FOLDER": ".",
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_TOKEN": "",
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(self.temp),
            "TOKENS": "",
            **environment,
        }
        return subprocess.run(  # noqa: S603
            ["bash", str(ACTION / "act"), word],  # noqa: S607
            env=given,
            cwd=self.temp,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def act(tmp_path: Path) -> Act:
    stub = tmp_path / "planops/bin/planops"
    stub.parent.mkdir(parents=True)
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    return Act(temp=tmp_path)


# -------------------------------------------------------------------------------------- the action


def test_arguments_are_words_and_never_shell(act: Act) -> None:
    done = act.run(ARGUMENTS="validate $(touch made) `touch made`\n  ; touch made * --quiet\n")
    assert done.stdout.splitlines()[0] == (
        "arguments: validate $(touch made) `touch made` ; touch made * --quiet"
    )
    assert not (act.temp / "made").exists()


def test_tokens_reach_planops_by_their_names_masked_and_listed(act: Act) -> None:
    done = act.run(TOKENS="ZADIG_TOKEN=a=b %x\n\n  BRPM_TOKEN=\n", FOLDER="here")
    lines = done.stdout.splitlines()
    assert lines[0] == "::add-mask::a=b %25x"
    assert {
        "ZADIG_TOKEN=a=b %x",
        "PLANOPS_SECRETS=ZADIG_TOKEN,BRPM_TOKEN",
        "PLANOPS_CHDIR=here",
    } <= {*lines}
    assert not [line for line in lines if line.startswith(("BRPM_TOKEN", "TOKENS", "GITHUB_TOKEN"))]


def test_without_tokens_settings_may_take_no_variable(act: Act) -> None:
    assert "PLANOPS_SECRETS=" in act.run().stdout.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "PATH=/tmp",
        "LD_PRELOAD=x",
        "GITHUB_TOKEN=x",
        "ACTIONS_RUNTIME_TOKEN=x",
        "PLANOPS_GITLAB_TOKEN=x",
        "zadig_token=x",
        "A_TOKEN",
        "A;touch made;_TOKEN=x",
        "A_TOKEN\n=x",
    ],
)
def test_no_other_variable_can_be_set(act: Act, line: str) -> None:
    done = act.run(TOKENS=f"GOOD_TOKEN=secret\n{line}\n")
    assert done.returncode == 64
    assert "arguments:" not in done.stdout
    assert "::error::planops: tokens: " in done.stdout
    assert not (act.temp / "made").exists()


def test_the_message_of_a_wrong_line_does_not_hold_it(act: Act) -> None:
    assert "hidden" not in act.run(TOKENS="hidden value\n").stdout


def test_git_learns_of_the_token_only_where_there_is_one(act: Act) -> None:
    assert "GIT_CONFIG" not in act.run().stdout
    lines = act.run(GITHUB_TOKEN="secret").stdout.splitlines()
    assert "GIT_CONFIG_KEY_0=credential.https://github.example.com.helper" in lines
    (helper,) = (line for line in lines if line.startswith("GIT_CONFIG_VALUE_0="))
    assert "secret" not in helper


def test_reports_of_commands_that_look_at_a_server_are_kept(act: Act) -> None:
    reports = act.temp / "planops/reports"
    said = act.run(ARGUMENTS="review --publish").stdout
    assert f"PLANOPS_FORMAT=text json={reports}/report.json markdown={reports}/report.md" in said
    assert (act.temp / "output").read_text(encoding="utf-8") == f"reports={reports}\n"
    assert "PLANOPS_FORMAT" not in act.run().stdout


@pytest.mark.parametrize(("code", "accept", "ends"), [
    ("3", "", 3), ("2", "2", 0), ("2", "20 12", 2), ("1", "2", 1), ("0", "2", 0), ("75", "2 75", 0),
])  # fmt: skip
def test_only_the_codes_that_are_named_are_no_failure(
    act: Act, code: str, accept: str, ends: int
) -> None:
    assert act.run(CODE=code, ACCEPT=accept).returncode == ends


@pytest.mark.parametrize("word", ["", "take_tokens", "rm"])
def test_the_script_does_two_things_and_no_other(act: Act, word: str) -> None:
    assert act.run(word).returncode == 64


def test_without_a_command_nothing_runs(act: Act) -> None:
    done = act.run(ARGUMENTS=" \n")
    assert (done.returncode, "arguments:" in done.stdout) == (64, True)
    assert "name a command" in done.stdout


# ------------------------------------------------------------------------------------- git's token


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A server that wants a password and gives nothing; what it was shown is kept."""

    url: str
    shown: list[str] = field(default_factory=list)


@contextmanager
def remote() -> Iterator[Remote]:
    shown: list[str] = []

    class Asking(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scheme, _, value = self.headers.get("Authorization", "").partition(" ")
            shown.append(f"{scheme}:{base64.b64decode(value).decode()}" if value else "")
            self.send_response(401 if not value else 403)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Asking) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Remote(url=f"http://127.0.0.1:{server.server_port}", shown=shown)
        finally:
            server.shutdown()
            thread.join()


def ls_remote(url: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Ask a remote, as planops does: with the environment of the job, and nobody to be asked."""
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(  # noqa: S603
        ["git", "ls-remote", f"{url}/o/r.git"],  # noqa: S607
        env={**given, "GIT_CONFIG_NOSYSTEM": "1", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0  # it gives nothing
    assert "secret" not in done.stderr


TELLING = [w for w in everything() if any("GIT_CONFIG_COUNT" in s.get("env", {}) for s in w.steps)]


@pytest.mark.parametrize("workflow", TELLING, ids=str)
def test_git_gets_the_job_s_token_from_the_environment(workflow: Workflow, tmp_path: Path) -> None:
    (step,) = (step for step in workflow.steps if "GIT_CONFIG_COUNT" in step.get("env", {}))
    names = {name: value for name, value in step["env"].items() if name.startswith("GIT_CONFIG")}
    with remote() as there:
        key = names["GIT_CONFIG_KEY_0"].replace("${{ github.server_url }}", there.url)
        given = {**names, "GIT_CONFIG_KEY_0": key, "GITHUB_TOKEN": "secret"}
        ls_remote(there.url, tmp_path, given)
        assert there.shown == ["", "Basic:x-access-token:secret"]
        with remote() as elsewhere:
            ls_remote(elsewhere.url, tmp_path, given)
            assert elsewhere.shown == [""]


def test_the_token_is_told_in_every_workflow_that_uses_the_ledger() -> None:
    kinds = [workflow.kind for workflow in TELLING]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "review": 2, "apply": 2, "reconcile": 2, "drift": 2,
    }  # fmt: skip


def test_the_action_tells_git_the_same(act: Act, tmp_path: Path) -> None:
    with remote() as there:
        said = act.run(GITHUB_TOKEN="secret", GITHUB_SERVER_URL=there.url).stdout
        given = dict(
            line.split("=", 1) for line in said.splitlines() if line.startswith("GIT_CONF")
        )
        ls_remote(there.url, tmp_path, {**given, "GITHUB_TOKEN": "secret"})
        assert there.shown == ["", "Basic:x-access-token:secret"]


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        ({"CI_JOB_TOKEN": "secret-job"}, "Basic:gitlab-ci-token:secret-job"),
        (
            {"CI_JOB_TOKEN": "secret-job", "PLANOPS_GITLAB_TOKEN": "secret-own"},
            "Basic:planops:secret-own",
        ),
    ],
    ids=["the job's", "the project's"],
)
def test_git_gets_its_token_on_gitlab(
    tokens: Mapping[str, str], shown: str, tmp_path: Path
) -> None:
    file = written(tmp_path, "gitlab") / ".gitlab/planops.gitlab-ci.yml"
    before = parse(file.read_text(encoding="utf-8"))[".planops"]["before_script"]
    assert before[0].startswith("pip install")
    with remote() as there:
        script = "\n".join(["set -eu", "git init --quiet", "git remote add origin x", *before[1:]])
        done = subprocess.run(  # noqa: S603
            ["sh", "-c", f"{script}\nenv -0; git remote get-url origin"],  # noqa: S607
            env={
                "PATH": os.environ["PATH"],
                "CI_SERVER_URL": there.url,
                "CI_PROJECT_URL": f"{there.url}/o/r",
                "HOME": str(tmp_path),
                **tokens,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        *variables, address = done.split("\0")
        given = dict(line.split("=", 1) for line in variables if line.startswith("GIT_CONF"))
        assert address.strip() == f"{there.url}/o/r.git"
        assert "secret" not in str(given)
        ls_remote(there.url, tmp_path, {**given, **tokens})
        assert there.shown == ["", shown]
