from datetime import timedelta

import pytest

from fasti.calendar import Calendar
from fasti.errors import EventError
from fasti.event import Event
from fasti.ruletext import parse_rule
from fasti.times import parse_moment


def event(id, start, rule=None, hours=1):
    duration = timedelta(hours=hours)
    return Event(id, id.title(), parse_moment(start), duration, rule and parse_rule(rule))


@pytest.fixture
def calendar():
    return Calendar(
        [
            event("walk", "2024-03-04 18:00", "every day"),
            event("course", "2024-03-05 10:00", "every week for 3 times", 2),
            event("trip", "2024-03-06 12:00", None, 60),
        ]
    )


def between(calendar, begin, end):
    found = calendar.between(parse_moment(begin), parse_moment(end))
    return [f"{occurrence.start:%d %H:%M} {occurrence.title}" for occurrence in found]


def test_between(calendar):
    assert between(calendar, "2024-03-05 00:00", "2024-03-07 00:00") == [
        "05 10:00 Course",
        "05 18:00 Walk",
        "06 12:00 Trip",
        "06 18:00 Walk",
    ]
    assert between(calendar, "2024-03-07 00:00", "2024-03-07 12:00") == ["06 12:00 Trip"]


def test_order_at_the_same_time(calendar):
    calendar.add(event("talk", "2024-03-05 18:00"))
    calendar.add(event("nap", "2024-03-05 18:00", hours=2))
    assert between(calendar, "2024-03-05 18:00", "2024-03-05 19:00") == [
        "05 18:00 Talk",
        "05 18:00 Walk",
        "05 18:00 Nap",
    ]


def test_ids(calendar):
    assert [event.id for event in calendar.events] == ["course", "trip", "walk"]
    assert calendar.get("trip").title == "Trip"
    with pytest.raises(EventError):
        calendar.add(event("trip", "2024-03-06 12:00"))
    with pytest.raises(EventError):
        calendar.get("talk")


def test_remove(calendar):
    calendar.remove("walk")
    assert between(calendar, "2024-03-05 00:00", "2024-03-06 00:00") == ["05 10:00 Course"]
    with pytest.raises(EventError):
        calendar.remove("walk")


def test_next_after(calendar):
    def after(moment):
        found = calendar.next_after(parse_moment(moment))
        return found and (found.title, found.start.day)

    assert after("2024-03-01 00:00") == ("Walk", 4)
    assert after("2024-03-05 09:59") == ("Course", 5)
    assert after("2024-03-05 10:00") == ("Walk", 5)
    calendar.remove("walk")
    assert after("2024-03-20 00:00") is None


def test_over_at(calendar):
    assert calendar.over_at("course") == parse_moment("2024-03-19 12:00")
    assert calendar.over_at("walk") is None
    calendar.remove("course")
    calendar.add(event("course", "2024-03-05 10:00"))
    assert calendar.over_at("course") == parse_moment("2024-03-05 11:00")


def test_what_is_over_is_passed_over(calendar):
    assert between(calendar, "2024-03-19 11:00", "2024-03-19 13:00") == ["19 10:00 Course"]
    assert between(calendar, "2024-03-19 12:00", "2024-03-19 13:00") == []
    assert between(calendar, "2024-03-01 12:00", "2024-03-04 18:00") == []


def test_skip(calendar):
    calendar.skip("course", parse_moment("2024-03-19 10:00"))
    assert between(calendar, "2024-03-19 00:00", "2024-03-19 18:00") == []
    assert calendar.over_at("course") == parse_moment("2024-03-12 12:00")


@pytest.mark.parametrize(
    "id, start",
    [
        ("talk", "2024-03-05 10:00"),
        ("trip", "2024-03-06 12:00"),
        ("course", "2024-03-06 10:00"),
        ("course", "2024-03-12 10:00"),
    ],
    ids=["no-event", "no-series", "no-occurrence", "twice"],
)
def test_skip_what_is_not_there(calendar, id, start):
    calendar.skip("course", parse_moment("2024-03-12 10:00"))
    with pytest.raises(EventError):
        calendar.skip(id, parse_moment(start))
