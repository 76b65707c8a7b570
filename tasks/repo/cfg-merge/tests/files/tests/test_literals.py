import pytest

from strata.literals import LiteralError, format_literal, parse_literal


@pytest.mark.parametrize(
    "text, value",
    [
        pytest.param('"plain"', "plain", id="string"),
        pytest.param(r'"a \"b\" \\ \n"', 'a "b" \\ \n', id="escapes"),
        pytest.param("8080", 8080, id="int"),
        pytest.param("-3", -3, id="negative"),
        pytest.param(" true ", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("1.5", 1.5, id="float"),
        pytest.param("2e3", 2000.0, id="exponent"),
        pytest.param("[]", [], id="empty-list"),
        pytest.param('["a", 1, [true,],]', ["a", 1, [True]], id="list"),
    ],
)
def test_parse_and_format(text, value):
    parsed = parse_literal(text)
    assert parsed == value
    assert type(parsed) is type(value)
    assert parse_literal(format_literal(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("bare", id="bare-word"),
        pytest.param('"open', id="open-string"),
        pytest.param(r'"\q"', id="unknown-escape"),
        pytest.param("1 2", id="two-values"),
        pytest.param("[1, 2", id="open-list"),
        pytest.param("[1 2]", id="no-comma"),
    ],
)
def test_not_a_literal(text):
    with pytest.raises(LiteralError):
        parse_literal(text)


def test_error_has_a_column():
    with pytest.raises(LiteralError) as caught:
        parse_literal("12 x")
    assert caught.value.column == 3
