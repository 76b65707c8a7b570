from datetime import date, datetime, time, timedelta

import pytest

from fasti.errors import TextError
from fasti.times import (
    parse_day,
    parse_duration,
    parse_moment,
    parse_time,
    show_duration,
    show_moment,
)


def test_moments():
    assert parse_moment("2024-03-04 09:30") == datetime(2024, 3, 4, 9, 30)
    assert show_moment(datetime(2024, 3, 4, 9, 30)) == "2024-03-04 09:30"


def test_days_and_times():
    assert parse_day("2024-02-29") == date(2024, 2, 29)
    assert parse_time("07:05") == time(7, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-03-04",
        "2024-3-4 9:30",
        "2023-02-29 09:30",
        "2024-03-04 24:00",
        "2024-03-04  09:30",
    ],
    ids=["empty", "day", "short", "no-day", "no-hour", "spaces"],
)
def test_no_moments(text):
    with pytest.raises(TextError):
        parse_moment(text)


@pytest.mark.parametrize(
    "text, minutes",
    [("15m", 15), ("1h", 60), ("1h30m", 90), ("2d", 2880), ("1d2h3m", 1563), ("0m", 0)],
    ids=["minutes", "hour", "both", "days", "all", "nothing"],
)
def test_durations(text, minutes):
    assert parse_duration(text) == timedelta(minutes=minutes)
    assert show_duration(timedelta(minutes=minutes)) == text


def test_durations_are_written_in_the_largest_units():
    assert show_duration(parse_duration("90m")) == "1h30m"
    assert show_duration(parse_duration("48h")) == "2d"


@pytest.mark.parametrize(
    "text",
    ["", "1", "m", "30m1h", "-5m"],
    ids=["empty", "no-unit", "no-number", "order", "negative"],
)
def test_no_durations(text):
    with pytest.raises(TextError):
        parse_duration(text)
