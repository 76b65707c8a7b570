import pytest

from quern.database import Database
from quern.errors import EvaluationError, PlanError
from quern.table import Table

PEOPLE = Table(
    "people",
    ["id", "name", "age", "city"],
    [
        (1, "Ada", 36, "London"),
        (2, "Bob", None, "Oslo"),
        (3, "Cleo", 28, "Oslo"),
        (4, "Dan", 36, None),
    ],
)
PETS = Table("pets", ["name", "owner"], [("Rex", 1), ("Tom", 3), ("Kit", 1), ("Ivy", 9)])


@pytest.fixture
def db():
    return Database([PEOPLE, PETS])


def test_everything(db):
    answer = db.query("SELECT * FROM people")
    assert answer.columns == ["id", "name", "age", "city"]
    assert answer.rows == PEOPLE.rows


def test_items(db):
    answer = db.query("SELECT name, age + 1 AS next FROM people")
    assert answer.columns == ["name", "next"]
    assert answer.rows == [("Ada", 37), ("Bob", None), ("Cleo", 29), ("Dan", 37)]


@pytest.mark.parametrize(
    "condition, expected",
    [
        ("age > 30", [1, 4]),
        ("NOT age > 30", [3]),
        ("age > 30 AND city = 'London'", [1]),
        ("age < 30 OR city = 'London'", [1, 3]),
        ("city IS NULL", [4]),
        ("age IS NOT NULL", [1, 3, 4]),
        ("city IN ('London', 'Rome')", [1]),
        ("age BETWEEN 20 AND 30", [3]),
        ("COALESCE(age, 0) = 0", [2]),
    ],
    ids=["gt", "not", "and", "or", "null", "not-null", "in", "between", "coalesce"],
)
def test_where(db, condition, expected):
    rows = db.query(f"SELECT id FROM people WHERE {condition}").rows
    assert [row[0] for row in rows] == expected


@pytest.mark.parametrize(
    "order, expected",
    [
        ("name DESC", [4, 3, 2, 1]),
        ("age", [3, 1, 4, 2]),
        ("age DESC", [1, 4, 3, 2]),
        ("age NULLS FIRST", [2, 3, 1, 4]),
        ("age DESC NULLS FIRST", [2, 1, 4, 3]),
        ("age, id DESC", [3, 4, 1, 2]),
        ("city DESC, age DESC", [3, 2, 1, 4]),
    ],
    ids=["down", "up", "ties", "nulls-first", "down-nulls-first", "two", "two-down"],
)
def test_order(db, order, expected):
    rows = db.query(f"SELECT id FROM people ORDER BY {order}").rows
    assert [row[0] for row in rows] == expected


def test_limit(db):
    assert db.query("SELECT id FROM people LIMIT 2").rows == [(1,), (2,)]
    assert db.query("SELECT id FROM people LIMIT 2 OFFSET 3").rows == [(4,)]
    assert db.query("SELECT id FROM people OFFSET 2").rows == [(3,), (4,)]
    assert db.query("SELECT id FROM people LIMIT 0").rows == []


def test_replaced_table(db):
    db.add(Table("people", ["id"], []))
    assert db.query("SELECT * FROM people").rows == []
    with pytest.raises(PlanError):
        db.query("SELECT name FROM people")


def test_join(db):
    rows = db.query("SELECT p.name, q.name FROM people p JOIN pets q ON q.owner = p.id").rows
    assert rows == [("Ada", "Rex"), ("Ada", "Kit"), ("Cleo", "Tom")]


def test_join_with_more_conditions(db):
    rows = db.query(
        "SELECT q.name FROM people p JOIN pets q ON q.owner = p.id AND q.name <> 'Kit'"
        " WHERE p.city IS NOT NULL"
    ).rows
    assert rows == [("Rex",), ("Tom",)]


def test_cross_join(db):
    rows = db.query("SELECT p.id, q.name FROM people p CROSS JOIN pets q").rows
    assert len(rows) == 16
    assert rows[:5] == [(1, "Rex"), (1, "Tom"), (1, "Kit"), (1, "Ivy"), (2, "Rex")]


def test_join_on_an_inequality(db):
    rows = db.query("SELECT p.id, q.owner FROM people p JOIN pets q ON p.id > q.owner").rows
    assert rows == [(2, 1), (2, 1), (3, 1), (3, 1), (4, 1), (4, 3), (4, 1)]


def test_left_join(db):
    rows = db.query("SELECT p.id, q.name FROM people p LEFT JOIN pets q ON q.owner = p.id").rows
    assert rows == [(1, "Rex"), (1, "Kit"), (2, None), (3, "Tom"), (4, None)]


def test_left_join_and_where_on_the_left(db):
    rows = db.query(
        "SELECT p.id, q.name FROM people p LEFT JOIN pets q ON q.owner = p.id WHERE p.id > 2"
    ).rows
    assert rows == [(3, "Tom"), (4, None)]


def test_left_join_with_a_condition_on_the_right(db):
    rows = db.query(
        "SELECT p.id, q.name FROM people p LEFT JOIN pets q ON q.owner = p.id AND q.name > 'R'"
    ).rows
    assert rows == [(1, "Rex"), (2, None), (3, "Tom"), (4, None)]


def test_groups(db):
    answer = db.query("SELECT city, COUNT(*) AS n, COUNT(age), SUM(age) FROM people GROUP BY city")
    assert answer.columns == ["city", "n", "COUNT(age)", "SUM(age)"]
    assert answer.rows == [("London", 1, 1, 36), ("Oslo", 2, 1, 28), (None, 1, 1, 36)]


def test_one_group_for_all(db):
    query = "SELECT COUNT(*), MIN(age), MAX(name), AVG(age) FROM people"
    assert db.query(query).rows == [(4, 28, "Dan", 100 / 3)]
    assert db.query(query + " WHERE id > 9").rows == [(0, None, None, None)]


def test_no_groups_without_rows(db):
    assert db.query("SELECT city, COUNT(*) FROM people WHERE id > 9 GROUP BY city").rows == []


def test_order_by_an_aggregate(db):
    rows = db.query("SELECT city FROM people GROUP BY city ORDER BY COUNT(*) DESC, city").rows
    assert rows == [("Oslo",), ("London",), (None,)]


def test_sum_of_texts(db):
    with pytest.raises(EvaluationError):
        db.query("SELECT SUM(name) FROM people")


def test_having(db):
    rows = db.query("SELECT city FROM people GROUP BY city HAVING COUNT(*) > 1").rows
    assert rows == [("Oslo",)]


def test_having_on_a_key(db):
    rows = db.query(
        "SELECT city, COUNT(*) FROM people GROUP BY city HAVING city <> 'Oslo' AND COUNT(*) = 1"
    ).rows
    assert rows == [("London", 1)]


def test_having_without_groups(db):
    assert db.query("SELECT COUNT(*) FROM people HAVING COUNT(*) > 3").rows == [(4,)]
    assert db.query("SELECT COUNT(*) FROM people HAVING COUNT(*) > 4").rows == []


def test_distinct(db):
    assert db.query("SELECT DISTINCT city FROM people").rows == [("London",), ("Oslo",), (None,)]


def test_distinct_and_order(db):
    rows = db.query("SELECT DISTINCT age FROM people ORDER BY age DESC").rows
    assert rows == [(36,), (28,), (None,)]
