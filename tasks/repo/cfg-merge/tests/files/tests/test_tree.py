import pytest

from strata import ConfigError, Origin
from strata.parser import parse
from strata.tree import Table, from_mapping, from_statements


def tree_of(text):
    return from_statements(parse(text, "x.conf").statements)


def test_find():
    tree = tree_of("[a.b]\nc = 1\n")
    assert tree.find("a.b.c").value == 1
    assert isinstance(tree.find("a.b"), Table)
    assert tree.find("a.x") is None
    assert tree.find("a.b.c.d") is None


def test_leaf_knows_its_origin():
    assert tree_of("\na = 1\n").find("a").origin == Origin("x.conf", 2)


def test_leaves_in_order():
    tree = tree_of("b = 1\n[a]\ny = 2\nx = 3\n")
    assert [key for key, _ in tree.leaves()] == ["b", "a.y", "a.x"]


def test_from_mapping():
    tree = from_mapping({"a": {"b": [1]}, "c": "x"}, Origin("defaults"))
    assert tree.find("a.b").value == [1]
    assert tree.find("c").origin == Origin("defaults")


def test_insert_beneath_a_value():
    tree = tree_of("a = 1\n")
    with pytest.raises(ConfigError):
        tree.insert("a.b", tree.find("a"))
