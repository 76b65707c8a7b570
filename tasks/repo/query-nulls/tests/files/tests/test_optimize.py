import pytest

from quern.database import Database
from quern.table import Table

PARTS = Table(
    "parts",
    ["id", "name", "maker", "weight"],
    [
        (1, "bolt", 10, 5),
        (2, "nut", 11, 2),
        (3, "gear", 10, 40),
        (4, "pin", 12, 1),
        (5, "cog", 11, 7),
    ],
)
MAKERS = Table("makers", ["id", "name", "land"], [(10, "Acme", "NO"), (11, "Bend", "SE")])
LOG = Table("log", ["at", "part"], [(1, 3), (4, 1), (4, 2), (9, 3)], sorted_by="at")


@pytest.fixture
def db():
    return Database([PARTS, MAKERS, LOG])


def explain(db, query):
    return [line.strip() for line in db.explain(query).splitlines()]


def check(db, query, expected):
    """The query has these rows, optimised or not."""
    assert db.query(query).rows == expected
    assert db.query(query, optimize=False).rows == expected


@pytest.mark.parametrize(
    "condition, simpler",
    [
        ("id > 1 + 2 * 3", "parts.id > 7"),
        ("NOT id = 2", "parts.id <> 2"),
        ("NOT NOT id IN (id)", "parts.id IN (parts.id)"),
        ("id = 1 AND 1 = 1", "parts.id = 1"),
        ("1 = 2 OR id = 1", "parts.id = 1"),
        ("id = 1 AND 'a' = 'b'", "FALSE"),
        ("id = COALESCE(NULL, 3, weight)", "parts.id = 3"),
    ],
    ids=["sum", "not", "not-not", "and-true", "or-false", "and-false", "coalesce"],
)
def test_constants_are_folded(db, condition, simpler):
    lines = explain(db, f"SELECT name FROM parts WHERE {condition}")
    assert f"Filter {simpler}" in lines


def test_filters_that_let_all_pass_are_dropped(db):
    lines = explain(db, "SELECT name FROM parts WHERE id = 1 OR TRUE")
    assert lines == ["Project parts.name as name", "Scan parts"]


def test_constants_in_items(db):
    check(db, "SELECT id * (2 + 3), 1 < 2 FROM parts WHERE id < 3", [(5, True), (10, True)])


def test_an_error_needs_a_row(db):
    check(db, "SELECT 1 + 'a' FROM parts WHERE id > 9", [])


def test_filters_go_to_the_tables(db):
    lines = explain(
        db,
        "SELECT p.name FROM parts p JOIN makers m ON p.maker < m.id AND m.land = 'NO'"
        " WHERE p.weight > 3 AND p.id + m.id > 4",
    )
    assert lines[1:] == [
        "Join on ((p.id + m.id) > 4 AND p.maker < m.id)",
        "Filter p.weight > 3",
        "Scan parts as p",
        "Filter m.land = 'NO'",
        "Scan makers as m",
    ]


def test_filters_and_joins(db):
    check(
        db,
        "SELECT p.name, m.name FROM parts p JOIN makers m ON p.maker = m.id"
        " WHERE m.land = 'SE' AND p.weight > 3",
        [("cog", "Bend")],
    )


def test_filters_go_to_the_left_of_left_joins(db):
    lines = explain(
        db,
        "SELECT p.name FROM parts p LEFT JOIN makers m ON p.maker < m.id AND m.land = 'NO'"
        " WHERE p.weight > 3",
    )
    assert lines[1:] == [
        "LeftJoin on p.maker < m.id",
        "Filter p.weight > 3",
        "Scan parts as p",
        "Filter m.land = 'NO'",
        "Scan makers as m",
    ]


def test_filters_and_left_joins(db):
    check(
        db,
        "SELECT p.name, m.name FROM parts p LEFT JOIN makers m ON p.maker = m.id AND m.land = 'SE'"
        " WHERE p.weight < 6",
        [("bolt", None), ("nut", "Bend"), ("pin", None)],
    )


