from datetime import date

import pytest

from fasti.errors import CalendarError
from fasti.rules import Rule
from fasti.ruletext import parse_rule, show_rule

RULES = [
    ("every day", Rule("day")),
    ("every 3 days for 5 times", Rule("day", 3, count=5)),
    ("every week on mon, thu", Rule("week", weekdays=frozenset({0, 3}))),
    ("every 2 weeks until 2024-06-30", Rule("week", 2, until=date(2024, 6, 30))),
    ("every month on 1, 15, -1", Rule("month", days=frozenset({1, 15, -1}))),
    ("every year for 1 time", Rule("year", count=1)),
]
IDS = ["plain", "count", "weekdays", "until", "days", "once"]


@pytest.mark.parametrize("text, rule", RULES, ids=IDS)
def test_parse(text, rule):
    assert parse_rule(text) == rule


def test_other_ways_to_write():
    assert parse_rule("every 1 weeks on thu,mon") == parse_rule("every week on mon, thu")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "daily",
        "every 0 days",
        "every week on xyz",
        "every day on mon",
        "every month on mon",
        "every day for 2 times until 2024-06-30",
        "every day until 2024-06-31",
    ],
    ids=["empty", "other", "zero", "weekday", "days", "month", "two-ends", "no-date"],
)
def test_no_rules(text):
    with pytest.raises(CalendarError):
        parse_rule(text)


@pytest.mark.parametrize("text, rule", RULES, ids=IDS)
def test_show(text, rule):
    assert show_rule(rule) == text
