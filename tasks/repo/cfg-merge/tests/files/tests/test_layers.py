import pytest

from strata import Origin, ParseError, load_config


def test_environment():
    env = {"APP_NAME": "shop", "APP_SERVER__PORT": "80", "HOME": "/root", "APP_": "x"}
    config = load_config(env=env)
    assert config.to_dict() == {"name": "shop", "server": {"port": 80}}


@pytest.mark.parametrize(
    "text, value",
    [
        pytest.param("8080", 8080, id="int"),
        pytest.param("true", True, id="bool"),
        pytest.param('"8080"', "8080", id="quoted"),
        pytest.param("two words", "two words", id="bare"),
        pytest.param('["a"]', ["a"], id="list"),
        pytest.param("", "", id="empty"),
    ],
)
def test_environment_values(text, value):
    assert load_config(env={"APP_X": text}).get("x") == value


def test_environment_bad_name():
    with pytest.raises(ParseError):
        load_config(env={"APP_A____B": "1"})


def test_overrides():
    config = load_config(overrides=["server.port = 90", 'name="a=b"'])
    assert config.to_dict() == {"server": {"port": 90}, "name": "a=b"}


def test_override_without_value():
    with pytest.raises(ParseError):
        load_config(overrides=["server.port"])


def test_precedence(tmp_path):
    first, second = tmp_path / "1.conf", tmp_path / "2.conf"
    first.write_text("b = 1\nc = 1\nd = 1\ne = 1\n")
    second.write_text("c = 2\nd = 2\ne = 2\n")
    config = load_config(
        [first, second],
        defaults={"a": 0, "b": 0, "c": 0, "d": 0, "e": 0},
        env={"APP_D": "3", "APP_E": "3"},
        overrides=["e=4"],
    )
    assert config.to_dict() == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}


def test_including_file_wins(tmp_path):
    (tmp_path / "common.conf").write_text("a = 1\nb = 1\nlist = [1]\n")
    main = tmp_path / "main.conf"
    main.write_text('include "common.conf"\nb = 2\nlist += [2]\n')
    assert load_config([main]).to_dict() == {"a": 1, "b": 2, "list": [1, 2]}


def test_override_appends():
    config = load_config(defaults={"a": ["x"]}, overrides=['a+=["y"]'])
    assert config.get("a") == ["x", "y"]


def test_override_without_quotes():
    config = load_config(overrides=["path= /srv/www ", "port=80"])
    assert config.to_dict() == {"path": "/srv/www", "port": 80}


def test_origins_of_the_environment():
    with pytest.raises(ParseError) as caught:
        load_config(env={"APP_A-": "1", "APP_.": "1"})
    assert caught.value.origin == Origin("env:APP_.")
