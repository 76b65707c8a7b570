"""What ** matches."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gleaner
from gleaner.errors import PatternError
from gleaner.fileset import FileSet
from gleaner.ignorefile import IgnoreRules
from gleaner.manifest import parse_manifest
from gleaner.pattern import compile_pattern


def check(pattern, yes, no, **options):
    compiled = compile_pattern(pattern, **options)
    assert [p for p in yes if not compiled.matches(p)] == []
    assert [p for p in no if compiled.matches(p)] == []


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b", "a/a/b"], ["ab", "a/xb", "a", "b", "a/b/c"]),
        ("a/**/b*", ["a/b", "a/bc", "a/x/bc"], ["a/cb", "a/x/cb", "ab"]),
        ("a/*/**/b", ["a/x/b", "a/x/y/b"], ["a/b"]),
        ("a/**/*/b", ["a/x/b", "a/x/y/b"], ["a/b"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c"], ["a/c", "a/x/c", "b/c"]),
        ("*/**/?", ["a/b", "a/x/b", "abc/x/y/b"], ["a", "a/bc"]),
    ],
    ids=["middle", "prefix", "one-or-more", "one-or-more-after", "two", "wild-neighbours"],
)
def test_in_the_middle(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("**/b", ["b", "x/b", "x/y/b"], ["ab", "x/ab", "b/x"]),
        ("**/*.py", ["a.py", "x/a.py", "x/y/a.py"], ["a.pyc", "x/a.txt"]),
        ("**/a/b", ["a/b", "x/a/b", "a/a/b"], ["b", "xa/b", "a/x/b"]),
        ("./**/b", ["b", "x/b"], ["ab"]),
    ],
    ids=["name", "suffix", "path", "dot-slash"],
)
def test_at_the_start(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a/**", ["a/x", "a/x/y", "a/x/y/z"], ["a", "b/x", "ab/x"]),
        ("**", ["a", "a/b", "a/b/c.d"], []),
        ("**/a/**", ["a/b", "x/a/b/c", "x/y/a/b"], ["a", "x/a", "x/b"]),
        ("*/**", ["a/b", "a/b/c"], ["a"]),
    ],
    ids=["below", "everything", "both-ends", "below-any"],
)
def test_at_the_end(pattern, yes, no):
    check(pattern, yes, no)


def test_the_slash_at_the_end_is_still_short_for_it():
    check("a/", ["a/x", "a/x/y"], ["a"])
    check("**/a/", ["a/x", "y/a/x/z"], ["a", "y/a"])


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a/**/**/b", ["a/b", "a/x/b", "a/x/y/z/b"], ["ab", "a/xb"]),
        ("**/**/b", ["b", "x/b"], ["ab"]),
        ("a/**/**", ["a/x", "a/x/y"], ["a"]),
        ("a/**/", ["a/x", "a/x/y"], ["a"]),
        ("**/**", ["a", "a/b"], []),
        ("a/**//./**/b", ["a/b", "a/x/b"], ["ab"]),
    ],
    ids=["middle", "start", "end", "slash", "alone", "with-empties"],
)
def test_several_in_a_row(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a**b", ["ab", "axb", "a.b"], ["a/b", "a/x/b"]),
        ("**.py", ["a.py", "x.y.py"], ["x/a.py", "a.pyc"]),
        ("a/x**", ["a/x", "a/xyz"], ["a/x/y", "a/xy/z"]),
        ("x**/b", ["x/b", "xy/b"], ["x/y/b", "b"]),
        ("**x/b", ["x/b", "yx/b"], ["y/x/b", "b"]),
        ("a/***/b", ["a/x/b"], ["a/b", "a/x/y/b"]),
        ("****", ["a", "abc"], ["a/b"]),
        ("a/***", ["a/x"], ["a", "a/x/y"]),
        ("a/?**", ["a/x", "a/xy"], ["a/x/y"]),
    ],
    ids=["inside", "before", "after", "after-dir", "before-dir", "three", "four", "three-at-end",
         "any"],
)
def test_not_a_component_of_its_own(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        (r"a/\**/b", ["a/*/b", "a/*x/b"], ["a/b", "a/x/b", "a/*/x/b"]),
        (r"a/\*\*/b", ["a/**/b"], ["a/b", "a/x/b"]),
        ("a/[**]/b", ["a/*/b"], ["a/b", "a/x/b", "a/x/y/b"]),
        ("a/[*]*/b", ["a/*/b", "a/*x/b"], ["a/b", "a/x/b"]),
        (r"a/*\*/b", ["a/*/b", "a/x*/b"], ["a/b", "a/x/b"]),
    ],
    ids=["escaped-first", "escaped-both", "class", "class-and-star", "escaped-second"],
)
def test_literal_stars(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a/{**,x}/b", ["a/b", "a/x/b", "a/y/z/b"], ["ab"]),
        ("a{**,x}/b", ["a/b", "ay/b", "ax/b"], ["a/y/b"]),
        ("{a/,}**/b", ["b", "a/b", "x/y/b"], ["ab"]),
        ("{a,b/**}/c", ["a/c", "b/c", "b/x/c"], ["a/x/c"]),
        ("a/*{*,x}", ["a/y", "a/yx", "a/b/c"], ["a"]),
        ("{src,test}/**/*.{c,h}", ["src/a.c", "test/x/y/a.h"], ["a.c", "src/a.o"]),
    ],
    ids=["alone", "not-alone", "empty", "with-slash", "made-of-two", "usual"],
)
def test_braces_come_first(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("**", ["a", "a/b.c"], [".env", ".a/b", "a/.b/c", "a/b/.c"]),
        ("a/**", ["a/b"], ["a/.b", "a/.b/c", "a/b/.c"]),
        ("a/**/b", ["a/b", "a/x/b"], ["a/.x/b", "a/x/.y/b", "a/.b"]),
        ("**/b", ["b", "x/b"], [".x/b", "x/.y/b"]),
        ("**/.env", [".env", "a/.env", "a/b/.env"], [".a/.env", "a/.b/.env", "env"]),
        ("**/.*", [".a", "x/.a"], ["a", ".x/.a", ".x/a"]),
        (".github/**", [".github/a", ".github/w/ci.yml"], [".github/.x/y", ".github/.x"]),
        ("**/.github/**/*.yml", [".github/a.yml", "x/.github/w/a.yml"], [".github/.w/a.yml"]),
        ("**/.x/**/.y", [".x/.y", "a/.x/b/.y"], [".x/.b/.y", ".a/.x/.y"]),
    ],
    ids=["alone", "end", "middle", "start", "dot-name", "dot-star", "below-hidden",
         "through-hidden", "hidden-twice"],
)
def test_hidden_names(pattern, yes, no):
    check(pattern, yes, no)


@pytest.mark.parametrize(
    "pattern, yes",
    [
        ("**", [".env", ".a/b", "a/.b/c"]),
        ("a/**", ["a/.b", "a/.b/.c"]),
        ("a/**/b", ["a/b", "a/.x/b", "a/.x/y/.z/b"]),
        ("**/b", ["b", ".x/b"]),
    ],
    ids=["alone", "end", "middle", "start"],
)
def test_hidden_option(pattern, yes):
    check(pattern, yes, [], hidden=True)


def test_ignore_case():
    check("SRC/**/*.Py", ["src/a.py", "Src/x/Y/a.PY"], ["a.py"], ignore_case=True)


def test_ways_up_are_still_refused():
    for pattern in ("**/../a", "a/**/..", "/**"):
        with pytest.raises(PatternError):
            compile_pattern(pattern)


def oracle(pattern, names):
    """A slow reading of the rules, for components a, .h, *, ** and b*."""
    if not pattern:
        return not names
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        if not rest:
            return bool(names) and not any(n.startswith(".") for n in names)
        return oracle(rest, names) or (
            bool(names) and not names[0].startswith(".") and oracle(pattern, names[1:])
        )
    if not names:
        return False
    fits = {
        "*": not names[0].startswith("."),
        "b*": names[0].startswith("b"),
    }.get(head, names[0] == head)
    return fits and oracle(rest, names[1:])


@pytest.mark.parametrize("length", [1, 2, 3, 4], ids=["one", "two", "three", "four"])
def test_all_small_patterns(length):
    paths = [
        names for n in (1, 2, 3, 4) for names in itertools.product(("a", "bc", ".h"), repeat=n)
    ]
    parts = ("a", ".h", "*", "**", "b*") if length < 4 else ("a", "**", "*")
    for pattern in itertools.product(parts, repeat=length):
        compiled = compile_pattern("/".join(pattern))
        for names in paths:
            path = "/".join(names)
            assert compiled.matches(path) == oracle(pattern, names), ("/".join(pattern), path)


def test_many_stars_take_no_time():
    program = (
        "from gleaner.pattern import compile_pattern as c\n"
        "from gleaner.fileset import FileSet\n"
        "from gleaner.tree import VirtualTree\n"
        "from gleaner.walker import walk\n"
        "p = '**/' + 'a/**/' * 12 + 'b'\n"
        "path = '/'.join(['a'] * 40)\n"
        "assert not c(p).matches(path)\n"
        "assert c(p).matches(path + '/b')\n"
        "assert list(walk(VirtualTree([path, path + 'x/b']), FileSet.of([p]))) == [path + 'x/b']\n"
    )
    source = str(Path(gleaner.__file__).resolve().parents[1])
    env = dict(os.environ, PYTHONPATH=source, PYTHONDONTWRITEBYTECODE="1")
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=10)


def test_sets():
    files = FileSet.of(["**/*.py"], ["**/gen/**", "**/test_*"])
    assert files.accepts("a.py")
    assert files.accepts("x/gen.py")
    assert not files.accepts("gen/a.py")
    assert not files.accepts("x/gen/y/a.py")
    assert not files.accepts("test_a.py")


def test_excludes_see_hidden_names_with_globstar_too():
    files = FileSet.of([".x/**", "a/**"], ["**/tmp/*.py", "a/**/z"])
    assert not files.accepts(".x/tmp/a.py")
    assert not files.accepts("a/z")
    assert files.accepts(".x/y")


def test_manifests():
    sets = parse_manifest("[c]\ninclude src/**/*.c\nexclude **/old_*\n\n[all]\n")
    assert sets["c"].accepts("src/a.c")
    assert not sets["c"].accepts("src/x/old_a.c")
    assert sets["all"].accepts("a/b")
    assert not sets["all"].accepts("a/.b/c")


@pytest.mark.parametrize(
    "rule, yes, no",
    [
        ("a/**/b", ["a/b", "a/x/b", "a/.x/b"], ["x/a/b", "ab"]),
        ("**/b", ["b", "x/b", ".x/y/b"], ["ab"]),
        ("**/a/b", ["a/b", "x/a/b"], ["b"]),
        ("a/**", ["a/x", "a/.x/y"], ["a", "x/a/b"]),
        ("a**b", ["ab", "x/axb"], ["a/b", "a/x/b"]),
    ],
    ids=["middle", "start", "start-path", "end", "not-alone"],
)
def test_ignore_rules(rule, yes, no):
    rules = IgnoreRules.parse(rule)
    assert [p for p in yes if rules.decide(p) is not True] == []
    assert [p for p in no if rules.decide(p) is not None] == []


def test_ignore_rules_for_directories():
    rules = IgnoreRules.parse("**/tmp/\n", base="pkg")
    assert rules.decide("pkg/tmp", is_dir=True) is True
    assert rules.decide("pkg/a/tmp", is_dir=True) is True
    assert rules.decide("pkg/tmp") is None
