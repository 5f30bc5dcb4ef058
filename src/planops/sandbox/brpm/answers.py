"""The answers of the emulated server, its ways of refusing among them (docs/servers/brpm.md §7)."""

import abc
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from planops.sandbox.brpm import markup
from planops.sandbox.messages import HTML_TYPE, Answer, Request

Format = Literal["json", "xml"]
TYPES: Mapping[Format, str] = {
    "json": "application/json;charset=utf-8",
    "xml": "application/xml;charset=utf-8",
}
_BLANK = b" "
_OK, _NO_CONTENT = 200, 204
_CACHING = ("Cache-Control", "max-age=0, private, must-revalidate")
_SERVER = ("Server", "Apache-Coyote/1.1")


class Refusal(Exception, abc.ABC):
    """Anything but success."""

    @abc.abstractmethod
    def answer(self, form: Format) -> Answer:
        """The answer that says so."""


class NotFound(Refusal):
    """No such record, or none at all: no JSON body (§7.2)."""

    def answer(self, form: Format) -> Answer:
        """The bare status."""
        return blank(404, form)


class Forbidden(Refusal):
    """The token is missing or invalid (§7.1)."""

    def answer(self, form: Format) -> Answer:  # noqa: ARG002 - XML, whatever was asked for
        """XML, whatever was asked for."""
        body = markup.write("hash", {"error": "Token is invalid"})
        return Answer(status=403, body=body, content_type=TYPES["xml"])


class Unprocessable(Refusal):
    """Validation failed: messages by attribute (§7.3)."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(str(dict(errors)))
        self.errors = dict(errors)

    def answer(self, form: Format) -> Answer:
        """The messages by attribute in JSON, whole sentences in XML."""
        if form == "json":
            return Answer(status=422, body=_json(self.errors), content_type=TYPES["json"])
        sentences = [_sentence(name, one) for name, found in self.errors.items() for one in found]
        return Answer(status=422, body=markup.write_errors(sentences), content_type=TYPES["xml"])


class Failed(Refusal):
    """The server fails: an HTML page (§7.4)."""

    def answer(self, form: Format) -> Answer:  # noqa: ARG002 - a page, whatever was asked for
        """The page that Rails keeps for such cases."""
        return Answer(status=500, body=FAILED_PAGE, content_type=HTML_TYPE)


def rendered(status: int, root: str, value: object, form: Format) -> Answer:
    """A record or a list of records; JSON has no root (§1.10)."""
    body = _json(value) if form == "json" else markup.write(root, value)
    return Answer(status=status, body=body, content_type=TYPES[form])


def nothing(form: Format, spelling: Literal["null", "[]"]) -> Answer:
    """An empty list that is a success (§1.6)."""
    body = spelling.encode() if form == "json" else markup.write_empty()
    return Answer(body=body, content_type=TYPES[form])


def blank(status: int, form: Format) -> Answer:
    """A status with the one space that Rails sends instead of nothing (§1.5)."""
    return Answer(
        status=status, body=b"" if status == _NO_CONTENT else _BLANK, content_type=TYPES[form]
    )


def page(status: int, title: str) -> Answer:
    """An HTML page."""
    return Answer(status=status, body=_page(title), content_type=HTML_TYPE)


def dressed(answer: Answer, request: Request) -> Answer:
    """The headers of every answer, and 304 where the client has the body already (§1.7, §1.8)."""
    tag = f'"{hashlib.md5(answer.body, usedforsecurity=False).hexdigest()}"'
    headers = (
        _SERVER,
        ("X-UA-Compatible", "IE=Edge"),
        ("ETag", tag),
        _CACHING,
        ("X-Request-Id", uuid.uuid4().hex),
        ("X-Runtime", "0.130000"),
    )
    known = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    if request.method == "GET" and answer.status == _OK and known & {tag, "*"}:
        return Answer(status=304, headers=headers)
    return replace(answer, headers=headers)


def outside() -> Answer:
    """What the servlet container says outside the context (§1.1)."""
    return replace(page(404, "Apache Tomcat - Error report"), headers=(_SERVER,))


def _sentence(attribute: str, message: str) -> str:
    if attribute == "base":
        return message
    words = attribute.removesuffix("_id").replace("_", " ").replace(".", " ")
    return f"{words[:1].upper()}{words[1:]} {message}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _page(title: str) -> bytes:
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>\n".encode()


FAILED_PAGE = _page("We&#39;re sorry, but something went wrong (500)")
