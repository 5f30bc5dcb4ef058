"""What GitHub-flavoured renderers make of a comment, and what may be left in it.

Mentions, references and bare addresses are not Markdown: a forge finds them in the text of the page
outside of code, so that text is searched for whatever one could be made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
import comrak
import nh3
from cmarkgfm.cmark import Options

VOID = frozenset({"br", "wbr"})
OURS = frozenset(
    {
        "h3", "h4", "p", "ul", "li", "strong", "b", "code", "pre", "br", "wbr", "details",
        "summary", "table", "thead", "tbody", "tr", "th", "td", "a",
    }
)  # fmt: skip
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "details": frozenset({"open"}),
    "pre": frozenset({"lang"}),
}
LANGUAGES = frozenset({"json", "diff", "mermaid", "sh"})
FOUND_BY_FORGES = re.compile(
    r"[@#~$%&^<]|(?<!\w)!\d|://|(?i:www\.)|[\w.+-]+@[\w-]+|\b(?=\d*[a-f])[0-9a-f]{7,40}\b|:\w+:|\*|\[|\]|`"
)
"""Mentions, references, addresses, commits, commands, emoji, and Markdown that was not rendered."""


def by_comrak(text: str) -> str:
    extensions = comrak.ExtensionOptions()
    for name in (
        "table",
        "strikethrough",
        "autolink",
        "tasklist",
        "footnotes",
        "alerts",
        "tagfilter",
    ):
        setattr(extensions, name, True)
    options = comrak.RenderOptions()
    options.unsafe_ = options.gfm_quirks = options.github_pre_lang = True
    return comrak.render_markdown(text, extension_options=extensions, render_options=options)


def by_cmark(text: str) -> str:
    options = (
        Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_GITHUB_PRE_LANG
    )
    return str(cmarkgfm.github_flavored_markdown_to_html(text, options))


RENDERERS: Mapping[str, Callable[[str], str]] = {"comrak": by_comrak, "cmark-gfm": by_cmark}


@dataclass(slots=True)
class Seen:
    """What stands in a page."""

    events: list[tuple[str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Read a page strictly: every tag is one of ours, and is closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS, tag
        named = {name: value or "" for name, value in attrs}
        assert {*named} <= ATTRIBUTES.get(tag, frozenset()), (tag, named)
        assert tag != "pre" or named["lang"] in LANGUAGES
        self.seen.links += [named["href"]] if tag == "a" else []
        self.seen.events.append((tag, str(sorted(named.items()))))
        if tag not in VOID:
            self.seen.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.seen.open, tag
        assert self.seen.open.pop() == tag
        self.seen.events.append(("/", tag))

    def handle_data(self, data: str) -> None:
        self.seen.events.append(("text", data))
        if not {"code", "pre"} & {*self.seen.open}:
            self.seen.bare.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl!r}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data!r}")


def read(page: str) -> Seen:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.seen.open == []
    return reader.seen


def _events(page: str) -> list[tuple[str, str]]:
    """The page's tags and texts; text that is parted and blanks between blocks do not matter."""
    merged: list[tuple[str, str]] = []
    for kind, said in read(page).events:
        if kind == "text" and merged and merged[-1][0] == "text":
            merged[-1] = ("text", merged[-1][1] + said)
        else:
            merged.append((kind, said))
    return [event for event in merged if event[0] != "text" or event[1].strip()]


def cleaned(page: str) -> str:
    """What a sanitiser leaves of a page, which allows what is ours and nothing else."""
    return nh3.clean(
        page,
        tags={*OURS},
        attributes={tag: {*names} for tag, names in ATTRIBUTES.items()},
        url_schemes={"https"},
        link_rel=None,
    )


def harmless(text: str, *links: str) -> None:
    """Fail where a renderer, or a forge after it, finds anything that planops did not mean."""
    pages = {name: render(text) for name, render in RENDERERS.items()}
    for page in pages.values():
        seen = read(page)
        assert {*seen.links} <= {*links}
        for said in seen.bare:
            found = FOUND_BY_FORGES.search(said)
            assert not found, (found, said)
        assert _events(cleaned(page)) == _events(page)
    first, *others = map(_events, pages.values())
    assert all(other == first for other in others)
