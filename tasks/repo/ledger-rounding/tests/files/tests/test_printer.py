from quire.parser import parse_journal
from quire.printer import format_journal, format_transaction

TEXT = """\
2024-03-01 Corner shop
    expenses:food        12.40 EUR
    expenses:household    3.00 EUR
    assets:cash         -15.40 EUR

2024-03-02 Noodles
    expenses:food   900 JPY
    assets:cash    -900 JPY
"""


def test_round_trip():
    journal = parse_journal(TEXT)
    assert format_journal(journal.transactions) == TEXT
    assert parse_journal(format_journal(journal.transactions)) == journal


def test_no_payee_leaves_no_space():
    (t,) = parse_journal("2024-03-01\n  assets:cash  1 JPY\n  income:gifts\n").transactions
    assert format_transaction(t).splitlines()[0] == "2024-03-01"
