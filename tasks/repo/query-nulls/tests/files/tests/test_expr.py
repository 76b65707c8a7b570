import pytest

from quern.errors import EvaluationError
from quern.expr import (
    And,
    Arithmetic,
    Coalesce,
    Column,
    Compare,
    In,
    IsNull,
    Literal,
    Not,
    Or,
    bind,
    columns,
    conjoin,
    conjuncts,
    transform,
)

A, B = Column("t", "a"), Column("t", "b")
NULL, ONE, TRUE, FALSE = map(Literal, (None, 1, True, False))


def value(expr, *row):
    return bind(expr, [A, B])(row)


def test_columns_and_literals():
    assert value(A, 1, 2) == 1
    assert value(B, 1, 2) == 2
    assert value(Literal("x"), 1, 2) == "x"


@pytest.mark.parametrize(
    "operator, expected",
    [
        ("=", [False, True, False]),
        ("<>", [True, False, True]),
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
        (">", [False, False, True]),
        (">=", [False, True, True]),
    ],
    ids=["eq", "ne", "lt", "le", "gt", "ge"],
)
def test_compare(operator, expected):
    assert [value(Compare(operator, A, B), a, 2) for a in (1, 2, 3)] == expected
    assert value(Compare(operator, A, B), None, 2) is None


def test_logic():
    assert value(And(A, B), True, None) is None
    assert value(And(A, B), False, None) is False
    assert value(Or(A, B), True, None) is True
    assert value(Not(A), None, 0) is None


def test_arithmetic():
    assert value(Arithmetic("+", A, B), 7, 2) == 9
    assert value(Arithmetic("-", A, B), 7, 2) == 5
    assert value(Arithmetic("*", A, B), 7, 2) == 14
    assert value(Arithmetic("/", A, B), 7, 2) == 3.5
    assert value(Arithmetic("*", A, B), None, 2) is None


def test_division_by_zero_is_null():
    assert value(Arithmetic("/", A, B), 7, 0) is None


def test_no_arithmetic_with_texts():
    with pytest.raises(EvaluationError):
        value(Arithmetic("+", A, B), "7", 2)


def test_columns_of():
    assert columns(And(Compare("=", A, ONE), Not(B))) == {A, B}


def test_conjuncts():
    parts = [Compare("=", A, ONE), Or(A, B), Not(B)]
    assert conjuncts(conjoin(parts)) == parts
    assert conjoin([]) == TRUE
    assert conjuncts(TRUE) == []


def test_transform():
    def other(expr):
        return B if expr == A else expr

    assert transform(And(A, Not(A)), other) == And(B, Not(B))


def test_str():
    assert str(And(Compare("<", A, ONE), Not(Or(B, TRUE)))) == "(t.a < 1 AND NOT ((t.b OR TRUE)))"


def test_is_null():
    assert value(IsNull(A), None, 1) is True
    assert value(IsNull(A), 0, 1) is False


def test_in():
    among = In(A, (ONE, B))
    assert value(among, 1, 5) is True
    assert value(among, 5, 5) is True
    assert value(among, 2, 5) is False


def test_in_with_null():
    among = In(A, (ONE, B))
    assert value(among, 1, None) is True
    assert value(among, 2, None) is None
    assert value(among, None, 5) is None


def test_coalesce():
    assert value(Coalesce((A, B, ONE)), None, 2) == 2
    assert value(Coalesce((A, B, ONE)), None, None) == 1
    assert value(Coalesce((A, B)), None, None) is None
