"""Which refs can hold a ledger: the settings, the ledger and git itself are of one mind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ledger.place import ledger
from planops.errors import SettingsWrong
from planops.manifests.settings import check_config

GOOD = (
    "refs/planops/ledger/prod", "refs/heads/planops-ledger", "refs/heads/-x", "refs/x/y.z",
    "refs/x.y/ä-b/@", "refs/x/a.locked", "refs/x/lock", "refs/x.lock.y/z", "refs/x/replace",
    "refs/replaced/x", "refs/planops/seen-by/x", "refs/planops/ledger/seen", "refs/x/{a}",
    "refs/x/@", "refs/x/a'b", 'refs/x/"', "refs/x/$(id)", "refs/x/#", "refs/x/" + "a" * 200,
)  # fmt: skip
BAD = (
    "HEAD", "main", "heads/x", "refs", "refs/", "refs/x", "refs/x/", "/refs/x/y", "refs//x/y",
    "refs/x//y", "refs/../x/y", "refs/x/..", "refs/x/../../y", "refs/x/a..b", "refs/x/.a",
    "refs/.x/a", "refs/x/a.lock", "refs/x.lock/a", "refs/x/a.lock/b", "refs/x/a.", "refs/x/a@{1}",
    "refs/x/a b", "refs/x/a~1", "refs/x/a^", "refs/x/a:b", "refs/x/a*", "refs/x/a?", "refs/x/[a]",
    "refs/x/a\\b", "refs/x/a\tb", "refs/x/a\n", "+refs/x/y", "refs/x/y:refs/x/z", "-d", "--all",
    "refs/heads/../x",
)  # fmt: skip
OURS = ("refs/planops/seen/x", "refs/planops/seen", "refs/replace/x", "refs/replace/x/y")
"""Names that git would take, and that are kept for something else."""


def settings(folder: Path, name: str, kept: str) -> Path:
    path = folder / "planops.yaml"
    path.write_text(
        "apiVersion: planops/v1\nkind: Config\nplans: [plans/*.yaml]\ntargets:\n"
        f"  {name}:\n    backend: zadig\n    url: https://zadig.example.com\n"
        f"    token: ${{env:T}}\n    ledger: {kept}\n",
        encoding="utf-8",
    )
    return path


def accepted_by_settings(folder: Path, ref: str) -> bool:
    text = ref.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    config, found = check_config(settings(folder, "prod", f'{{mode: git, ref: "{text}"}}'))
    if config is None:
        assert [one.mark.line for one in found if one.mark] == [9]
        assert ["such as refs/planops/ledger/zadig-prod" in f"{one}" for one in found] == [True]
        return False
    assert config.targets["prod"].ledger.ref == ref
    return True


def accepted_by_the_ledger(ref: str) -> bool:
    try:
        ledger(Path(), ref)._well_named()
    except SettingsWrong:
        return False
    return True


def accepted_by_git(ref: str) -> bool:
    words = ["git", "check-ref-format", ref]
    return subprocess.run(words, check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize("ref", [*GOOD, *BAD, *OURS])
def test_settings_and_ledger_agree(tmp_path: Path, ref: str) -> None:
    good = ref in GOOD
    assert accepted_by_the_ledger(ref) is good
    assert accepted_by_settings(tmp_path, ref) is good
    assert accepted_by_git(ref) or not good


@pytest.mark.parametrize("ref", BAD)
def test_what_git_takes_is_left_out_for_a_reason(ref: str) -> None:
    """A ledger wants a level more than git does; else nothing is refused that git would take."""
    taken = accepted_by_git(ref) and ref.startswith("refs/")
    assert taken is (ref == "refs/x")


@pytest.mark.parametrize(
    ("name", "good"), [("a.b", True), ("a-b", True), ("a..b", False), ("a.lock", False)]
)
def test_the_ref_of_a_target_without_one(tmp_path: Path, name: str, *, good: bool) -> None:
    """A target's name may be none that git takes, which matters only where a ledger is kept."""
    config, found = check_config(settings(tmp_path, name, "{mode: local}"))
    assert accepted_by_the_ledger(f"refs/planops/ledger/{name}") is good
    assert (config is not None) is good
    assert [(one.code, one.message, one.hint) for one in found] == (
        []
        if good
        else [
            (
                "ref",
                (
                    f"the target's name makes the ref `refs/planops/ledger/{name}`, and git can"
                    " keep no ledger there"
                ),
                "name another by `ref`, such as refs/planops/ledger/zadig-prod",
            )
        ]
    )
    assert check_config(settings(tmp_path, name, "{mode: none}"))[0] is not None
    assert check_config(settings(tmp_path, name, "{mode: git, ref: refs/x/y}"))[0] is not None


@pytest.mark.parametrize(
    ("first", "second", "good"),
    [
        ("{mode: git, ref: refs/x/y}", "{mode: git, ref: refs/x/y}", False),
        ("{mode: git}", "{mode: git, ref: refs/planops/ledger/a}", False),
        ("{mode: local, ref: refs/x/y}", "{mode: local, ref: refs/x/y}", False),
        ("{mode: git, ref: refs/x/y}", "{mode: git, ref: refs/x/z}", True),
        ("{mode: git, ref: refs/x/y}", "{mode: git, remote: b, ref: refs/x/y}", True),
        ("{mode: none, ref: refs/x/y}", "{mode: git, ref: refs/x/y}", True),
        ("{mode: git}", "{mode: git}", True),
    ],
)
def test_two_targets_have_two_ledgers(
    tmp_path: Path,
    first: str,
    second: str,
    good: bool,  # noqa: FBT001 -- a table's column
) -> None:
    lines = ["apiVersion: planops/v1", "kind: Config", "plans: [a.yaml]", "targets:"]
    for name, kept in (("a", first), ("b", second)):
        lines += [f"  {name}: {{backend: zadig, url: 'https://z.example.com',"]
        lines += [f"    token: '${{env:T}}', ledger: {kept}}}"]
    path = tmp_path / "planops.yaml"
    path.write_text("\n".join(lines) + "\n")
    config, found = check_config(path)
    assert (config is not None, [one.code for one in found]) == (
        good,
        [] if good else ["shared-ledger"],
    )
    if not good:
        assert "is the ledger of `a` already" in found[0].message
