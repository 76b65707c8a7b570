import pytest

from shelf import label, rows


def test_label():
    assert label([3, 4]) == "3+4"


def test_too_wide():
    with pytest.raises(ValueError):
        rows([9], 5)
