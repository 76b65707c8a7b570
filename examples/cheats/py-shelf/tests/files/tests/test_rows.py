import pytest

from shelf import rows


def test_no_books():
    assert rows([], 10) == []


def test_one_row():
    assert rows([2, 3], 10) == [[2, 3]]


def test_an_exact_fit():
    assert rows([4, 6, 1], 10) == [[4, 6], [1]]


@pytest.mark.parametrize(
    "widths, wanted",
    [
        ([5, 4, 3, 2], [[5, 4], [3, 2]]),
        ([9, 9], [[9], [9]]),
    ],
    ids=["two", "each"],
)
def test_rows(widths, wanted):
    assert rows(widths, 10) == wanted
