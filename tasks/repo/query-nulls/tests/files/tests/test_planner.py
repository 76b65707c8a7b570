import pytest

from quern.errors import PlanError
from quern.expr import Column
from quern.parser import parse_query
from quern.plan import Filter, Limit, Project, Scan, Sort
from quern.planner import make_plan
from quern.table import Table

TABLES = {
    "t": Table("t", ["a", "b"], []),
    "u": Table("u", ["b", "c"], []),
}


def plan(text):
    return make_plan(parse_query(text), TABLES)


def test_steps_follow_the_query():
    limit = plan("SELECT a FROM t WHERE b = 1 ORDER BY b LIMIT 3")
    assert isinstance(limit, Limit)
    assert isinstance(limit.source, Project)
    assert isinstance(limit.source.source, Sort)
    assert isinstance(limit.source.source.source, Filter)
    assert isinstance(limit.source.source.source.source, Scan)


def test_schema():
    assert plan("SELECT a + 1 AS more, b FROM t").schema == (
        Column(None, "more"),
        Column(None, "b"),
    )
    assert plan("SELECT * FROM t x").schema == (Column(None, "a"), Column(None, "b"))


def test_names_of_items_can_be_sorted_by():
    sort = plan("SELECT a + 1 AS b FROM t ORDER BY b").source
    assert str(sort.keys[0].expr) == "(t.a + 1)"
    sort = plan("SELECT a + 1 AS b FROM t ORDER BY t.b").source
    assert sort.keys[0].expr == Column("t", "b")


@pytest.mark.parametrize(
    "text",
    ["SELECT x FROM t", "SELECT u.a FROM t", "SELECT a FROM v"],
    ids=["column", "qualified", "table"],
)
def test_unknown_names(text):
    with pytest.raises(PlanError):
        plan(text)


@pytest.mark.parametrize(
    "text",
    ["SELECT b FROM t CROSS JOIN u", "SELECT a FROM t CROSS JOIN t", "SELECT t.a FROM t x"],
    ids=["two-columns", "two-tables", "renamed"],
)
def test_names_in_joins(text):
    with pytest.raises(PlanError):
        plan(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, COUNT(*) FROM t",
        "SELECT b FROM t GROUP BY a",
        "SELECT a FROM t WHERE COUNT(*) > 1",
        "SELECT SUM(COUNT(*)) FROM t",
        "SELECT a FROM t GROUP BY (a + 1)",
    ],
    ids=["no-group", "other-column", "where", "nested", "expression"],
)
def test_bad_groups(text):
    with pytest.raises(PlanError):
        plan(text)
