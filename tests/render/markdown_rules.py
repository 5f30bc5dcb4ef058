"""What must hold of Markdown that shows hostile text, checked without a Markdown renderer."""

from __future__ import annotations

import re

OWN_TAGS = re.compile(r"</?(?:details|summary|code|b)>|<details open>|<br>|<wbr>")
CODE = re.compile(r"<code>(.*?)</code>")
ENTITY = re.compile(r"&(?:#[0-9]{2,3}|amp|lt|gt);")
LINK = re.compile(r"\[the (?:run|whole report)\]\(<https://[^\s<>()]+>\)")
STARTS = (
    "### planops ", "#### ", "- ", "  - ", "| ", "|---", "<details", "</details>", "**", "Call ",
    "<code>", "No calls to make", "No call to make", "Not all calls", "This undoes", "Earliest",
    "After merging", "Merging neither",
    "or, only where",
)  # fmt: skip
# An exclamation mark begins an image only before a bracket, and brackets stand here themselves.
HARMFUL = re.compile(r"[@`~\[\]\\#$^{}]|://|(?i:www\.)|[*_]")
IN_CODE = re.compile(r"[<>@`~\[\]\\|*_!#$^{}]")


def without_fences(text: str) -> str:
    """Take the fenced blocks out; fails where one is not closed."""
    kept: list[str] = []
    ticks = ""
    for line in text.split("\n"):
        opening = re.fullmatch(r"(`{3,})(?:json|diff|mermaid|sh)", line)
        if ticks:
            assert not line.lstrip().startswith("::")
            ticks = "" if line == ticks else ticks
        elif opening:
            ticks = opening[1]
        else:
            kept.append(line)
    assert not ticks
    return "\n".join(kept)


def check(text: str) -> None:
    """Fail where a forge could find anything in the text that planops did not mean."""
    outside = without_fences(text)
    depth = columns = 0
    for line in outside.split("\n"):
        assert not line or line.startswith(STARTS), line
        depth += line.startswith("<details") - line.startswith("</details>")
        assert depth in {0, 1}
        bars = line.count("|") if line.startswith("|") else 0
        assert not bars or bars == columns or not columns
        columns = bars
        _check_line(line)
    assert depth == 0
    assert outside.count("<details") == outside.count("</details>")


def _check_line(line: str) -> None:
    for inside in CODE.findall(line):
        assert not IN_CODE.search(ENTITY.sub("", inside).replace("<wbr>", "")), inside
        assert "://" not in inside
        assert "www." not in inside.lower()
    rest = OWN_TAGS.sub("", LINK.sub("", CODE.sub("", line)))
    assert "<" not in rest
    assert "&" not in rest
    rest = re.sub(r"^#{3,4} ", "", rest).replace("**", "")
    assert not HARMFUL.search(rest), rest
    assert not re.search(r"(?<!\S)\d+[.)](?:\s|$)", rest) or not re.match(r"\s*\d", rest)
