import pytest

from gleaner.errors import PatternError
from gleaner.pattern import compile_pattern


def matches(pattern, path, **options):
    return compile_pattern(pattern, **options).matches(path)


@pytest.mark.parametrize(
    "pattern, path",
    [
        ("a.txt", "a.txt"),
        ("*.txt", "a.txt"),
        ("*", "a.txt"),
        ("src/*.py", "src/a.py"),
        ("src/?.py", "src/a.py"),
        ("[a-c]/[!x].py", "b/y.py"),
        ("a//b/./c", "a/b/c"),
        ("./a", "a"),
        (r"a\*b", "a*b"),
        ("a*", "a"),
    ],
    ids=["plain", "star", "lone-star", "dir", "any", "classes", "slashes", "dot", "escape", "empty"],
)
def test_matches(pattern, path):
    assert matches(pattern, path)


@pytest.mark.parametrize(
    "pattern, path",
    [
        ("a.txt", "b/a.txt"),
        ("a.txt", "a.txt.bak"),
        ("a.txt", "axtxt"),
        ("*.py", "src/a.py"),
        ("a?b", "a/b"),
        ("a[!x]b", "a/b"),
        ("src/*", "src"),
        ("src/*", "src/a/b"),
        (r"a\*b", "axb"),
    ],
    ids=["deeper", "longer", "dot", "star-slash", "any-slash", "class-slash", "short", "long",
         "escape"],
)
def test_does_not_match(pattern, path):
    assert not matches(pattern, path)


@pytest.mark.parametrize(
    "pattern", ["", "/", "/a", ".", "./", "../a", "a/../b"],
    ids=["empty", "slash", "absolute", "dot", "dot-slash", "up", "up-inside"],
)
def test_bad_patterns(pattern):
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_str_is_the_text():
    assert str(compile_pattern("./a/*")) == "./a/*"


@pytest.mark.parametrize(
    "pattern, path",
    [("*", ".env"), ("?env", ".env"), ("[.]env", ".env"), ("*/a", ".git/a"), ("a/*", "a/.b")],
    ids=["star", "any", "class", "directory", "name"],
)
def test_hidden_names_need_a_literal_dot(pattern, path):
    assert not matches(pattern, path)
    assert matches(pattern, path, hidden=True)


@pytest.mark.parametrize(
    "pattern, path",
    [(".*", ".env"), (".git/*", ".git/config"), (r"\.env", ".env"), ("a*", "a.b")],
    ids=["dot-star", "dot-directory", "escaped", "inner-dot"],
)
def test_literal_dots(pattern, path):
    assert matches(pattern, path)


def test_braces():
    pattern = compile_pattern("{src,lib/*}/*.{c,h}")
    assert [p for p in ("src/a.c", "lib/x/a.h", "lib/a.h", "src/a.o") if pattern.matches(p)] == [
        "src/a.c",
        "lib/x/a.h",
    ]


def test_braces_and_hidden_names():
    assert matches("{.env,*.txt}", ".env")
    assert not matches("{a,*}", ".env")


@pytest.mark.parametrize("path", ["src/a", "src/a/b", "src/a/b/c.py"], ids=["one", "two", "three"])
def test_everything_below_a_directory(path):
    assert matches("src/**", path)
    assert matches("**", path)


@pytest.mark.parametrize("path", ["src", "lib/a", "srcs/a"], ids=["itself", "other", "longer"])
def test_nothing_else_than_below(path):
    assert not matches("src/**", path)


def test_a_slash_at_the_end_is_everything_below():
    assert matches("src/", "src/a/b")
    assert matches("*/", "src/a")
    assert not matches("src/", "src")
    assert matches("src{/,.py}", "src.py")


def test_ignore_case():
    assert matches("SRC/[a-c]*.Py", "src/Beta.pY", ignore_case=True)
    assert not matches("SRC/*", "src/a")
