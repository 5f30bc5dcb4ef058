"""Times: what is taken, what is refused, and that Python's own reading agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.manifests.times import BadTime, epoch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-12-01T22:00:00+08:00", 1796133600),
        ("2026-12-01T14:00:00Z", 1796133600),
        ("2026-12-01t14:00:00z", 1796133600),
        ("2026-12-01T08:30:00-05:30", 1796133600),
        ("2026-12-01T14:00:00-00:00", 1796133600),
        ("2024-02-29T00:00:00Z", 1709164800),
        ("9999-12-31T23:59:59Z", 253402300799),
    ],
)
def test_a_time_is_one_second(text: str, seconds: int) -> None:
    assert epoch(text) == seconds


@pytest.mark.parametrize("number", [0, 1, 1796133600, 10**11])
def test_seconds_stay_seconds(number: int) -> None:
    assert epoch(number) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-12-01T22:00:00", "has no offset"),
        ("2026-12-01T22:00:00.000Z", "has fractions"),
        ("2026-12-01T24:00:00Z", "has the hour 24"),
        ("2026-12-31T23:59:60Z", "is a leap second"),
        ("2026-12-01T22:60:00Z", "is in no calendar"),
        ("2026-13-01T22:00:00Z", "is in no calendar"),
        ("2026-02-29T22:00:00Z", "is in no calendar"),
        ("0000-01-01T00:00:00Z", "is in no calendar"),
        ("2026-12-01T22:00:00+24:00", "is in no calendar"),
        ("2026-12-01T22:00:00+08:60", "is in no calendar"),
        ("0001-01-01T00:00:00+10:00", "lies before 1970"),
        ("1969-12-31T23:59:59Z", "lies before 1970"),
        ("2026-12-01T22:00:00+0800", "is no RFC 3339 time"),
        ("2026-12-01T22:00:00 +08:00", "is no RFC 3339 time"),
        ("2026-12-01T22:00:00Z\n", "is no RFC 3339 time"),
        ("\u0662\u0660\u0662\u0666-12-01T22:00:00Z", "is no RFC 3339 time"),
        ("", "is no RFC 3339 time"),
    ],
)
def test_a_time_that_is_none(text: str, why: str) -> None:
    with pytest.raises(BadTime, match=why):
        epoch(text)


def test_milliseconds_are_named_with_the_seconds_meant() -> None:
    with pytest.raises(BadTime, match="1796133600000 are milliseconds") as caught:
        epoch(1796133600000)
    assert caught.value.hint == "write the seconds, 1796133600"


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001 -- the offset is drawn apart
    st.integers(-23 * 60, 23 * 60),
)
def test_python_reads_it_alike(moment: datetime, minutes: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert epoch(aware.isoformat()) == int(aware.timestamp())
    utc = aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert epoch(utc.rjust(20, "0")) == int(aware.timestamp())


@given(st.text("0123456789-:.TZ+ ", max_size=28) | st.text())
def test_any_text_is_a_time_or_a_sentence(text: str) -> None:
    try:
        seconds = epoch(text)
    except BadTime as error:
        said = error.message + error.hint
        seconds = 0 if said.isprintable() else -1
    assert seconds >= 0
