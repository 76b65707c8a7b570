import pytest

from strata import InterpolationError, load_config


@pytest.fixture
def values(tmp_path):
    def load(*texts):
        paths = []
        for number, text in enumerate(texts, 1):
            path = tmp_path / f"layer{number}.conf"
            path.write_text(text)
            paths.append(path)
        return load_config(paths).to_dict()

    return load


def test_reference_in_a_text(values):
    result = values('[a]\nhost = "web"\nurl = "http://${a.host}:${ a.port }/"\nport = 80\n')
    assert result["a"]["url"] == "http://web:80/"


def test_reference_to_a_reference(values):
    assert values('a = "${b}!"\nb = "${c}?"\nc = "x"\n')["a"] == "x?!"


def test_reference_in_a_list(values):
    assert values('root = "/srv"\npaths = ["${root}/a", 7, "b"]\n')["paths"] == ["/srv/a", 7, "b"]


def test_same_key_twice_is_no_circle(values):
    assert values('a = "${b}${c}"\nb = "${d}"\nc = "${d}"\nd = "x"\n')["a"] == "xx"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a = "${b}"\n', id="no-such-key"),
        pytest.param('a = "${b}"\nb.c = 1\n', id="section"),
        pytest.param('a = "${b"\nb = 1\n', id="not-closed"),
        pytest.param('a = "${b c}"\n', id="not-a-key"),
        pytest.param('a = "${b}"\nb = "${a}"\n', id="circle"),
        pytest.param('a = "x ${b}"\nb = [1]\n', id="list-in-text"),
    ],
)
def test_bad_reference(values, text):
    with pytest.raises(InterpolationError) as caught:
        values(text)
    assert caught.value.origin is not None


@pytest.mark.parametrize(
    "literal",
    [
        pytest.param("80", id="int"),
        pytest.param("0.5", id="float"),
        pytest.param("true", id="bool"),
        pytest.param('["a", 1]', id="list"),
        pytest.param('"text"', id="string"),
    ],
)
def test_lone_reference_keeps_the_type(values, literal):
    result = values(f'a = "${{b}}"\nb = {literal}\nc = ["${{b}}"]\n')
    assert result["a"] == result["b"]
    assert type(result["a"]) is type(result["b"])
    assert result["c"] == [result["b"]]


def test_booleans_in_a_text(values):
    assert values('a = "on=${b}"\nb = true\n')["a"] == "on=true"


def test_escaped_reference(values):
    assert values('a = "$${b} ${b} $$ $x"\nb = 1\n')["a"] == "${b} 1 $$ $x"


def test_escaped_text_is_not_read_again(values):
    result = values('a = "$${b}"\nb = 1\nc = "${a}"\nd = "<${c}>"\n')
    assert result["c"] == "${b}"
    assert result["d"] == "<${b}>"


def test_reference_to_a_lower_layer(values):
    assert values('root = "/srv"\n', 'log = "${root}/log"\n')["log"] == "/srv/log"


def test_appended_items_are_resolved(values):
    result = values('x = "1"\na = ["${x}"]\n', 'y = "2"\na += ["${x}${y}"]\n')
    assert result["a"] == ["1", "12"]


def test_append_to_a_reference(values):
    result = values('core = ["a"]\nall = "${core}"\nmore = ["c"]\n', 'all += ["b"]\n', 'all += "${more}"\n')
    assert result["all"] == ["a", "b", "c"]
    assert result["core"] == ["a"]


def test_reference_to_itself_is_the_value_below(values):
    result = values('path = "/bin"\n', 'path = "${path}:/usr/bin"\n', 'path = "/opt:${path}"\n')
    assert result["path"] == "/opt:/bin:/usr/bin"


def test_reference_to_itself_with_nothing_below(values):
    with pytest.raises(InterpolationError):
        values('path = "${path}:/usr/bin"\n')


def test_default(values):
    assert values('a = "${b:-none}"\nc = "<${d:-}>"\n') == {"a": "none", "c": "<>"}
    assert values('a = "${b:-none}"\nb = 1\n')["a"] == 1


def test_default_of_a_reference_to_itself(values):
    text = 'path = "${path:-/bin}:/opt"\n'
    assert values(text)["path"] == "/bin:/opt"
    assert values('path = "/sbin"\n', text)["path"] == "/sbin:/opt"
