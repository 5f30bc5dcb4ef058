"""The parser's complaints about syntax, said so that the author of the file knows what to do.

Decides only on words; where the parser stopped is the parser's word.
"""

from __future__ import annotations

from typing import Any

import yaml

from planops.manifests.wording import code, plain


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Any, str, str]:
    """Say where a text is no YAML, why, and what to do."""
    mark: Any = error.problem_mark or error.context_mark
    problem = str(error.problem or "")
    if "cannot start any token" in problem or "tab character" in problem:
        return (mark, *_bad_start(text[mark.index : mark.index + 1]))
    if "mapping values are not allowed" in problem:
        return (
            mark,
            "a `:` makes this a second key where only one may stand",
            "quote the text if the colon belongs to it; else mend the indentation",
        )
    if "could not find expected ':'" in problem:
        where: Any = error.context_mark or mark
        message = "this line is neither `key: value` nor a list's `- item`"
        return where, message, "add the colon, or mend the indentation or the quotes"
    if "unexpected end of stream" in problem and "quoted" in str(error.context or ""):
        return error.context_mark or mark, "the quoted text that begins here never ends", "close it"
    if "escape" in problem:
        message = "a `\\` in this quoted text begins no escape that YAML knows"
        return mark, message, "write the character itself, or double the backslash"
    if "flow" in str(error.context or ""):
        message = "the `[…]` or `{…}` around this is not closed, or lacks a comma before it"
        return mark, message, "close it, or add the comma"
    return mark, _parser_says(error), "check the indentation, brackets and quotes around it"


def _bad_start(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab indents this line; YAML allows only blanks there", "replace the tab by blanks"
    return f"unquoted text cannot begin with {code(character)}", "quote it"


def _parser_says(error: yaml.MarkedYAMLError) -> str:
    words = [plain(str(part)) for part in (error.context, error.problem) if part]
    where: Any = error.context_mark
    if len(words) > 1 and where is not None:
        words[0] += f" that begins in column {where.column + 1}"
    return f"this is not YAML: {', '.join(words)}"
