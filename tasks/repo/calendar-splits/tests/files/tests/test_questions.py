from datetime import datetime, timedelta

import pytest

from fasti.calendar import Calendar
from fasti.conflicts import conflicts
from fasti.event import Event
from fasti.freebusy import busy, free
from fasti.ruletext import parse_rule


def at(day, hour):
    return datetime(2024, 3, day, hour)


@pytest.fixture
def calendar():
    def event(id, start, hours, rule=None):
        return Event(id, id.title(), start, timedelta(hours=hours), rule and parse_rule(rule))

    return Calendar(
        [
            event("shift", at(4, 8), 4, "every day for 3 times"),
            event("call", at(5, 11), 2),
            event("night", at(5, 22), 6),
            event("note", at(4, 9), 0),
        ]
    )


def pieces(intervals):
    return [(i.begin.day, i.begin.hour, i.end.day, i.end.hour) for i in intervals]


def test_busy(calendar):
    assert pieces(busy(calendar, at(5, 0), at(6, 0))) == [(5, 8, 5, 13), (5, 22, 6, 0)]


def test_free(calendar):
    found = free(calendar, at(5, 6), at(6, 9))
    assert pieces(found) == [(5, 6, 5, 8), (5, 13, 5, 22), (6, 4, 6, 8)]
    assert pieces(free(calendar, at(5, 6), at(6, 9), timedelta(hours=3))) == [
        (5, 13, 5, 22),
        (6, 4, 6, 8),
    ]


def test_conflicts(calendar):
    (pair,) = conflicts(calendar, at(4, 0), at(7, 0))
    assert [found.event_id for found in pair] == ["shift", "call"]
    assert conflicts(calendar, at(6, 0), at(7, 0)) == []


def test_a_series_does_not_collide_with_itself(calendar):
    rule = parse_rule("every day for 3 times")
    calendar.add(Event("stay", "Stay", at(10, 8), timedelta(hours=30), rule))
    assert conflicts(calendar, at(10, 0), at(20, 0)) == []
