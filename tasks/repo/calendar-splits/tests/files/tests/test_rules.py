from datetime import date
from itertools import islice

import pytest

from fasti.errors import RuleError
from fasti.rules import Rule


def days(rule, start, number=4):
    return [day.isoformat() for day in islice(rule.dates(date.fromisoformat(start)), number)]


def test_days():
    assert days(Rule("day"), "2024-02-27") == [
        "2024-02-27",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
    ]
    assert days(Rule("day", 10), "2024-02-27", 2) == ["2024-02-27", "2024-03-08"]


def test_weeks():
    assert days(Rule("week", 2), "2024-03-06", 3) == ["2024-03-06", "2024-03-20", "2024-04-03"]


def test_the_calendar_ends():
    assert days(Rule("day"), "9999-12-30") == ["9999-12-30", "9999-12-31"]


@pytest.mark.parametrize(
    "values",
    [
        ("hour",),
        ("day", 0),
        ("day", 1, {0}),
        ("week", 1, {7}),
        ("week", 1, frozenset(), {1}),
        ("month", 1, frozenset(), {0}),
        ("day", 1, frozenset(), frozenset(), 3, date(2024, 3, 4)),
        ("day", 1, frozenset(), frozenset(), 0),
    ],
    ids=[
        "unit",
        "zero",
        "weekdays-of-days",
        "no-weekday",
        "days-of-weeks",
        "no-day",
        "two-ends",
        "none",
    ],
)
def test_bad_rules(values):
    with pytest.raises(RuleError):
        Rule(*values)


def test_weekdays():
    rule = Rule("week", weekdays=frozenset({0, 3}))
    assert days(rule, "2024-03-07") == ["2024-03-07", "2024-03-11", "2024-03-14", "2024-03-18"]


def test_every_second_week_on_weekdays():
    rule = Rule("week", 2, frozenset({0, 6}))
    assert days(rule, "2024-03-10") == ["2024-03-10", "2024-03-18", "2024-03-24", "2024-04-01"]


def test_months():
    assert days(Rule("month"), "2023-11-15", 3) == ["2023-11-15", "2023-12-15", "2024-01-15"]
    assert days(Rule("month", 5), "2023-11-15", 2) == ["2023-11-15", "2024-04-15"]


def test_days_that_a_month_does_not_have():
    assert days(Rule("month"), "2024-01-31", 3) == ["2024-01-31", "2024-03-31", "2024-05-31"]
    assert days(Rule("month"), "2024-01-30", 3) == ["2024-01-30", "2024-03-30", "2024-04-30"]


def test_days_of_the_month():
    rule = Rule("month", days=frozenset({1, -1, -31}))
    assert days(rule, "2024-01-31") == ["2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01"]


def test_years():
    assert days(Rule("year"), "2023-05-01", 2) == ["2023-05-01", "2024-05-01"]
    assert days(Rule("year"), "2024-02-29", 2) == ["2024-02-29", "2028-02-29"]
    assert days(Rule("year", 3), "2023-05-01", 2) == ["2023-05-01", "2026-05-01"]


def test_count():
    assert days(Rule("day", 2, count=2), "2024-03-04") == ["2024-03-04", "2024-03-06"]


def test_until():
    rule = Rule("day", 2, until=date(2024, 3, 6))
    assert days(rule, "2024-03-04") == ["2024-03-04", "2024-03-06"]
    assert days(rule, "2024-03-05") == ["2024-03-05"]


def test_endless():
    assert Rule("day").endless
    assert not Rule("day", count=3).endless
    assert not Rule("day", until=date(2024, 3, 6)).endless
