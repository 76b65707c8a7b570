import datetime as dt

import pytest

from quire.builder import SplitRule
from quire.errors import SplitError
from quire.money import Money
from quire.recurring import RecurringRule, Schedule

RULE = SplitRule.by_ratios([("expenses:a", 3), ("expenses:b", 1)])


def test_monthly_over_the_year():
    dates = list(Schedule(dt.date(2024, 11, 15), 3).dates())
    assert dates == [dt.date(2024, 11, 15), dt.date(2024, 12, 15), dt.date(2025, 1, 15)]


@pytest.mark.parametrize(
    "interval, month", [("quarterly", 4), ("yearly", 1)], ids=["quarterly", "yearly"]
)
def test_intervals(interval, month):
    assert list(Schedule(dt.date(2024, 1, 10), 2, interval).dates())[1].month == month


def test_bad_schedules():
    with pytest.raises(SplitError):
        Schedule(dt.date(2024, 1, 1), 0)
    with pytest.raises(SplitError):
        Schedule(dt.date(2024, 1, 1), 1, "weekly")


def test_month_end_does_not_drift():
    dates = list(Schedule(dt.date(2024, 1, 31), 4).dates())
    assert [d.day for d in dates] == [31, 29, 31, 30]


def test_recurring_amount():
    rule = RecurringRule(
        Schedule(dt.date(2024, 1, 1), 2), "Rent", "assets:bank", Money.parse("40 JPY"), RULE
    )
    assert [[p.amount.minor for p in t.postings] for t in rule.transactions()] == [
        [30, 10, -40],
        [30, 10, -40],
    ]


def test_spread_amount():
    rule = RecurringRule(
        Schedule(dt.date(2024, 1, 1), 12),
        "Insurance",
        "assets:bank",
        Money.parse("480.00 EUR"),
        RULE,
        spread=True,
    )
    transactions = list(rule.transactions())
    assert len(transactions) == 12
    assert {t.postings[-1].amount for t in transactions} == {Money.parse("-40.00 EUR")}
