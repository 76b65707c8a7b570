from decimal import Decimal
from fractions import Fraction

import pytest

from quire.errors import AmountError, CurrencyError
from quire.money import Currency, Money, currency, to_fraction

EUR = currency("EUR")


@pytest.mark.parametrize(
    "code, unit", [("JPY", 1), ("EUR", 100), ("KWD", 1000)], ids=["jpy", "eur", "kwd"]
)
def test_unit(code, unit):
    assert currency(code).unit == unit


def test_currency_passes_through():
    eur = currency("EUR")
    assert currency(eur) is eur


def test_unknown_currency():
    with pytest.raises(CurrencyError, match="XXQ"):
        currency("XXQ")


def test_currency_str():
    assert str(Currency("CHF", 2)) == "CHF"


def test_arithmetic():
    assert Money(150, EUR) + Money(75, EUR) == Money(225, EUR)
    assert Money(150, EUR) - Money(175, EUR) == Money(-25, EUR)
    assert -Money(5, EUR) == Money(-5, EUR)
    assert abs(Money(-5, EUR)) == Money(5, EUR)


def test_currencies_do_not_mix():
    with pytest.raises(CurrencyError, match="EUR and JPY"):
        Money(1, EUR) + Money(1, currency("JPY"))


def test_truth_and_order():
    assert not Money.zero("EUR")
    assert Money(-1, EUR)
    assert Money(1, EUR) < Money(2, EUR)


@pytest.mark.parametrize(
    "text, minor",
    [
        ("12.50 EUR", 1250),
        ("-0.05 EUR", -5),
        ("1,250,000 JPY", 1250000),
        ("3.125 KWD", 3125),
        ("7 KWD", 7000),
    ],
    ids=["eur", "small-negative", "grouped-jpy", "kwd", "whole-kwd"],
)
def test_parse(text, minor):
    assert Money.parse(text).minor == minor


@pytest.mark.parametrize(
    "text",
    ["", "EUR", "12", "1,25 EUR", "1.5 JPY", "0.001 EUR", "ten EUR"],
    ids=["empty", "no-number", "no-code", "bad-group", "yen-decimals", "too-fine", "words"],
)
def test_parse_refuses(text):
    with pytest.raises(AmountError):
        Money.parse(text)


@pytest.mark.parametrize(
    "text",
    ["12.50 EUR", "-0.05 EUR", "300 JPY", "-1.007 KWD"],
    ids=["eur", "negative", "jpy", "kwd"],
)
def test_format_reads_back(text):
    assert str(Money.parse(text)) == text


def test_format_grouping():
    assert Money(123456789, EUR).format(grouping=True) == "1,234,567.89 EUR"


@pytest.mark.parametrize(
    "minor, factor, expected",
    [
        (100, Fraction(1, 3), 33),
        (5, Decimal("0.5"), 2),
        (7, "0.5", 4),
        (-5, Decimal("0.5"), -2),
        (100, 2, 200),
    ],
    ids=["third", "half-to-even-down", "half-to-even-up", "negative", "integer"],
)
def test_scaled(minor, factor, expected):
    assert Money(minor, EUR).scaled(factor) == Money(expected, EUR)


@pytest.mark.parametrize("value", [0.5, True, None], ids=["float", "bool", "none"])
def test_inexact_factors_are_refused(value):
    with pytest.raises(TypeError):
        to_fraction(value)


@pytest.mark.parametrize("value", ["x", "1/0", Decimal("NaN")], ids=["word", "zero-div", "nan"])
def test_bad_factors_are_refused(value):
    with pytest.raises(AmountError):
        to_fraction(value)


def test_split():
    assert Money(1200, EUR).split(3) == [Money(400, EUR)] * 3
    assert Money(7, EUR).split(1) == [Money(7, EUR)]


def test_split_into_nothing():
    with pytest.raises(ValueError):
        Money(7, EUR).split(0)
