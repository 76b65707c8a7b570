from quire.balance import Balance
from quire.money import Money

M = Money.parse


def test_sums_per_currency():
    balance = Balance([M("1.00 EUR"), M("5 JPY"), M("0.25 EUR")])
    assert balance.amount("EUR") == M("1.25 EUR")
    assert balance.amount("JPY") == M("5 JPY")
    assert balance.amount("USD") == M("0 USD")


def test_zero_amounts_vanish():
    balance = Balance([M("1.00 EUR"), M("-1.00 EUR")])
    assert balance.is_zero()
    assert list(balance) == []
    assert balance == Balance()
    assert str(balance) == "0"


def test_order_and_merge():
    balance = Balance([M("5 JPY")])
    balance.merge(Balance([M("1.00 EUR")]))
    assert str(balance) == "1.00 EUR, 5 JPY"
