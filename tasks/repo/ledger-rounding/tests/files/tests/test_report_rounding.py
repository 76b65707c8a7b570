"""Reports whose columns add up."""

from decimal import Decimal

import pytest

from quire.cli import main
from quire.errors import SplitError
from quire.money import Money
from quire.parser import parse_journal
from quire.report import apportion, composition


def books(currency, **amounts):
    lines = "".join(f"  expenses:{name}  {text} {currency}\n" for name, text in amounts.items())
    return parse_journal(f"2024-01-01 Bill\n{lines}  assets:bank\n")


def percents(journal, currency):
    return [str(line.percent) for line in composition(journal, "expenses", currency)]


def shares(row):
    return [m.minor for m in row.shares]


def test_percentages_of_thirds():
    assert percents(books("EUR", a="1.00", b="1.00", c="1.00"), "EUR") == ["33.4", "33.3", "33.3"]


def test_percentages_of_sixths():
    # exact 16.66.., 16.66.., 66.66..: two tenths are left for a three-way tie
    assert percents(books("JPY", a="1", b="1", c="4"), "JPY") == ["16.7", "16.6", "66.7"]


def test_percentages_do_not_exceed_a_hundred():
    # exact 0.05, 0.05 and 99.9
    assert percents(books("EUR", a="0.01", b="0.01", c="19.98"), "EUR") == ["0.1", "0.0", "99.9"]
    seven = books("EUR", a="1", b="1", c="1", d="1", e="1", f="1", g="1")
    assert percents(seven, "EUR") == ["14.3"] * 6 + ["14.2"]


def test_percentages_by_size():
    journal = books("EUR", a="-1.00", b="1.00", c="-1.00")
    lines = composition(journal, "expenses", "EUR")
    assert [str(x.percent) for x in lines] == ["33.4", "33.3", "33.3"]
    assert [x.amount.minor for x in lines] == [-100, 100, -100]


def test_percentages_always_add_up():
    for n in range(1, 40):
        journal = books("JPY", a=str(n), b="7", c="-3", d=str(2 * n + 1))
        lines = composition(journal, "expenses", "JPY")
        assert sum(x.percent for x in lines) == Decimal("100.0")
        assert all(x.percent.as_tuple().exponent == -1 for x in lines)


def test_percentages_of_zero_amounts():
    assert percents(books("EUR", a="0.00", b="0.00"), "EUR") == ["0.0", "0.0"]
    assert percents(books("EUR", a="0.00", b="-2.00"), "EUR") == ["0.0", "100.0"]


@pytest.mark.parametrize(
    "currency, amount, expected",
    [
        ("JPY", "100", [34, 33, 33]),
        ("JPY", "-100", [-34, -33, -33]),
        ("KWD", "1.000", [334, 333, 333]),
        ("EUR", "0.05", [2, 2, 1]),
    ],
    ids=["jpy", "jpy-negative", "kwd", "eur"],
)
def test_apportion_in_the_minor_unit(currency, amount, expected):
    table = apportion(
        books(currency, a=amount), "expenses", currency, {"ann": 1, "bob": 1, "cleo": 1}
    )
    assert shares(table.rows[0]) == expected
    assert shares(table.total) == expected
    assert {m.currency.code for m in table.total.shares} == {currency}


def test_apportion_ties_go_to_the_larger_weight():
    table = apportion(books("JPY", a="2"), "expenses", "JPY", {"ann": 1, "bob": 3})
    assert shares(table.rows[0]) == [0, 2]


def test_totals_are_the_sums_of_the_columns():
    table = apportion(
        books("EUR", a="0.01", b="0.01", c="0.01"), "expenses", "EUR", {"ann": 1, "bob": 1}
    )
    assert [shares(row) for row in table.rows] == [[1, 0], [1, 0], [1, 0]]
    assert shares(table.total) == [3, 0]
    assert table.total.amount == Money.parse("0.03 EUR")


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"], ids=["eur", "jpy", "kwd"])
def test_the_table_adds_up_both_ways(currency):
    for n in range(1, 25):
        journal = books(currency, a=str(n), b="-5", c=str(3 * n), d="1")
        table = apportion(journal, "expenses", currency, {"ann": "2.5", "bob": 1, "cleo": "1/3"})
        for row in (*table.rows, table.total):
            assert sum(shares(row)) == row.amount.minor
        for column, total in enumerate(shares(table.total)):
            assert sum(shares(row)[column] for row in table.rows) == total
        assert sum(row.amount.minor for row in table.rows) == table.total.amount.minor


def test_apportion_still_gives_a_total_of_nothing():
    table = apportion(books("EUR", a="1.00"), "income", "JPY", {"ann": 2, "bob": 1})
    assert table.rows == ()
    assert table.total.amount == Money.zero("JPY")
    assert table.total.shares == (Money.zero("JPY"), Money.zero("JPY"))


def test_apportion_still_refuses_bad_weights():
    for weights in ({}, {"ann": 0}, {"ann": 1, "bob": "-1"}):
        with pytest.raises(SplitError):
            apportion(books("EUR", a="1.00"), "expenses", "EUR", weights)


def test_reports_on_the_command_line(tmp_path, capsys):
    path = tmp_path / "books.txt"
    path.write_text("2024-01-01 Bill\n  expenses:a  50 JPY\n  expenses:b  51 JPY\n  assets:bank\n")
    assert main(["apportion", str(path), "expenses", "JPY", "ann=1", "bob=1"]) == 0
    lines = [line.split()[1::2] for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines == [["50", "25", "25"], ["51", "26", "25"], ["101", "51", "50"]]
