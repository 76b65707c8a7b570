import datetime as dt

import pytest

from quire.errors import ParseError
from quire.money import Money
from quire.parser import parse_journal

SIMPLE = """\
2024-03-01 Corner shop
    expenses:food  12.40 EUR
    assets:cash

2024-02-28 Salary
    assets:bank\t2,000.00 EUR
    income:salary  -2000.00 EUR
"""


def test_simple():
    journal = parse_journal(SIMPLE)
    assert [t.payee for t in journal.transactions] == ["Salary", "Corner shop"]
    shop = journal.transactions[1]
    assert shop.date == dt.date(2024, 3, 1)
    assert shop.postings[1].amount == Money.parse("-12.40 EUR")


@pytest.mark.parametrize(
    "text, line",
    [
        ("    assets:cash  1 EUR\n", 1),
        ("2024-13-01 X\n    assets:cash  1 EUR\n", 1),
        ("\n2024-01-01 X\n    assets:cash  one EUR\n", 3),
        ("\n\n2024-01-01 X\n    assets:cash  1 EUR\n    expenses:x  2 EUR\n", 3),
        ("2024-01-01 X\n    cash  1 EUR\n    expenses:x\n", 1),
    ],
    ids=["no-head", "bad-date", "bad-amount", "unbalanced", "bad-account"],
)
def test_errors_name_the_line(text, line):
    with pytest.raises(ParseError) as caught:
        parse_journal(text)
    assert caught.value.line == line


def test_empty():
    assert parse_journal("\n\n").transactions == []


def test_comments():
    journal = parse_journal(
        "; opening\n# more\n"
        "2024-03-01 Shop no#5 ; not the payee\n"
        "    ; nothing here\n"
        "    expenses:food  1.00 EUR  # lunch\n"
        "    assets:cash\n"
    )
    (shop,) = journal.transactions
    assert shop.payee == "Shop no#5"
    assert len(shop.postings) == 2


RECURRING = """\
monthly 2024-01-31 x2 Rent of the workshop
    assets:bank  1000.00 EUR
    expenses:rent:wood   40%
    expenses:rent:paint  rest
"""


def test_recurring():
    journal = parse_journal(RECURRING)
    assert journal.transactions == []
    first, second = journal.expanded().transactions
    assert second.date == dt.date(2024, 2, 29)
    assert first.payee == "Rent of the workshop"
    assert [str(p.amount) for p in first.postings] == [
        "400.00 EUR",
        "600.00 EUR",
        "-1000.00 EUR",
    ]


def test_recurring_spread():
    journal = parse_journal(RECURRING.replace("EUR", "EUR spread"))
    assert str(journal.expanded().balance("assets:bank")) == "-1000.00 EUR"


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("x2 ", "", 1),
        ("40%", "40", 3),
        ("rest", "59%", 1),
        ("  40%", "", 3),
        ("1000.00", "1000.001", 1),
    ],
    ids=["no-count", "no-percent", "not-100", "no-share", "bad-amount"],
)
def test_recurring_errors(old, new, line):
    with pytest.raises(ParseError) as caught:
        parse_journal(RECURRING.replace(old, new))
    assert caught.value.line == line
