"""Outputs, summaries and dotenv reports: no value ends what it stands in, nothing is too long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.errors import SettingsWrong
from planops.forges import outbox
from planops.forges.outbox import shortened, write_dotenv, write_outputs, write_summary

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_\-]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
NASTY = st.sampled_from(["a<<b", "planops_", "\n", "\r\n", "x=y", "EOF", "::set-output::", ""])


def read_outputs(data: str) -> dict[str, str]:
    """Read the file as a runner does: a heredoc ends at the line that is its delimiter."""
    found: dict[str, str] = {}
    lines = data.split("\n")
    assert lines.pop() == ""
    while lines:
        name, sign, end = lines.pop(0).partition("<<")
        assert sign
        value = []
        while lines[0] != end:
            value.append(lines.pop(0))
        lines.pop(0)
        found[name] = "\n".join(value)
    return found


@given(values=st.dictionaries(NAMES, st.lists(TEXT | NASTY, max_size=6).map("".join), max_size=5))
def test_outputs_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: Mapping[str, str]
) -> None:
    path = tmp_path_factory.mktemp("out") / "output"
    write_outputs(path, values)
    assert read_outputs(path.read_bytes().decode()) == values


def test_outputs_are_added_to_those_of_others(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("theirs=1\n")
    numbers = count(1)
    write_outputs(path, {"a": "1", "b-c": "x\ny"}, delimiter=lambda: f"{next(numbers)}")
    assert path.read_text() == (
        "theirs=1\na<<planops_1\n1\nplanops_1\nb-c<<planops_2\nx\ny\nplanops_2\n"
    )


def test_no_two_delimiters_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "output"
    write_outputs(path, {f"n{number}": "" for number in range(50)})
    ends = re.findall(r"<<(planops_[0-9a-f]{32})\n", path.read_text())
    assert len({*ends}) == 50


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "a<<b", "1a", "ä", "x" * 101])
def test_an_output_s_name_is_plain_or_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / "output"
    for write in (write_outputs, write_dotenv):
        with pytest.raises(ValueError, match="an output's name"):
            write(path, {"good": "1", name: "2"})
    assert not path.exists()


def test_a_value_that_holds_the_delimiter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an output's name"):
        write_outputs(tmp_path / "output", {"a": "x\nplanops_1\n"}, delimiter=lambda: "1")


def test_outputs_that_are_too_long_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "output"
    with pytest.raises(ValueError, match="409600 characters together"):
        write_outputs(path, {"a": "x" * 409_600, "b": "x"})
    assert not path.exists()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_outputs(path, {"a": "1"}),
        lambda path: write_summary(path, "x"),
        lambda path: write_dotenv(path, {"a": "1"}),
    ],
)
def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(SettingsWrong, match="it cannot be written: Is a directory"):
        write(tmp_path)


# ---------------------------------------------------------------------------------------- summary


def test_a_summary_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("## theirs, without an end of the line")
    write_summary(path, "first")
    write_summary(path, "second")
    assert path.read_text() == (
        "## theirs, without an end of the line\n"
        "<!-- planops:summary -->\nsecond\n<!-- /planops:summary -->\n"
    )


def test_what_others_write_afterwards_stays(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "first")
    with path.open("a") as file:
        file.write("theirs\n")
    write_summary(path, "a body that holds <!-- /planops:summary --> and <b>")
    write_summary(path, "third")
    assert path.read_text().startswith("theirs\n<!-- planops:summary -->\nthird\n")
    assert "holds" not in path.read_text()


@pytest.mark.parametrize("others", ["", "x\n" * 300_000, "x\n" * 600_000])
def test_a_summary_is_never_longer_than_its_budget(tmp_path: Path, others: str) -> None:
    path = tmp_path / "summary"
    path.write_text(others)
    write_summary(path, "| ü | 🚀 |\n" * 200_000)
    written = path.read_text()
    assert written.startswith(others)
    ours = written.removeprefix(others)
    if len(others) < outbox.SUMMARY_LIMIT:
        assert 0.999 * outbox.SUMMARY_LIMIT < len(written.encode()) <= outbox.SUMMARY_LIMIT
        assert "The rest is cut" in ours
    else:
        assert ours == "<!-- planops:summary -->\n\n<!-- /planops:summary -->\n"


def test_a_summary_that_fits_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "a\n\nb")
    assert "\na\n\nb\n" in path.read_text()


LINES = st.sampled_from(
    ["text", "ü" * 30, "```", "```yaml", "~~~~", "````", "<details>", "</details>", "a `` b",
     "<DETAILS open><summary>x</summary>", "   ```", "", "| a | b |"]
)  # fmt: skip


@given(lines=st.lists(LINES, max_size=40), limit=st.integers(0, 900))
def test_a_cut_closes_what_is_open(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    cut = shortened(text, limit)
    assert len(cut.encode()) <= limit or cut == text
    if cut == text:
        assert len(text.encode()) <= limit
        return
    fence, depth = "", 0
    for line in cut.split("\n"):
        fence, depth = outbox._after(line, fence, depth)
    assert (fence, depth) == ("", 0)
    assert not cut or "_The rest is cut" in cut
    kept = cut.partition("_The rest")[0].rstrip("\n").split("\n")[:-1]  # the last may close a fence
    assert kept == lines[: len(kept)]


def test_every_cut_of_a_report_is_sound_and_as_long_as_it_may_be() -> None:
    text = "# r\n<details><summary>a</summary>\n\n```yaml\nx: 1\n```\n</details>\nend\n" * 3
    sizes = []
    for limit in range(90, len(text)):
        cut = shortened(text, limit)
        assert cut.count("<details>") == cut.count("</details>")
        assert cut.count("```") % 2 == 0
        sizes.append(len(cut))
    assert sizes[-1] > len(text) - 90
    assert sizes[0] > 0


def test_what_fits_but_for_the_end_is_cut_at_the_last_line() -> None:
    assert shortened("x\n" * 60 + "y" * 60, 179).startswith("x\n" * 59)


# ----------------------------------------------------------------------------------------- dotenv


def read_dotenv(data: bytes) -> dict[str, str]:
    """Read the file as GitLab does, which takes the last ``=`` free name and trims both."""
    found = {}
    for line in data.decode().splitlines():
        matched = re.fullmatch(r"(.*?)=(.*)", line)
        assert matched, "GitLab refuses the whole file"
        found[matched[1].strip()] = matched[2].strip()
    return found


@given(values=st.dictionaries(NAMES, TEXT | NASTY, max_size=3))
def test_a_dotenv_report_is_one_plain_line_a_value(
    tmp_path_factory: pytest.TempPathFactory, values: Mapping[str, str]
) -> None:
    path = tmp_path_factory.mktemp("env") / "planops.env"
    write_dotenv(path, values)
    found = read_dotenv(path.read_bytes())
    assert {*found} == {f"PLANOPS_{n.upper().replace('-', '_')}" for n in values}
    assert not [value for value in found.values() if re.search(r"[^A-Za-z0-9 /:,@=+\-_.~%]", value)]


def test_a_dotenv_report_holds_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "planops.env"
    path.write_text("old=1\n")
    write_dotenv(path, {"has-changes": "true", "fingerprints": "ab12,cd34", "evil": " $TOKEN\nX=1"})
    assert path.read_text() == (
        "PLANOPS_HAS_CHANGES=true\nPLANOPS_FINGERPRINTS=ab12,cd34\nPLANOPS_EVIL=%24TOKEN%0AX=1\n"
    )


@pytest.mark.parametrize(
    "values", [{"a": "x" * 5200}, {f"n{number}": "1" for number in range(21)}], ids=["long", "many"]
)
def test_a_dotenv_report_that_gitlab_would_refuse_is_not_written(
    tmp_path: Path, values: Mapping[str, str]
) -> None:
    path = tmp_path / "planops.env"
    with pytest.raises(ValueError, match="a dotenv report holds 20 names and 5120 bytes"):
        write_dotenv(path, values)
    assert not path.exists()
