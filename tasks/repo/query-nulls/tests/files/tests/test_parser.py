import pytest

from quern.errors import ParseError
from quern.expr import Column
from quern.parser import parse_expression, parse_query
from quern.query import Item, JoinClause, SortKey, Source


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a + 2 * 3", "(a + (2 * 3))"),
        ("(a - b) - 1", "((a - b) - 1)"),
        ("-a", "(0 - a)"),
        ("a = 1 OR b = 2 AND NOT c < 3", "(a = 1 OR (b = 2 AND NOT (c < 3)))"),
        ("t.a != 'it''s'", "t.a <> 'it''s'"),
        ("a = null", "a = NULL"),
    ],
    ids=["product", "parens", "minus", "logic", "text", "null"],
)
def test_expressions(text, expected):
    assert str(parse_expression(text)) == expected


@pytest.mark.parametrize(
    "text, position",
    [("a +", 3), ("(a", 2), ("a b", 2), ("a = = b", 4)],
    ids=["open", "paren", "two", "operators"],
)
def test_errors(text, position):
    with pytest.raises(ParseError) as caught:
        parse_expression(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a IS NULL", "a IS NULL"),
        ("a IS NOT NULL", "NOT (a IS NULL)"),
        ("a IN (1, b)", "a IN (1, b)"),
        ("a NOT IN (1)", "NOT (a IN (1))"),
        ("a BETWEEN 1 AND 2 AND b", "((a >= 1 AND a <= 2) AND b)"),
        ("a NOT BETWEEN 1 AND 2", "NOT ((a >= 1 AND a <= 2))"),
    ],
    ids=["null", "not-null", "in", "not-in", "between", "not-between"],
)
def test_tests(text, expected):
    assert str(parse_expression(text)) == expected


def test_functions():
    assert str(parse_expression("coalesce(a, 0) + 1")) == "(COALESCE(a, 0) + 1)"
    with pytest.raises(ParseError):
        parse_expression("nothing(a)")


def test_query():
    query = parse_query(
        "SELECT id, a.name AS who, 1 + 1 FROM people a WHERE id > 3"
        " ORDER BY who DESC, id NULLS FIRST LIMIT 5 OFFSET 2"
    )
    assert [item.name for item in query.items] == ["id", "who", "(1 + 1)"]
    assert query.source == Source("people", "a")
    assert str(query.where) == "id > 3"
    assert query.order_by == (
        SortKey(Column(None, "who"), descending=True),
        SortKey(Column(None, "id"), nulls_first=True),
    )
    assert (query.limit, query.offset) == (5, 2)


def test_star():
    assert parse_query("SELECT * FROM t").items == (Item(None),)


@pytest.mark.parametrize(
    "text",
    ["SELECT FROM t", "SELECT a", "SELECT a FROM t LIMIT 1.5", "SELECT a FROM t WHERE", "a"],
    ids=["no-item", "no-table", "half", "no-condition", "no-query"],
)
def test_bad_queries(text):
    with pytest.raises(ParseError):
        parse_query(text)


def test_joins():
    query = parse_query("SELECT * FROM a JOIN b ON a.x = b.x CROSS JOIN c INNER JOIN d q ON TRUE")
    assert [join.source for join in query.joins] == [
        Source("b", "b"),
        Source("c", "c"),
        Source("d", "q"),
    ]
    assert [str(join.condition) for join in query.joins] == ["a.x = b.x", "TRUE", "TRUE"]


def test_left_join():
    (join,) = parse_query("SELECT * FROM a LEFT JOIN b ON a.x = b.x").joins
    assert isinstance(join, JoinClause) and join.outer


def test_groups():
    query = parse_query("SELECT a, count(*), sum(b) FROM t GROUP BY a, t.c")
    assert [str(item.expr) for item in query.items] == ["a", "COUNT(*)", "SUM(b)"]
    assert list(map(str, query.group_by)) == ["a", "t.c"]
