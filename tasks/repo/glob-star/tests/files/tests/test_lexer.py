import re

import pytest

from gleaner.errors import PatternError
from gleaner.lexer import Kind, tokenize


def kinds(pattern):
    return [token.kind for token in tokenize(pattern)]


def test_kinds():
    assert kinds("a*/?") == [Kind.LITERAL, Kind.STAR, Kind.SLASH, Kind.ANY]


def test_escapes():
    assert kinds(r"\*\?") == [Kind.LITERAL, Kind.LITERAL]
    assert tokenize(r"\*")[0].regex == r"\*"


def test_dangling_escape():
    with pytest.raises(PatternError, match="backslash"):
        tokenize("a\\")


@pytest.mark.parametrize(
    "pattern, inside, outside",
    [
        ("[abc]", "abc", "d-"),
        ("[a-c]", "abc", "d-"),
        ("[!a-c]", "dx-", "ab/"),
        ("[]x]", "]x", "a"),
        ("[!]x]", "ay", "]x/"),
        ("[a-]", "a-", "b"),
        ("[^a]", "^a", "b"),
        ("[*?]", "*?", "a"),
    ],
    ids=["list", "range", "negated", "bracket", "not-bracket", "dash", "caret", "wildcards"],
)
def test_classes(pattern, inside, outside):
    (token,) = tokenize(pattern)
    assert token.kind is Kind.CLASS
    assert all(re.fullmatch(token.regex, char) for char in inside)
    assert not any(re.fullmatch(token.regex, char) for char in outside)


@pytest.mark.parametrize(
    "pattern", ["[abc", "[", "[]", "[a/b]", "[z-a]"],
    ids=["open", "bare", "empty", "slash", "backwards"],
)
def test_bad_classes(pattern):
    with pytest.raises(PatternError):
        tokenize(pattern)


def test_globstar():
    assert kinds("a/**") == [Kind.LITERAL, Kind.SLASH, Kind.GLOBSTAR]
    assert kinds(r"\**") == [Kind.LITERAL, Kind.STAR]
