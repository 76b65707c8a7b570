"""The allocation of units and of money."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest

from quire import errors, money
from quire.money import Money, currency

EUR, JPY, KWD = currency("EUR"), currency("JPY"), currency("KWD")


@pytest.mark.parametrize(
    "total, ratios, expected",
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (200, [1, 1, 1], [67, 67, 66]),
        (1, [1, 1], [1, 0]),
        (2, [1, 3], [0, 2]),
        (2, [3, 1], [2, 0]),
        (5, [1, 1, 2], [1, 1, 3]),
        (10, [55, 25, 20], [6, 2, 2]),
        (10, [25, 55, 20], [2, 6, 2]),
        (3, [8, 6, 6], [1, 1, 1]),
        (1, [8, 6, 6], [1, 0, 0]),
        (7, [1, 2, 0, 4], [1, 2, 0, 4]),
        (1, [0, 1, 1], [0, 1, 0]),
        (0, [1, 2], [0, 0]),
        (9, [5], [9]),
    ],
    ids=[
        "thirds-one-left",
        "thirds-two-left",
        "tie-earlier-first",
        "tie-larger-ratio-last",
        "tie-larger-ratio-first",
        "tie-of-one-with-two",
        "tie-of-halves-larger-first",
        "tie-of-halves-larger-second",
        "largest-remainders",
        "one-unit-of-three",
        "exact",
        "zero-ratio-gets-nothing",
        "nothing",
        "single",
    ],
)
def test_allocate_units(total, ratios, expected):
    assert money.allocate_units(total, ratios) == expected


def test_the_largest_remainder_wins_over_the_largest_ratio():
    # exact shares 6.3, 1.8, 1.9
    assert money.allocate_units(10, [63, 18, 19]) == [6, 2, 2]
    # exact shares 89.1, 9.9
    assert money.allocate_units(99, [9, 1]) == [89, 10]


def test_negative_totals_mirror_positive_ones():
    for total in range(1, 60):
        for ratios in ([1, 1], [1, 3], [1, 1, 1], [5, 3, 2, 2], [7, 0, 1]):
            positive = money.allocate_units(total, ratios)
            assert money.allocate_units(-total, ratios) == [-n for n in positive]


def test_shares_add_up_and_are_next_to_the_exact_ones():
    for total in range(0, 130):
        for ratios in ([1, 1, 1], [2, 3, 7], [33, 33, 34], [1] * 7, [0, 5, 0, 6], [1, 1000]):
            shares = money.allocate_units(total, ratios)
            assert sum(shares) == total
            for share, ratio in zip(shares, ratios, strict=True):
                low = floor(Fraction(total * ratio, sum(ratios)))
                assert share in (low, low + 1)
                assert ratio or not share


def test_only_proportions_count():
    kinds = [
        [1, 1, 2],
        [50, 50, 100],
        ["0.1", "0.1", "0.2"],
        [Decimal("0.25"), Decimal("0.25"), Decimal("0.5")],
        [Fraction(1, 7), Fraction(1, 7), Fraction(2, 7)],
        ["1/3", Fraction(1, 3), Fraction(2, 3)],
    ]
    for total in range(-12, 40):
        first = money.allocate_units(total, kinds[0])
        assert all(money.allocate_units(total, kind) == first for kind in kinds)


def test_equal_remainders_are_seen_through_inexact_looking_ratios():
    assert money.allocate_units(1, ["0.1", "0.3", "0.3", "0.3"]) == [0, 1, 0, 0]
    assert money.allocate_units(10, ["0.1", "0.1", "0.1"]) == [4, 3, 3]


def test_huge_totals_are_exact():
    total = 10**40 + 1
    assert money.allocate_units(total, [1, 1, 1]) == [total // 3 + 1, total // 3 + 1, total // 3]
    assert money.allocate_units(3 * 10**30, [1, 2]) == [10**30, 2 * 10**30]


def test_ratios_may_be_any_iterable():
    assert money.allocate_units(5, (n for n in (1, 1))) == [3, 2]
    assert Money(5, EUR).allocate({"a": 1, "b": 1}.values()) == [Money(3, EUR), Money(2, EUR)]


@pytest.mark.parametrize(
    "ratios", [[], [0, 0], [2, -1], ["-0.5", 1]], ids=["none", "zeros", "negative", "negative-text"]
)
def test_ratios_that_cannot_be(ratios):
    assert issubclass(errors.AllocationError, (errors.LedgerError,))
    assert issubclass(errors.AllocationError, ValueError)
    for total in (0, 10):
        with pytest.raises(errors.AllocationError):
            money.allocate_units(total, ratios)
    with pytest.raises(errors.AllocationError):
        Money(10, EUR).allocate(ratios)


@pytest.mark.parametrize("ratio", [0.5, True], ids=["float", "bool"])
def test_inexact_ratios(ratio):
    with pytest.raises(TypeError):
        money.allocate_units(10, [1, ratio])


def test_ratios_that_are_no_numbers():
    with pytest.raises(errors.AmountError):
        money.allocate_units(10, [1, "half"])


@pytest.mark.parametrize(
    "text, ratios, expected",
    [
        ("1.00 EUR", [1, 1, 1], ["0.34 EUR", "0.33 EUR", "0.33 EUR"]),
        ("-1.00 EUR", [1, 1, 1], ["-0.34 EUR", "-0.33 EUR", "-0.33 EUR"]),
        ("100 JPY", [1, 1, 1], ["34 JPY", "33 JPY", "33 JPY"]),
        ("-5 JPY", [1, 1], ["-3 JPY", "-2 JPY"]),
        ("1.000 KWD", [1, 1, 1], ["0.334 KWD", "0.333 KWD", "0.333 KWD"]),
    ],
    ids=["eur", "eur-refund", "jpy", "jpy-refund", "kwd"],
)
def test_money_allocate(text, ratios, expected):
    assert [str(m) for m in Money.parse(text).allocate(ratios)] == expected


def test_split_adds_up():
    assert Money(100, EUR).split(3) == [Money(34, EUR), Money(33, EUR), Money(33, EUR)]
    assert Money(-7, JPY).split(2) == [Money(-4, JPY), Money(-3, JPY)]
    for minor in range(-30, 31):
        for parts in (1, 2, 3, 7, 12):
            shares = Money(minor, KWD).split(parts)
            assert len(shares) == parts
            assert sum(m.minor for m in shares) == minor


def test_split_still_refuses_no_parts():
    for parts in (0, -2):
        with pytest.raises(errors.AmountError):
            Money(10, EUR).split(parts)


def test_scaled_still_rounds_half_to_even():
    half = Fraction(1, 2)
    assert [Money(n, EUR).scaled(half).minor for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]
