import pytest

from gleaner.braces import expand
from gleaner.errors import PatternError


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("a", ["a"]),
        ("*.{c,h}", ["*.c", "*.h"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("a{,b}", ["a", "ab"]),
        ("{a}", ["a"]),
        (r"\{a,b}", [r"\{a,b}"]),
        (r"{a\,b,c}", [r"a\,b", "c"]),
        ("[{]a,b", ["[{]a,b"]),
        ("{[,],x}", ["[,]", "x"]),
        ("a}", ["a}"]),
    ],
    ids=["none", "two", "product", "empty", "one", "escaped", "comma", "class", "class-comma",
         "end-only"],
)
def test_expand(pattern, expected):
    assert expand(pattern) == expected


def test_open_brace():
    with pytest.raises(PatternError, match="brace"):
        expand("a{b,c")


def test_nested_braces():
    assert expand("{a,b{1,2}}x") == ["ax", "b1x", "b2x"]
    assert expand("{{a,b},c}") == ["a", "b", "c"]


def test_too_many_alternatives():
    with pytest.raises(PatternError, match="1000"):
        expand("{a,b}" * 10)
