from datetime import datetime, timedelta

import pytest

from fasti.errors import EventError
from fasti.event import Event
from fasti.ruletext import parse_rule
from fasti.times import parse_moment

HOUR = timedelta(hours=1)


def event(rule=None, start="2024-03-04 09:00", duration=HOUR, skipped=()):
    moments = frozenset(map(parse_moment, skipped))
    return Event("e", "Event", parse_moment(start), duration, rule and parse_rule(rule), moments)


def starts(event, begin, end):
    found = event.occurrences(parse_moment(begin), parse_moment(end))
    return [f"{occurrence.start:%d %H:%M}" for occurrence in found]


def test_occurrence():
    (found,) = event().occurrences(datetime(2024, 3, 4), datetime(2024, 3, 5))
    assert (found.event_id, found.title) == ("e", "Event")
    assert (found.start, found.end) == (datetime(2024, 3, 4, 9), datetime(2024, 3, 4, 10))


def test_overlap():
    assert starts(event(), "2024-03-04 09:59", "2024-03-04 11:00") == ["04 09:00"]
    assert starts(event(), "2024-03-04 10:00", "2024-03-04 11:00") == []
    assert starts(event(), "2024-03-04 08:00", "2024-03-04 09:00") == []


def test_no_time_at_all():
    reminder = event(duration=timedelta(0))
    assert starts(reminder, "2024-03-04 09:00", "2024-03-04 09:01") == ["04 09:00"]
    assert starts(reminder, "2024-03-04 08:00", "2024-03-04 09:00") == []


def test_bad_events():
    with pytest.raises(EventError):
        event(duration=-HOUR)
    with pytest.raises(EventError):
        Event("a b", "Event", datetime(2024, 3, 4), HOUR)


def test_series():
    series = event("every 2 days for 4 times")
    assert starts(series, "2024-03-01 00:00", "2024-04-01 00:00") == [
        "04 09:00",
        "06 09:00",
        "08 09:00",
        "10 09:00",
    ]
    assert starts(series, "2024-03-06 09:30", "2024-03-08 09:00") == ["06 09:00"]


def test_long_occurrences():
    series = event("every day", duration=30 * HOUR)
    assert starts(series, "2024-03-07 10:00", "2024-03-07 11:00") == ["06 09:00", "07 09:00"]


def test_the_start_is_of_the_rule():
    with pytest.raises(EventError):
        event("every week on tue")
    with pytest.raises(EventError):
        event("every day until 2024-03-01")


def test_check_start():
    series = event("every 2 days")
    series.check_start(parse_moment("2024-03-06 09:00"))
    for wrong in ("2024-03-05 09:00", "2024-03-06 10:00", "2024-03-02 09:00"):
        with pytest.raises(EventError):
            series.check_start(parse_moment(wrong))
    with pytest.raises(EventError):
        event().check_start(parse_moment("2024-03-04 09:00"))


def test_skipped():
    series = event("every day for 3 times", skipped=["2024-03-05 09:00"])
    assert starts(series, "2024-03-01 00:00", "2024-04-01 00:00") == ["04 09:00", "06 09:00"]


def test_only_occurrences_can_be_skipped():
    with pytest.raises(EventError):
        event("every day for 3 times", skipped=["2024-03-07 09:00"])
    with pytest.raises(EventError):
        event(skipped=["2024-03-04 09:00"])


def test_first_after():
    series = event("every day for 3 times", skipped=["2024-03-05 09:00"])
    assert series.first_after(parse_moment("2024-03-01 00:00")).start.day == 4
    assert series.first_after(parse_moment("2024-03-04 08:59")).start.day == 4
    assert series.first_after(parse_moment("2024-03-04 09:00")).start.day == 6
    assert series.first_after(parse_moment("2024-03-06 09:00")) is None


def test_over_at():
    assert event().over_at() == parse_moment("2024-03-04 10:00")
    assert event("every day for 3 times").over_at() == parse_moment("2024-03-06 10:00")
    assert event("every day").over_at() is None


def test_over_at_with_skipped_occurrences():
    series = event("every day for 2 times", skipped=["2024-03-05 09:00"])
    assert series.over_at() == parse_moment("2024-03-04 10:00")
    nothing = event("every day for 1 time", skipped=["2024-03-04 09:00"])
    assert nothing.over_at() == parse_moment("2024-03-04 09:00")
