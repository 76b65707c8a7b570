import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from quire.builder import SplitRule, Tax, add_taxes, included_taxes, split_transaction
from quire.errors import AccountError, SplitError
from quire.money import Money

DAY = dt.date(2024, 4, 1)
M = Money.parse


def test_by_ratios():
    rule = SplitRule.by_ratios([("expenses:a", 3), ("expenses:b", Decimal("1.0"))])
    assert [share.part for share in rule.shares] == [Fraction(3, 4), Fraction(1, 4)]


def test_split_transaction():
    rule = SplitRule.by_ratios([("expenses:a", 3), ("expenses:b", 1)])
    t = split_transaction(DAY, "Rent", "assets:bank", M("400.00 EUR"), rule)
    assert [(p.account, str(p.amount)) for p in t.postings] == [
        ("expenses:a", "300.00 EUR"),
        ("expenses:b", "100.00 EUR"),
        ("assets:bank", "-400.00 EUR"),
    ]


def test_a_share_of_nothing_is_a_posting_too():
    rule = SplitRule.by_ratios([("expenses:a", 1), ("expenses:b", 0)])
    assert [str(p.amount) for p in rule.postings(M("7 JPY"))] == ["7 JPY", "0 JPY"]


@pytest.mark.parametrize(
    "ratios",
    [[], [("expenses:a", 0)], [("expenses:a", 2), ("expenses:b", -1)]],
    ids=["empty", "nothing", "negative"],
)
def test_bad_ratios(ratios):
    with pytest.raises(SplitError):
        SplitRule.by_ratios(ratios)


def test_bad_account():
    with pytest.raises(AccountError):
        SplitRule.by_ratios([("rent", 1)])


def test_by_percentages():
    rule = SplitRule.by_percentages([("expenses:a", "12.5"), ("expenses:b", None)])
    assert [share.part for share in rule.shares] == [Fraction(1, 8), Fraction(7, 8)]


def test_the_rest_may_be_nothing():
    rule = SplitRule.by_percentages([("expenses:a", 100), ("expenses:b", None)])
    assert [share.part for share in rule.shares] == [1, 0]


@pytest.mark.parametrize(
    "percentages, message",
    [
        ([("expenses:a", 50), ("expenses:b", 49)], "add up to 99"),
        ([("expenses:a", 80), ("expenses:b", 21), ("expenses:c", None)], "add up to 101"),
        ([("expenses:a", None), ("expenses:b", None)], "only one"),
        ([("expenses:a", -10), ("expenses:b", 110)], "negative"),
    ],
    ids=["too-little", "too-much", "two-rests", "negative"],
)
def test_bad_percentages(percentages, message):
    with pytest.raises(SplitError, match=message):
        SplitRule.by_percentages(percentages)


GST = Tax("assets:tax:gst", 5)
PST = Tax("expenses:tax:pst", "7")


def test_add_taxes():
    t = add_taxes(DAY, "Desk", "assets:bank", "expenses:desk", M("99.99 USD"), [GST, PST])
    assert [str(p.amount) for p in t.postings] == [
        "99.99 USD",
        "5.00 USD",
        "7.00 USD",
        "-111.99 USD",
    ]


def test_add_taxes_rounds_each_line_half_to_even():
    taxes = [Tax("assets:tax:one", 10), Tax("assets:tax:two", 10)]
    t = add_taxes(DAY, "Bolt", "assets:bank", "expenses:parts", M("0.05 EUR"), taxes)
    assert [p.amount.minor for p in t.postings] == [5, 0, 0, -5]
    t = add_taxes(DAY, "Bolt", "assets:bank", "expenses:parts", M("0.15 EUR"), taxes)
    assert [p.amount.minor for p in t.postings] == [15, 2, 2, -19]


def test_included_taxes():
    t = included_taxes(DAY, "Desk", "assets:bank", "expenses:desk", M("112.00 USD"), [GST, PST])
    assert [str(p.amount) for p in t.postings] == [
        "100.00 USD",
        "5.00 USD",
        "7.00 USD",
        "-112.00 USD",
    ]


def test_no_taxes_at_all():
    t = included_taxes(DAY, "Stamp", "assets:bank", "expenses:post", M("0.95 EUR"), [])
    assert [p.amount.minor for p in t.postings] == [95, -95]


def test_negative_tax():
    with pytest.raises(SplitError):
        Tax("assets:tax:gst", -5)
