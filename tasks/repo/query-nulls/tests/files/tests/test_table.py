import pytest

from quern.errors import TableError
from quern.table import Table, parse_field, read_csv


def test_rows_are_tuples():
    table = Table("t", ["a", "b"], [[1, 2], (3, None)])
    assert table.columns == ("a", "b")
    assert table.rows == [(1, 2), (3, None)]


@pytest.mark.parametrize(
    "columns, rows",
    [([], []), (["a", "a"], []), (["a"], [(1, 2)])],
    ids=["no-columns", "same-name", "too-long"],
)
def test_bad_tables(columns, rows):
    with pytest.raises(TableError):
        Table("t", columns, rows)


def test_fields():
    texts = ["", "true", "false", "12", "-3", "0.5", "1e3", "True", "x y"]
    assert [parse_field(text) for text in texts] == [
        None,
        True,
        False,
        12,
        -3,
        0.5,
        "1e3",
        "True",
        "x y",
    ]


def test_read_csv():
    table = read_csv("t", 'id,name\n1,"Ada, L."\n2,\n')
    assert table.columns == ("id", "name")
    assert table.rows == [(1, "Ada, L."), (2, None)]


def test_empty_file():
    with pytest.raises(TableError):
        read_csv("t", "")


def test_sorted_by():
    table = Table("t", ["a", "b"], [(1, 3), (1, 2), (5, 0), (None, 1)], sorted_by="a")
    assert table.sorted_by == "a"


@pytest.mark.parametrize(
    "rows, column",
    [([(2,), (1,)], "a"), ([(None,), (1,)], "a"), ([(1,)], "b")],
    ids=["downwards", "null-first", "no-column"],
)
def test_not_sorted(rows, column):
    with pytest.raises(TableError):
        Table("t", ["a"], rows, sorted_by=column)
