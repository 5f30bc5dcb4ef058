"""The settings: found, typed, and their secrets read only when asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from planops.errors import SettingsWrong
from planops.manifests.load import check_config, find_config, load_config, secret
from planops.manifests.settings import Timeouts

FULL = """\
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml, plans/**/*.yml]
limits: {mass-change: 100%, mass-change-floor: 0}
targets:
  a:
    backend: zadig
    url: https://zadig.example.com/base/
    token: ${file:/run/secrets/zadig}
    concurrency: 64
    ca-file: certs/ca.pem
    adopt-by-name: true
    ledger: {mode: none, lease: 60, timeout: 1.5}
    timeouts: {connect: 1.5, total: 90}
  b: {backend: zadig, url: "http://[::1]:8765", token: "${env:TOKEN}"}
"""


def test_settings_are_typed(repository: Any) -> None:
    config = load_config(repository.write("planops.yaml", FULL))
    assert config.plans == ("plans/**/*.yaml", "plans/**/*.yml")
    assert (config.limits.mass_change, config.limits.mass_change_floor) == (100, 0)
    a, b = config.targets["a"], config.targets["b"]
    assert (a.name, a.backend, a.url) == ("a", "zadig", "https://zadig.example.com/base")
    assert (a.concurrency, a.adopt_by_name, a.ledger.mode) == (64, True, "none")
    assert (a.ledger.ref, a.ledger.remote) == ("refs/planops/ledger/a", "origin")
    assert (a.ledger.lease, a.ledger.timeout) == (60, 1.5)
    assert (b.ledger.lease, b.ledger.timeout) == (300, 60.0)
    assert a.ca_file == repository.root / "certs" / "ca.pem"
    assert a.timeouts == Timeouts(connect=1.5, read=60.0, total=90.0)
    assert (b.concurrency, b.adopt_by_name, b.ca_file, b.timeouts) == (8, False, None, Timeouts())
    assert (config.limits.mass_change_floor, config.root) == (0, repository.root)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://z.example.com", True),
        ("https://z.example.com:8443/path", True),
        ("http://localhost:8765", True),
        ("http://127.0.0.1", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("ftp://z.example.com", False),
        ("https://", False),
        ("https://z.example.com:0", False),
        ("https://z.example.com:99999", False),
        ("https://[z", False),
        ("https://z.example.com#x", False),
        ("https://a b", False),
        ("https://z\\u202e.com", False),
        ("user:hunter2@z.example.com", False),
    ],
)
def test_which_addresses_are_allowed(repository: Any, url: str, good: bool) -> None:  # noqa: FBT001 -- a table's column
    text = FULL.replace('"http://[::1]:8765"', f'"{url}"')
    config, problems = check_config(repository.write("planops.yaml", text))
    assert (config is not None) is good
    assert [problem.code for problem in problems] == ([] if good else ["url"])
    assert not any("hunter2" in problem.message + problem.hint for problem in problems)


def test_all_problems_at_once_and_the_first_in_the_exception(repository: Any) -> None:
    path = repository.write("planops.yaml", FULL.replace("zadig\n", "zadik\n").replace("64", "65"))
    config, problems = check_config(path)
    assert config is None
    assert len(problems) == 2
    with pytest.raises(SettingsWrong) as caught:
        load_config(path)
    assert str(caught.value) == (
        "planops.yaml:7:14: `backend` is `zadik`, which is not known here;"
        " did you mean `zadig`? (and 1 more)"
    )


@pytest.mark.parametrize("content", ["", "a: [", "- 1", "x", "\x00", "---\n---\n"])
def test_settings_that_are_none(repository: Any, content: str) -> None:
    with pytest.raises(SettingsWrong):
        load_config(repository.write("planops.yaml", content))


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="the file cannot be read: No such file"):
        load_config(tmp_path / "planops.yaml")


def test_settings_are_found_above(repository: Any) -> None:
    deep = repository.root / "plans" / "a" / "b"
    deep.mkdir(parents=True)
    assert find_config(deep) == repository.root.resolve() / "planops.yaml"
    assert find_config(repository.root) == repository.root.resolve() / "planops.yaml"
    file = repository.write("plans/a/x.yaml", "")
    assert find_config(file) == repository.root.resolve() / "planops.yaml"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_settings_are_not_sought_past_the_repository(repository: Any, kind: str) -> None:
    inner = repository.root / "inner"
    (inner / "deep").mkdir(parents=True)
    if kind == "folder":
        (inner / ".git").mkdir()
    else:
        (inner / ".git").write_text("gitdir: elsewhere\n")
    with pytest.raises(SettingsWrong, match=r"no planops.yaml here or above, up to the repository"):
        find_config(inner / "deep")
    repository.write("inner/planops.yaml", FULL)
    assert find_config(inner / "deep") == inner.resolve() / "planops.yaml"


def test_a_secret_comes_from_the_environment() -> None:
    assert secret("${env:TOKEN}", {"TOKEN": " abc.def\n"}) == "abc.def"


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert secret(f"${{file:{tmp_path}/token}}", {}) == "abc"
    assert secret("${file:token}", {}, tmp_path) == "abc"


@pytest.mark.parametrize(
    ("reference", "environ", "message"),
    [
        ("${env:TOKEN}", {}, "${env:TOKEN}: the variable TOKEN is not set; export TOKEN=…"),
        ("${env:TOKEN}", {"TOKEN": " "}, "${env:TOKEN}: it is empty; put the secret there"),
        ("hunter2", {}, "a secret is named by ${env:NAME} or ${file:PATH}, not written down"),
        (
            "${env:TOKEN}",
            {"TOKEN": "hunter2\r\nX-Evil: 1"},
            "${env:TOKEN}: it is not one line of printable ASCII; check what it holds",
        ),
        (
            "${file:missing}",
            {},
            "${file:missing}: No such file or directory; check the path and its rights",
        ),
        ("${file:.}", {}, "${file:.}: Is a directory; check the path and its rights"),
        ("${file:binary}", {}, "${file:binary}: it is no text; check what it holds"),
    ],
)
def test_a_secret_that_is_not_there(
    tmp_path: Path, reference: str, environ: dict[str, str], message: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsWrong) as caught:
        secret(reference, environ, tmp_path)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_checking_needs_no_secret(repository: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    assert "TOKEN" not in os.environ
    assert repository.load().problems[0].code == "no-files"
