import pytest

from strata import Origin, ParseError
from strata.parser import parse


def triples(text):
    return [(s.op, s.key, s.value) for s in parse(text, "x.conf").statements]


def test_assignments_and_sections():
    text = 'name = "shop"\n\n[server]\nport = 8080\ntls.on = true\n[a.b]\nc=1\n'
    assert triples(text) == [
        ("set", "name", "shop"),
        ("set", "server.port", 8080),
        ("set", "server.tls.on", True),
        ("set", "a.b.c", 1),
    ]


def test_origin_is_file_and_line():
    document = parse("\n[s]\nkey = 1\n", "x.conf")
    assert document.statements[0].origin == Origin("x.conf", 3)


@pytest.mark.parametrize(
    "text, line",
    [
        pytest.param("what is this\n", 1, id="no-statement"),
        pytest.param("a = 1\nb = \n", 2, id="no-value"),
        pytest.param("a = 1 2\n", 1, id="two-values"),
        pytest.param("\n[open\n", 2, id="open-section"),
        pytest.param("a = 1\na = 2\n", 2, id="same-key-twice"),
        pytest.param("a.b = 1\na = 2\n", 2, id="value-over-section"),
        pytest.param("[a]\nb = 1\n[a.b]\nc = 2\n", 4, id="section-over-value"),
        pytest.param("a += 1\n", 1, id="append-no-list"),
        pytest.param("unset a\na.b = 1\n", 2, id="set-and-unset"),
        pytest.param('a = 1\ninclude "b.conf"\n', 2, id="late-include"),
    ],
)
def test_error_has_the_line(text, line):
    with pytest.raises(ParseError) as caught:
        parse(text, "x.conf")
    assert caught.value.origin == Origin("x.conf", line)


def test_comments():
    text = '# head\na = "#1" # one\n[s] # section\n  # indented\nb = 2#two\n'
    assert triples(text) == [("set", "a", "#1"), ("set", "s.b", 2)]


def test_append_statement():
    assert triples('[a]\nb += ["x"]\n') == [("append", "a.b", ["x"])]


def test_unset_statement():
    assert triples("[a]\nunset b.c\n") == [("unset", "a.b.c", None)]


def test_a_key_may_be_called_unset():
    assert triples("unset = 1\n") == [("set", "unset", 1)]


def test_includes():
    document = parse('# first\ninclude "b.conf"\ninclude "c/d.conf" # too\na = 1\n', "x.conf")
    assert [item.path for item in document.includes] == ["b.conf", "c/d.conf"]
    assert document.includes[1].origin == Origin("x.conf", 3)
