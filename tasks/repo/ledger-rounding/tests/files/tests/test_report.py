from decimal import Decimal

import pytest

from quire.errors import SplitError
from quire.parser import parse_journal
from quire.report import apportion, balance_report, composition

BOOKS = parse_journal(
    """\
2024-01-02 Opening
    assets:bank  1000.00 EUR
    assets:cash  20000 JPY
    equity:opening

2024-01-05 Rent
    expenses:rent:studio  300.00 EUR
    expenses:rent:store   100.00 EUR
    assets:bank

2024-01-06 Refund
    expenses:fees  5.00 EUR
    expenses:fees  -5.00 EUR
"""
)


def test_balance_report_rolls_up():
    lines = {line.account: str(line.balance) for line in balance_report(BOOKS)}
    assert lines["expenses"] == "400.00 EUR"
    assert lines["expenses:rent"] == "400.00 EUR"
    assert lines["assets"] == "600.00 EUR, 20000 JPY"
    assert "expenses:fees" not in lines


def test_balance_report_depth():
    lines = balance_report(BOOKS, max_depth=1)
    assert [line.account for line in lines] == ["assets", "equity", "expenses"]
    assert {line.depth for line in lines} == {0}


def test_composition():
    lines = composition(BOOKS, "expenses:rent", "EUR")
    assert [(x.account, str(x.amount), x.percent) for x in lines] == [
        ("expenses:rent:store", "100.00 EUR", Decimal("25.0")),
        ("expenses:rent:studio", "300.00 EUR", Decimal("75.0")),
    ]


def test_composition_counts_size_not_sign():
    books = parse_journal(
        "2024-01-01 X\n  income:sales  -30.00 EUR\n  income:refunds  10.00 EUR\n  assets:bank\n"
    )
    lines = composition(books, "income", "EUR")
    assert [str(x.percent) for x in lines] == ["25.0", "75.0"]


def test_composition_of_nothing():
    assert [str(x.percent) for x in composition(BOOKS, "expenses:fees", "EUR")] == ["0.0"]
    assert composition(BOOKS, "income", "EUR") == []


def test_apportion():
    table = apportion(BOOKS, "expenses:rent", "EUR", {"ann": 3, "bob": 1})
    assert table.owners == ("ann", "bob")
    assert [(r.account, [str(m) for m in r.shares]) for r in table.rows] == [
        ("expenses:rent:store", ["75.00 EUR", "25.00 EUR"]),
        ("expenses:rent:studio", ["225.00 EUR", "75.00 EUR"]),
    ]
    assert table.total.account == "total"
    assert str(table.total.amount) == "400.00 EUR"
    assert [str(m) for m in table.total.shares] == ["300.00 EUR", "100.00 EUR"]


def test_apportion_nothing():
    table = apportion(BOOKS, "income", "EUR", {"ann": 1})
    assert table.rows == ()
    assert not table.total.amount
    assert [m.minor for m in table.total.shares] == [0]


@pytest.mark.parametrize(
    "weights",
    [{}, {"ann": 0}, {"ann": 2, "bob": -1}],
    ids=["none", "zero", "negative"],
)
def test_apportion_needs_weights(weights):
    with pytest.raises(SplitError):
        apportion(BOOKS, "expenses", "EUR", weights)
