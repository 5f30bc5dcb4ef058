"""What the strict reader makes of YAML's well-known traps: a value, or a place and a sentence.

Every case is read by libyaml's parser and by the pure one; both must answer the same.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from planops.manifests.yaml import default_parser, parse

PARSERS = {"libyaml": default_parser(), "pure": yaml.SafeLoader}
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 9) + "]\n" for i in range(1, 9)
)

VALUES: dict[str, tuple[str, Any]] = {
    "base 60": ("a: 1:30", {"a": "1:30"}),
    "time of day": ("a: 12:30:45", {"a": "12:30:45"}),
    "underscore": ("a: 1_000", {"a": "1_000"}),
    "exponent": ("a: 1e3", {"a": 1000.0}),
    "version": ("a: 1.10", {"a": 1.1}),
    "date": ("a: 2026-12-01", {"a": "2026-12-01"}),
    "quoted date": ('a: "2026-12-01"', {"a": "2026-12-01"}),
    "time": ("a: 2026-12-01T08:00:00Z", {"a": "2026-12-01T08:00:00Z"}),
    "quoted time": ('a: "2026-12-01T08:00:00Z"', {"a": "2026-12-01T08:00:00Z"}),
    "bad date": ("a: 2026-13-45", {"a": "2026-13-45"}),
    "equals sign": ("a: =", {"a": "="}),
    "empty value": ("a:", {"a": None}),
    "tilde": ("a: ~", {"a": None}),
    "null": ("a: null", {"a": None}),
    "infinity": ("a: .inf", {"a": ".inf"}),
    "not a number": ("a: .nan", {"a": ".nan"}),
    "quoted number key": ('"1": x', {"1": "x"}),
    "quoted yes": ('a: "yes"', {"a": "yes"}),
    "single-quoted no": ("a: 'no'", {"a": "no"}),
    "true": ("a: true", {"a": True}),
    "false": ("a: false", {"a": False}),
    "zero": ("a: 0", {"a": 0}),
    "negative zero": ("a: -0", {"a": 0}),
    "negative": ("a: -12", {"a": -12}),
    "fraction": ("a: -0.50", {"a": -0.5}),
    "plus sign is text": ("a: +12", {"a": "+12"}),
    "bare fraction is text": ("a: .5", {"a": ".5"}),
    "trailing dot is text": ("a: 1.", {"a": "1."}),
    "dash is text": ("a: -x", {"a": "-x"}),
    "address": ("a: 10.0.0.1", {"a": "10.0.0.1"}),
    "greatest integer": ("a: 9223372036854775807", {"a": 2**63 - 1}),
    "least integer": ("a: -9223372036854775808", {"a": -(2**63)}),
    "word with a legacy beginning": (
        "a: yesterday\nnote: only",
        {"a": "yesterday", "note": "only"},
    ),
    "key like a number": ("1.2.3: x\n2026-12: y1", {"1.2.3": "x", "2026-12": "y1"}),
    "byte order mark": ("\ufeffa: 1", {"a": 1}),
    "carriage returns": ("a: 1\r\nb: |\r\n  x\r\n  z\r\n", {"a": 1, "b": "x\nz\n"}),
    "directive": ("%YAML 1.2\n---\na: x", {"a": "x"}),
    "flow key without value": ("{a, b: 1}", {"a": None, "b": 1}),
    "pair in a list": ("a: [b: 1]", {"a": [{"b": 1}]}),
    "quoted merge key": ('"<<": 1', {"<<": 1}),
    "tab in text": ('a: "x\\ty"\nb: |\n  x\ty\n', {"a": "x\ty", "b": "x\ty\n"}),
    "emoji": ('a: 🚀\nb: "\\U0001F680"', {"a": "🚀", "b": "🚀"}),
}

ERRORS: dict[str, tuple[str, str]] = {
    "on": ("a: on", "1:4 ambiguous-boolean"),
    "yes": ("a: yes", "1:4 ambiguous-boolean"),
    "NO": ("a: NO", "1:4 ambiguous-boolean"),
    "y": ("a: y", "1:4 ambiguous-boolean"),
    "N": ("a: [N]", "1:5 ambiguous-boolean"),
    "capital true": ("a: True", "1:4 ambiguous-boolean"),
    "FALSE": ("a: [FALSE]", "1:5 ambiguous-boolean"),
    "capital null": ("a: Null", "1:4 ambiguous-null"),
    "Off": ("- Off", "1:3 ambiguous-boolean"),
    "key on": ("on: 1", "1:1 ambiguous-boolean"),
    "octal": ("a: 010", "1:4 leading-zero"),
    "negative octal": ("a: -010", "1:4 leading-zero"),
    "plus octal": ("a: +010", "1:4 leading-zero"),
    "leading zero and fraction": ("a: 01.5", "1:4 leading-zero"),
    "double zero": ("a: 00", "1:4 leading-zero"),
    "key with a leading zero": ("007: bond", "1:1 leading-zero"),
    "new octal": ("a: 0o10", "1:4 number-with-base"),
    "hexadecimal": ("a: 0x1F", "1:4 number-with-base"),
    "binary": ("a: 0b11", "1:4 number-with-base"),
    "integer key": ("1: x", "1:1 key-not-text"),
    "null key": ("~: x", "1:1 key-not-text"),
    "empty key": ("? \n: x", "1:2 key-not-text"),
    "no key": (": x", "1:1 syntax"),
    "boolean key": ("true: x", "1:1 key-not-text"),
    "list as a key": ("? [a]\n: b", "1:3 key-not-text"),
    "alias as a key": ("*a : b", "1:1 alias"),
    "duplicate key": ("a: 1\na: 2", "2:1 duplicate-key"),
    "nested duplicate key": ("x:\n  a: 1\n  a: 2", "3:3 duplicate-key"),
    "duplicate key of another spelling": ('a: 1\n"a": 2', "2:1 duplicate-key"),
    "merge": ("b: &b {x: 1}\na:\n  <<: *b", "1:4 anchor, 3:3 merge-key, 3:7 alias"),
    "alias": ("b: &b [1]\na: *b", "1:4 anchor, 2:4 alias"),
    "python tag": ("a: !!python/object/apply:os.getpid []", "1:4 tag"),
    "local tag": ("a: !foo bar", "1:4 tag"),
    "core tag": ("a: !!str 1", "1:4 tag"),
    "non-specific tag": ("a: ! 1", "1:4 tag"),
    "binary tag": ("a: !!binary aGk=", "1:4 tag"),
    "tag of a key": ("!!str a: 1", "1:1 tag"),
    "tag directive": ("%TAG !e! tag:e.com,2000:\n---\na: 1", "1:1 tag"),
    "tab indentation": ("a:\n\tb: 1", "2:1 syntax"),
    "next line": ("a: x\x85y", "1:5 control-character"),
    "line separator": ("a: x\u2028y", "1:5 control-character"),
    "bell": ("a: \x07", "1:4 control-character"),
    "NUL": ("a: 1\nb: \x00", "2:4 control-character"),
    "delete": ("a: \x7f", "1:4 control-character"),
    "byte order mark inside": ("a: \ufeffb", "1:4 control-character"),
    "escaped bell": ('a: "\\x07"', "1:4 control-character"),
    "escaped NUL in a key": ('"a\\0": 1', "1:1 control-character"),
    "deep": ("a: " + "[" * 2000 + "]" * 2000, "1:43 too-deep"),
    "very deep": ("a: " + "[" * 100_000 + "]" * 100_000, "1:43 too-deep"),
    "deep blocks": ("\n".join(" " * i + "a:" for i in range(60)), "41:41 too-deep"),
    "5,000 digits": ("a: " + "1" * 5000, "1:4 number-too-long"),
    "401 digits of a fraction": ("a: 0." + "1" * 400, "1:4 number-too-long"),
    "65 bits": ("a: 9223372036854775808", "1:4 number-out-of-range"),
    "infinite float": ("a: -1e999", "1:4 number-out-of-range"),
    "recursive alias": ("a: &a [*a]", "1:4 anchor, 1:8 alias"),
    "second colon": ("a: b: c", "1:5 syntax"),
    "at sign": ("a: @x", "1:4 syntax"),
    "percent": ("a: %x", "1:4 syntax"),
    "open quote": ("a: 'x", "1:4 syntax"),
    "no colon": ("a: 1\nb", "2:1 syntax"),
    "undefined tag handle": ("a: !e!x 1", "1:4 syntax"),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("case", VALUES)
def test_a_value(case: str, parser: str) -> None:
    text, expected = VALUES[case]
    parsed = parse(text.encode(), "f.yaml", PARSERS[parser])
    assert parsed.problems == ()
    [document] = parsed.documents
    assert document.value == expected
    assert repr(document.value) == repr(expected)  # 1, 1.0 and True are equal, and not the same


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("case", ERRORS)
def test_an_error(case: str, parser: str) -> None:
    text, expected = ERRORS[case]
    problems = parse(text.encode(), "f.yaml", PARSERS[parser]).problems
    said = [f"{each.mark.line}:{each.mark.column} {each.code}" for each in problems if each.mark]
    assert ", ".join(said) == expected


@pytest.mark.parametrize("parser", PARSERS)
def test_a_billion_laughs_are_refused_at_every_anchor(parser: str) -> None:
    problems = parse(LAUGHS.encode(), "f.yaml", PARSERS[parser]).problems
    assert {problem.code for problem in problems} == {"anchor", "alias"}
    assert len(problems) == 9 + 8 * 9


@pytest.mark.parametrize("parser", PARSERS)
def test_a_lone_surrogate_is_refused(parser: str) -> None:
    problems = parse(b'a: "\\ud800"', "f.yaml", PARSERS[parser]).problems
    assert [problem.mark.line for problem in problems if problem.mark] == [1]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff\xfea\x00", "1:1 the file is UTF-16; save it as UTF-8"),
        (b"a: 1\nb: x\xff", "2:5 byte 0xff is not UTF-8; save the file as UTF-8"),
        ("é: é".encode() + b"\xc3", "1:5 byte 0xc3 is not UTF-8; save the file as UTF-8"),
        (b"a: \xed\xa0\x80", "1:4 byte 0xed is not UTF-8; save the file as UTF-8"),
        (b"x" * (2**20 + 1), "1:1 the file has 1,048,577 bytes; 1,048,576 are the most; split it"),
        (b"a: \x00", "1:4 the file holds a NUL character; remove it"),
        (b"a: 1\r\nb: \x1b[31m", "2:4 the file holds the control character U+001B; remove it"),
        (
            "é: \x85".encode(),
            "1:4 U+0085 ends a line for some readers and not for others; remove it",
        ),
    ],
)
def test_bytes_that_are_no_text(data: bytes, expected: str) -> None:
    [problem] = parse(data, "f.yaml").problems
    assert problem.mark is not None
    where = f"{problem.mark.line}:{problem.mark.column}"
    assert f"{where} {problem.message}; {problem.hint}" == expected


@pytest.mark.parametrize("parser", PARSERS)
def test_undecipherable_escapes_are_no_traceback(parser: str) -> None:
    for text in ('a: "\\UFFFFFFFF"', 'a: "\\xZZ"', "%YAML 99999999999999999999.1\n---\na: 1"):
        assert parse(text.encode(), "f.yaml", PARSERS[parser]).problems
