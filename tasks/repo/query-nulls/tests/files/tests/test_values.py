import pytest

from quern.errors import EvaluationError
from quern.values import and_, compare, not_, or_, order_key, show, truth

THREE = (True, None, False)


@pytest.mark.parametrize(
    "left, right, expected",
    [
        (1, 2, -1),
        (2, 2.0, 0),
        ("b", "a", 1),
        (False, True, -1),
        (None, 1, None),
        (None, None, None),
    ],
    ids=["numbers", "int-float", "texts", "booleans", "null", "nulls"],
)
def test_compare(left, right, expected):
    assert compare(left, right) == expected


def test_kinds_are_never_equal():
    assert compare(True, 1) == -1
    assert compare(1, "1") == -1
    assert compare("", False) == 1


def test_logic():
    assert [[and_(a, b) for b in THREE] for a in THREE] == [
        [True, None, False],
        [None, None, False],
        [False, False, False],
    ]
    assert [[or_(a, b) for b in THREE] for a in THREE] == [
        [True, True, True],
        [True, None, None],
        [True, None, False],
    ]
    assert [not_(a) for a in THREE] == [False, None, True]


def test_conditions_are_booleans():
    assert [truth(value) for value in THREE] == list(THREE)
    with pytest.raises(EvaluationError):
        truth(1)


def test_show():
    assert [show(v) for v in (None, True, 3, 0.5, "it's")] == [
        "NULL",
        "TRUE",
        "3",
        "0.5",
        "'it''s'",
    ]


def test_order():
    values = ["a", 2, None, True, 1.5, False]
    assert sorted(values, key=order_key) == [False, True, 1.5, 2, "a", None]
    assert sorted(values, key=lambda v: order_key(v, True))[0] is None
