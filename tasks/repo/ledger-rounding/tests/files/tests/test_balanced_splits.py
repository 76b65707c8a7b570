"""Transactions that are built by a rule balance, whatever the amount."""

import datetime as dt

import pytest

from quire.builder import SplitRule, Tax, add_taxes, included_taxes, split_transaction
from quire.cli import main
from quire.errors import SplitError
from quire.money import Money, currency
from quire.parser import parse_journal
from quire.recurring import RecurringRule, Schedule

DAY = dt.date(2024, 5, 31)
M = Money.parse


def minors(transaction):
    return [p.amount.minor for p in transaction.postings]


def halves():
    return SplitRule.by_ratios([("expenses:ann", 1), ("expenses:bob", 1)])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("0.05 EUR", [3, 2, -5]),
        ("10.01 EUR", [501, 500, -1001]),
        ("-10.01 EUR", [-501, -500, 1001]),
        ("1 JPY", [1, 0, -1]),
        ("0.007 KWD", [4, 3, -7]),
    ],
    ids=["eur", "eur-large", "refund", "jpy", "kwd"],
)
def test_halves_of_odd_amounts(text, expected):
    assert minors(split_transaction(DAY, "Coffee", "assets:bank", M(text), halves())) == expected


def test_every_small_amount_balances():
    rules = [
        halves(),
        SplitRule.by_ratios([("expenses:a", 2), ("expenses:b", 3), ("expenses:c", 2)]),
        SplitRule.by_percentages([("expenses:a", "33.3"), ("expenses:b", "33.3"), ("expenses:c", None)]),
    ]
    for code in ("EUR", "JPY", "KWD"):
        for minor in range(-25, 60):
            amount = Money(minor, currency(code))
            for rule in rules:
                t = split_transaction(DAY, "Any", "assets:bank", amount, rule)
                assert sum(minors(t)) == 0
                assert len(t.postings) == len(rule.shares) + 1


def test_rest_is_a_share_like_any_other():
    rule = SplitRule.by_percentages(
        [("expenses:a", None), ("expenses:b", 35), ("expenses:c", 35)]
    )
    # exact shares 3, 3.5 and 3.5: the rest is exact and takes no part in it
    assert [p.amount.minor for p in rule.postings(M("0.10 EUR"))] == [3, 4, 3]
    # exact shares 0.3, 0.35, 0.35
    assert [p.amount.minor for p in rule.postings(M("1 JPY"))] == [0, 1, 0]


def test_ties_in_a_rule_go_to_the_larger_share():
    rule = SplitRule.by_percentages([("expenses:a", 25), ("expenses:b", None)])
    assert [p.amount.minor for p in rule.postings(M("2 JPY"))] == [0, 2]
    assert [p.amount.minor for p in rule.postings(M("-2 JPY"))] == [0, -2]


def test_zero_shares_keep_their_posting():
    rule = SplitRule.by_ratios([("expenses:a", 0), ("expenses:b", 1), ("expenses:c", 1)])
    postings = rule.postings(M("0.03 EUR"))
    assert [(p.account, p.amount.minor) for p in postings] == [
        ("expenses:a", 0),
        ("expenses:b", 2),
        ("expenses:c", 1),
    ]


def test_bad_rules_are_still_split_errors():
    with pytest.raises(SplitError):
        SplitRule.by_ratios([("expenses:a", 0), ("expenses:b", 0)])
    with pytest.raises(SplitError):
        SplitRule.by_percentages([("expenses:a", "33.33"), ("expenses:b", "66.66")])


GST, PST = Tax("assets:tax:gst", 5), Tax("expenses:tax:pst", "9.975")


@pytest.mark.parametrize(
    "text, taxes, expected",
    [
        # exact: 8.6975, 0.4349, 0.8676 USD
        ("10.00 USD", [GST, PST], [870, 43, 87, -1000]),
        ("-10.00 USD", [GST, PST], [-870, -43, -87, 1000]),
        # exact: 3.4783, 0.1739, 0.3478 JPY
        ("4 JPY", [GST, Tax("expenses:tax:pst", 10)], [4, 0, 0, -4]),
        # exact: 1.5, 0.5: a tie, and the net price has the larger ratio
        ("2 JPY", [Tax("expenses:tax:duty", "100/3")], [2, 0, -2]),
        # exact: 499.5 and 499.5 fils: a tie of equal ratios, so the earlier one
        ("0.999 KWD", [Tax("expenses:tax:duty", 100)], [500, 499, -999]),
    ],
    ids=["usd", "usd-refund", "jpy", "jpy-tie", "kwd-tie"],
)
def test_included_taxes_balance(text, taxes, expected):
    t = included_taxes(DAY, "Desk", "assets:bank", "expenses:desk", M(text), taxes)
    assert minors(t) == expected


def test_included_taxes_balance_for_every_price():
    for code in ("EUR", "JPY"):
        for minor in range(-40, 120):
            gross = Money(minor, currency(code))
            t = included_taxes(DAY, "Any", "assets:bank", "expenses:desk", gross, [GST, PST])
            assert minors(t)[-1] == -minor
            assert sum(minors(t)) == 0


def test_added_taxes_are_still_rounded_line_by_line():
    taxes = [Tax("assets:tax:one", "2.5"), Tax("assets:tax:two", "2.5"), Tax("assets:tax:three", 5)]
    t = add_taxes(DAY, "Bolt", "assets:bank", "expenses:parts", M("1.00 EUR"), taxes)
    assert minors(t) == [100, 2, 2, 5, -109]


def test_spread_instalments_add_up():
    rule = RecurringRule(
        Schedule(dt.date(2024, 1, 31), 12),
        "Insurance",
        "assets:bank",
        M("1000.00 EUR"),
        halves(),
        spread=True,
    )
    paid = [-t.postings[-1].amount.minor for t in rule.transactions()]
    assert paid == [8334] * 4 + [8333] * 8


def test_spread_refund_in_yen():
    rule = RecurringRule(
        Schedule(dt.date(2024, 1, 1), 3),
        "Refund",
        "assets:bank",
        M("-10 JPY"),
        halves(),
        spread=True,
    )
    assert [minors(t) for t in rule.transactions()] == [[-2, -2, 4], [-2, -1, 3], [-2, -1, 3]]


JOURNAL = """\
monthly 2024-01-31 x2 Coffee
    assets:bank  10.01 EUR
    expenses:ann  50%
    expenses:bob  50%

quarterly 2024-01-01 x4 Licence
    assets:bank  99.99 EUR spread
    expenses:ann   33%
    expenses:bob   33%
    expenses:cleo  rest
"""


def test_recurring_splits_of_a_journal():
    journal = parse_journal(JOURNAL).expanded()
    assert len(journal.transactions) == 6
    assert str(journal.balance("assets:bank")) == "-120.01 EUR"
    assert str(journal.balance("expenses")) == "120.01 EUR"


def test_expand_command(tmp_path, capsys):
    path = tmp_path / "books.txt"
    path.write_text(JOURNAL)
    assert main(["expand", str(path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines.count(["2024-01-31", "Coffee"]) == 1
    assert lines.count(["expenses:ann", "5.01", "EUR"]) == 2
    assert lines.count(["expenses:bob", "5.00", "EUR"]) == 2


def test_split_command(capsys):
    assert main(["split", "-1.00 EUR", "expenses:a=1", "expenses:b=1", "expenses:c=1"]) == 0
    words = capsys.readouterr().out.split()
    assert words[1::3] == ["-0.34", "-0.33", "-0.33"]