def test_equalities_are_hashed(db):
    lines = explain(
        db, "SELECT p.name FROM parts p JOIN makers m ON m.id = p.maker AND p.weight > m.id"
    )
    assert lines[1] == "HashJoin on p.maker = m.id and p.weight > m.id"


def test_equalities_of_where_are_hashed(db):
    lines = explain(db, "SELECT p.name FROM parts p CROSS JOIN makers m WHERE p.maker = m.id")
    assert lines[1:] == ["HashJoin on p.maker = m.id", "Scan parts as p", "Scan makers as m"]


def test_hash_joins(db):
    check(
        db,
        "SELECT p.name, m.name FROM parts p"
        " JOIN makers m ON p.maker = m.id AND p.weight + m.id > 15",
        [("gear", "Acme"), ("cog", "Bend")],
    )


def test_left_hash_joins(db):
    query = "SELECT p.id, m.land FROM parts p LEFT JOIN makers m ON p.maker = m.id"
    assert explain(db, query)[1] == "LeftHashJoin on p.maker = m.id"
    check(db, query, [(1, "NO"), (2, "SE"), (3, "NO"), (4, None), (5, "SE")])


def test_a_limit_spares_sorting(db):
    query = "SELECT name FROM parts ORDER BY weight DESC LIMIT 2"
    assert explain(db, query) == [
        "Limit 2 from 0",
        "Project parts.name as name",
        "TopN 2 by parts.weight DESC",
        "Scan parts",
    ]
    check(db, query, [("gear",), ("cog",)])


def test_first_rows_of_ties(db):
    check(db, "SELECT id FROM parts ORDER BY maker LIMIT 3", [(1,), (3,), (2,)])
    check(db, "SELECT id FROM parts ORDER BY maker DESC, weight LIMIT 2", [(4,), (2,)])


def test_lists_of_constants_are_sets(db):
    query = "SELECT id FROM parts WHERE name IN ('gear', 'pin', 'axle')"
    assert "Filter parts.name IN SET ('gear', 'pin', 'axle')" in explain(db, query)
    check(db, query, [(3,), (4,)])


def test_other_lists_are_no_sets(db):
    query = "SELECT id FROM parts WHERE 2 IN (id, weight)"
    assert "Filter 2 IN (parts.id, parts.weight)" in explain(db, query)
    check(db, query, [(2,)])


@pytest.mark.parametrize(
    "query, expected",
    [
        ("SELECT part FROM log ORDER BY at", [(3,), (1,), (2,), (3,)]),
        ("SELECT part FROM log WHERE at > 1 ORDER BY at", [(1,), (2,), (3,)]),
        (
            "SELECT p.name FROM log l LEFT JOIN parts p ON l.part = p.id ORDER BY l.at",
            [("gear",), ("bolt",), ("nut",), ("gear",)],
        ),
    ],
    ids=["scan", "filter", "join"],
)
def test_what_is_sorted_is_not_sorted(db, query, expected):
    assert not any(line.startswith("Sort") for line in explain(db, query))
    check(db, query, expected)


def test_other_orders_are_sorted(db):
    lines = explain(db, "SELECT at FROM log ORDER BY part")
    assert "Sort by log.part" in lines


def test_having_goes_below_groups(db):
    query = "SELECT maker, COUNT(*) FROM parts GROUP BY maker HAVING maker > 10 AND COUNT(*) > 1"
    assert explain(db, query)[1:] == [
        "Filter COUNT(*) > 1",
        "Aggregate COUNT(*) by parts.maker",
        "Filter parts.maker > 10",
        "Scan parts",
    ]
    check(db, query, [(11, 2)])


@pytest.mark.parametrize(
    "operator, count",
    [("=", 5), ("<=", 5), ("<>", 0), (">", 0)],
    ids=["eq", "le", "ne", "gt"],
)
def test_comparisons_with_itself(db, operator, count):
    check(db, f"SELECT COUNT(*) FROM parts WHERE weight {operator} weight", [(count,)])


def test_products_with_zero(db):
    check(db, "SELECT id * 0 FROM parts WHERE id = 3", [(0,)])
