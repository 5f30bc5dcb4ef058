"""What goes into the HTTP client and comes out of it, without any server."""

from __future__ import annotations

import base64
import json
import re
import ssl
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.backends.decoding import BadCodingError, unpacked
from planops.backends.exchange import SETTINGS, Endpoint, Request, Response, Timeouts
from planops.backends.faults import Kind, connect_fault, proxy_fault
from planops.backends.redaction import MASK, Redactor
from planops.errors import Garbled, SettingsWrong

SECRET = 'päss/w+rd "long" \\ enough'


@pytest.mark.parametrize(
    "url",
    [
        "https://zadig.example.com",
        "https://zadig.example.com:8443/brpm/",
        "HTTPS://Zadig.Example.com/a/b-c_d.e~f",
        "https://[2001:db8::1]:8443",
        "http://localhost:8000",
        "http://127.9.9.9/brpm",
        "http://[::1]:1",
    ],
)
def test_addresses_that_can_be_used(url: str) -> None:
    endpoint = Endpoint(url=url)
    assert endpoint.loopback == url.startswith("http:")
    assert endpoint.encrypted != endpoint.loopback
    assert "://" not in endpoint.host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "zadig.example.com",
        "https://",
        "https:///path",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://zadig.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://127.1",
        "http://[::ffff:10.0.0.1]",
        "https://user@host",
        "https://user:hunter2hunter@host",
        "https://user:hunt/er2hunter@host",
        "https://:hunter2hunter@host:99999/",
        "http://localhost@evil.example",
        "https://host?token=hunter2hunter",
        "https://host/#x",
        "https://host/a/../b",
        "https://host//a",
        "https://host/a b",
        "https://host/%2e%2e/",
        "https://host\\@evil.example",
        "https://host\n.example",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "https://ünï.example",
        "https://" + "a" * 64 + ".example",
        "https://a..example",
    ],
)
def test_addresses_that_cannot(url: str) -> None:
    with pytest.raises(SettingsWrong, match="url cannot be used") as caught:
        Endpoint(url=url)
    assert "hunt" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", ["", "Bearer x\n", " x", "x\r\nHost: y", "tökén", "a\0b"])
def test_header_values_that_cannot_be_sent(value: str) -> None:
    with pytest.raises(SettingsWrong, match="header Authorization") as caught:
        Endpoint(url="https://host", headers={"Authorization": value})
    assert not value.strip() or value.strip() not in str(caught.value)


def test_numbers_are_positive() -> None:
    for endpoint in ({"concurrency": 0}, {"attempts": 0}, {"max_body": -1}):
        with pytest.raises(SettingsWrong, match="at least 1"):
            Endpoint(
                url="https://host",
                concurrency=endpoint.get("concurrency", 1),
                attempts=endpoint.get("attempts", 1),
                max_body=endpoint.get("max_body", 1),
            )
    assert Timeouts().read == 60


@pytest.mark.parametrize("path", ["/", "/v1/plans", "/a%20b/%C3%A9", "/a:b@c;d=e/...", "/.well"])
def test_paths_below_the_address(path: str) -> None:
    assert str(Request(method="GET", path=path)) == f"GET {path}"


@pytest.mark.parametrize(
    "path",
    [
        *("", "v1", "//evil/x", "/a/../b", "/a/./b", "/..", "/%2E%2e/x", "/.%2e", "/a b", "/a?b"),
        *("/a#b", "/é", "/a\n", "/%", "/%zz", "/a\\b", "http://evil/", "/\x00"),
    ],
)
def test_paths_that_lead_elsewhere(path: str) -> None:
    with pytest.raises(ValueError, match="path must be plain"):
        Request(method="GET", path=path)


def test_a_request_keeps_query_and_body_to_itself() -> None:
    request = Request(method="POST", path="/x", query=(("token", "abc"),), body={"a": "b"})
    assert repr(request) == "Request(method='POST', path='/x')"
    assert request.encoded() == b'{"a":"b"}'
    assert repr(Response(status=200, body=b"secret")).count("secret") == 0
    assert SECRET not in repr(Endpoint(url="https://h", secrets=(SECRET,), headers={"X": "abcdef"}))
    assert "abcdef" not in repr(Endpoint(url="https://h", headers={"X": "abcdef"}))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_comes_back_as_it_was_sent(value: object) -> None:
    body = json.dumps(value).encode()
    assert Response(status=200, body=body).json() == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"<!DOCTYPE html><p>Log in", "HTML or XML"),
        (b"  <html>", "HTML or XML"),
        (b'{"a": [1, 2', "ends in the middle, after 11 bytes"),
        (b'{"a": "b', "ends in the middle"),
        (b'{"a": tru', "not JSON"),
        (b"{'a': 1}", "not JSON, at line 1 column 2"),
        (b"{} {}", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8 at byte 0"),
        (b'{"a": "\xc3"}', "not UTF-8 at byte 7"),
        (b'{"a": 1, "a": 2}', "a key twice"),
        (b'{"x": {"a": 1, "a": 1}}', "a key twice"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"[1e999]", "a number is too large"),
        (b"[" + b"9" * 5000 + b"]", "cannot be used"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
    ],
)
def test_answers_that_are_not_understood(body: bytes, why: str) -> None:
    with pytest.raises(Garbled) as caught:
        Response(status=502, body=body, where="GET /x at host").json()
    text = str(caught.value)
    assert text.startswith("GET /x at host: an answer that is not understood (status 502): ")
    assert why in text
    assert len(text) < 300
    assert caught.value.__context__ is None


