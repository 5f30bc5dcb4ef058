"""A secret that somebody wrote into a plan is found in every format, however that spells it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.core.model import Mark, Problem, Severity
from planops.core.report import Report
from planops.render import github, gitlab, junit, sarif
from planops.render import json as as_json
from planops.render.escape import cut, masked, spellings, visible
from planops.render.values import shown
from render import runner
from render.test_render_properties import slow


def _github(text: str) -> str:
    told = runner.command(text.rstrip("\n"))
    assert told is not None
    return f"{told.data} {told.properties['file']}"


def _xml(text: str) -> str:
    root = ET.fromstring(text)  # noqa: S314 - it is our own
    return " ".join([*root.itertext(), *(v for each in root.iter() for v in each.attrib.values())])


def _values(text: str) -> str:
    def walk(value: object) -> str:
        if isinstance(value, Mapping):
            return " ".join(map(walk, value.values()))
        return " ".join(map(walk, value)) if isinstance(value, list) else str(value)

    return walk(json.loads(text))


FORMATS: Mapping[str, tuple[Callable[[Report], str], Callable[[str], str]]] = {
    "github": (github.text, _github),
    "gitlab": (gitlab.text, _values),
    "junit": (junit.text, _xml),
    "sarif": (lambda report: sarif.text(report, version="1"), _values),
    "json": (lambda report: as_json.text(report, version="1"), _values),
}
MARK = Mark(file="plans/a.yaml", line=1, column=1)
secrets = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize("name", FORMATS)
@slow
@given(secrets.map(lambda tail: f"Zq9{tail}z"))
def test_no_spelling_of_a_secret_is_left(name: str, secret: str) -> None:
    render, read = FORMATS[name]
    mark = replace(MARK, file=f"plans/{secret}")
    said = Problem(severity=Severity.ERROR, code="x", message=f"see {secret}.", mark=mark)
    rendered = render(Report(command="validate", problems=(said,)))
    hidden = masked(rendered, secret)
    assert hidden != rendered
    told = read(hidden)
    assert secret not in told
    assert visible(secret) not in told
    assert "see ***." in told


@pytest.mark.parametrize("name", FORMATS)
@slow
@given(secrets.map(lambda tail: f"Zq9'{tail}" + "z" * 40), st.integers(10, 60))
def test_the_beginning_of_a_secret_is_masked_where_its_end_is_cut_off(
    name: str, secret: str, kept: int
) -> None:
    render, read = FORMATS[name]
    for said in (cut(secret, kept), cut(visible(secret), kept), shown(secret, kept)):
        told = Problem(severity=Severity.ERROR, code="x", message=f"{said}, it says", mark=MARK)
        report = Report(command="validate", problems=(told,))
        assert "Zq9" in read(render(report))
        assert "Zq9" not in read(masked(render(report), secret))


def test_a_beginning_that_nothing_is_cut_from_stays() -> None:
    assert masked("abcd … (+1 character, abc… (+2", "abcdef") == "abcd … (+1 character, abc… (+2"
    assert masked('see "abcd"… (+2', "abcdef") == 'see "***"… (+2'


def test_nothing_has_no_spelling() -> None:
    assert spellings("") == ()
