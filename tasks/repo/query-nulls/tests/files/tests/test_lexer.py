import pytest

from quern.errors import ParseError
from quern.lexer import tokenize


def texts(query):
    return [token.text for token in tokenize(query)]


def test_tokens():
    assert texts("select a.b<=1.5") == ["SELECT", "a", ".", "b", "<=", "1.5", ""]


def test_kinds():
    kinds = [token.kind for token in tokenize("FROM t 1 'x' =")]
    assert kinds == ["keyword", "name", "number", "text", "symbol", "end"]


def test_two_ways_to_write_unequal():
    assert texts("a != b") == texts("a <> b")


def test_quotes():
    assert texts("'it''s'") == ["'it''s'", ""]


@pytest.mark.parametrize(
    "query, position", [("a ; b", 2), ("'open", 0)], ids=["symbol", "open-text"]
)
def test_errors_have_a_position(query, position):
    with pytest.raises(ParseError) as caught:
        tokenize(query)
    assert caught.value.position == position