def test_a_surrogate_pair_and_a_byte_order_mark_are_fine() -> None:
    assert Response(status=200, body=b'\xef\xbb\xbf["\\ud83d\\ude00"]').json() == ["😀"]


def test_a_quoted_answer_is_short_escaped_and_without_secrets() -> None:
    body = b"oops \x1b[31m " + b"x" * 25 + SECRET.encode() + b"y" * 10_000
    with pytest.raises(Garbled) as caught:
        Response(status=200, body=body, redactor=Redactor([SECRET])).json()
    text = str(caught.value)
    assert "\x1b" not in text
    assert "x***y" in text
    assert "y" * 40 not in text


def test_every_form_of_a_secret_is_masked() -> None:
    redactor = Redactor([SECRET, "tail-newline\n"])
    raw, quoted = SECRET.encode(), quote(SECRET, safe="")
    lower = re.sub("%..", lambda match: match[0].lower(), quoted)
    assert lower != quoted
    for form in (SECRET, quote(SECRET), quoted, lower, quote_plus(SECRET), "tail-newline"):
        assert redactor.text(f"before {form} after") == "before *** after"
    for form in (json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False)):
        assert redactor.text(f"[{form}]") == '["***"]'
    for before in (b"", b"u", b"us", b"user:"):
        encoded = base64.b64encode(before + raw + b":after").decode()
        shown = redactor.text(f"x {encoded} y")
        assert MASK in shown
        assert base64.b64encode(raw).decode()[6:20] not in shown
        assert len(shown) < len(encoded) - 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("GET /x?a=1&token=abc&b=2", "GET /x?a=1&token=***&b=2"),
        ("access_token=abc", "access_token=***"),
        ("see https://me:pw@host/x", "see https://***@host/x"),
        ("nothing here, a=1", "nothing here, a=1"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_very_short_secrets_are_left_alone() -> None:
    assert Redactor(["a", "", "abc", " ab "]).text("a banana abc ab") == "a banana abc ab"


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4), st.text(), st.text())
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    assert secret not in redactor.text(before + secret + after).replace(MASK, "\0")
    assert len(redactor.quote(before + secret + after)) <= 60
    assert "secret" not in repr(redactor)


def test_a_window_full_of_secrets_shows_nothing() -> None:
    assert Redactor(["x" * 1000]).quote("x" * 1_000_500) == MASK
    shown = Redactor(["hunter-two"]).quote("a" * 16_380 + "hunter-two", 20_000)
    assert set(shown) == {"a"}


def test_a_body_without_encoding_passes() -> None:
    assert list(unpacked([b"a", b"b"], " Identity ", 1)) == [b"a", b"b"]
    assert list(unpacked([], "gzip", 1)) == []
    with pytest.raises(BadCodingError):
        list(unpacked([b"a"], "gzip, gzip", 1))


@pytest.mark.parametrize(
    ("code", "todo"),
    [
        (10, "renew it"),
        (62, "correct url"),
        (20, "set ca-file in planops.yaml to"),
        (99, "set ca-file in planops.yaml, or"),
    ],
)
def test_refused_certificates_say_what_to_do(code: int, todo: str) -> None:
    refused = ssl.SSLCertVerificationError()
    refused.verify_code = code
    error = OSError("outer")
    error.__context__ = refused
    fault = connect_fault(error, "why", SETTINGS)
    assert fault.kind is Kind.SETTINGS
    assert not fault.again
    assert todo in fault.todo


def test_a_proxy_that_cannot_is_tried_again_and_one_that_will_not_is_not() -> None:
    assert proxy_fault("502 Bad Gateway").kind is Kind.NOT_SENT
    assert proxy_fault("407 Proxy Authentication Required").kind is Kind.SETTINGS
