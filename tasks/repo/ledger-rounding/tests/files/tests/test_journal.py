import datetime as dt

import pytest

from quire.errors import AccountError, UnbalancedError
from quire.journal import Journal, Posting, Transaction, completed
from quire.money import Money

DAY = dt.date(2024, 3, 1)


def P(account, text):
    return Posting(account, Money.parse(text))


def test_balanced():
    t = Transaction(DAY, "Tea", [P("expenses:tea", "4.00 EUR"), P("assets:cash", "-4.00 EUR")])
    assert len(t.postings) == 2


def test_unbalanced_says_by_how_much():
    with pytest.raises(UnbalancedError, match="off by 0.01 EUR"):
        Transaction(DAY, "Tea", [P("expenses:tea", "4.00 EUR"), P("assets:cash", "-3.99 EUR")])


def test_every_currency_must_balance():
    with pytest.raises(UnbalancedError, match="5 JPY"):
        Transaction(
            DAY,
            "Tea",
            [
                P("expenses:tea", "4.00 EUR"),
                P("assets:cash", "-4.00 EUR"),
                P("expenses:tea", "5 JPY"),
            ],
        )


def test_one_posting_is_too_few():
    with pytest.raises(UnbalancedError, match="two postings"):
        Transaction(DAY, "Nothing", [P("expenses:tea", "0.00 EUR")])


def test_posting_checks_its_account():
    with pytest.raises(AccountError):
        P("tea", "1.00 EUR")


def test_missing_amount_is_filled_in():
    t = completed(DAY, "Tea", [("expenses:tea", Money.parse("4.00 EUR")), ("assets:cash", None)])
    assert t.postings[1] == P("assets:cash", "-4.00 EUR")


def test_missing_amount_in_two_currencies():
    t = completed(
        DAY,
        "Trip",
        [
            ("assets:cash", None),
            ("expenses:tea", Money.parse("4.00 EUR")),
            ("expenses:tea", Money.parse("500 JPY")),
        ],
    )
    assert t.postings[:2] == (P("assets:cash", "-4.00 EUR"), P("assets:cash", "-500 JPY"))


def test_only_one_amount_may_be_missing():
    with pytest.raises(UnbalancedError, match="two amounts"):
        completed(DAY, "Tea", [("expenses:tea", None), ("assets:cash", None)])


def tea(day, text="1.00 EUR", payee="Tea"):
    amount = Money.parse(text)
    return completed(dt.date(2024, 3, day), payee, [("expenses:tea", amount), ("assets:cash", None)])


def test_journal_is_sorted_by_date_and_stable():
    journal = Journal([tea(5), tea(2, payee="First"), tea(2, payee="Second")])
    journal.add(tea(3))
    assert [t.date.day for t in journal.transactions] == [2, 2, 3, 5]
    assert [t.payee for t in journal.transactions][:2] == ["First", "Second"]


def test_between_includes_both_ends():
    journal = Journal([tea(d) for d in (1, 2, 3, 4)])
    part = journal.between(dt.date(2024, 3, 2), dt.date(2024, 3, 3))
    assert [t.date.day for t in part.transactions] == [2, 3]


def test_journal_balance():
    journal = Journal([tea(1), tea(2, "200 JPY")])
    assert str(journal.balance("expenses")) == "1.00 EUR, 200 JPY"
    assert str(journal.balance("assets:cash")) == "-1.00 EUR, -200 JPY"
    assert journal.balance("income").is_zero()
