import pytest

from strata import (
    ConfigError,
    MissingKeyError,
    Origin,
    ValueTypeError,
    load_config,
)

VALUES = {
    "name": "shop",
    "server": {"port": 8080, "ratio": 0.5, "debug": False, "tls": {"ciphers": ["A", "B"]}},
}


@pytest.fixture
def config():
    return load_config(defaults=VALUES)


def test_get(config):
    assert config.get("name") == "shop"
    assert config.get("server.tls.ciphers") == ["A", "B"]


def test_get_missing(config):
    with pytest.raises(MissingKeyError) as caught:
        config.get("server.host")
    assert caught.value.key == "server.host"
    assert config.get("server.host", "localhost") == "localhost"


def test_get_of_a_section(config):
    with pytest.raises(ConfigError):
        config.get("server")


def test_has_and_keys(config):
    assert config.has("server.tls") and config.has("name") and not config.has("nam")
    assert config.keys() == [
        "name", "server.debug", "server.port", "server.ratio", "server.tls.ciphers",
    ]


def test_to_dict(config):
    assert config.to_dict() == VALUES


def test_typed_access(config):
    assert config.get_str("name") == "shop"
    assert config.get_int("server.port") == 8080
    assert config.get_float("server.ratio") == 0.5
    assert config.get_float("server.port") == 8080
    assert config.get_bool("server.debug") is False
    assert config.get_list("server.tls.ciphers") == ["A", "B"]
    assert config.get_int("server.workers", 4) == 4


@pytest.mark.parametrize(
    "method, key",
    [
        pytest.param("get_int", "name", id="string-as-int"),
        pytest.param("get_int", "server.debug", id="bool-as-int"),
        pytest.param("get_int", "server.ratio", id="float-as-int"),
        pytest.param("get_str", "server.port", id="int-as-string"),
        pytest.param("get_bool", "server.port", id="int-as-bool"),
        pytest.param("get_list", "name", id="string-as-list"),
    ],
)
def test_wrong_type(config, method, key):
    with pytest.raises(ValueTypeError):
        getattr(config, method)(key)


def test_section(config):
    server = config.section("server")
    assert server.get("port") == 8080
    assert server.section("tls").get_list("ciphers") == ["A", "B"]
    assert server.has("tls.ciphers") and not server.has("name")
    assert server.to_dict() == VALUES["server"]


def test_section_of_a_value(config):
    with pytest.raises(ConfigError):
        config.section("name")
    with pytest.raises(MissingKeyError):
        config.section("client")


def test_explain(config):
    explanation = config.explain("server.port")
    assert explanation.key == "server.port"
    assert explanation.value == 8080
    assert explanation.origin == Origin("defaults")
    assert str(explanation) == "server.port = 8080  [defaults]"


def test_explain_names_the_winning_layer():
    config = load_config(defaults=VALUES, overrides=['name="store"'])
    assert config.explain("name").value == "store"
    assert config.explain("name").origin == Origin("override", 1)


def test_explain_missing(config):
    with pytest.raises(MissingKeyError):
        config.explain("server.host")


def test_wrong_type_names_the_origin():
    config = load_config(defaults=VALUES, env={"APP_SERVER__PORT": "http"})
    with pytest.raises(ValueTypeError) as caught:
        config.get_int("server.port")
    assert caught.value.origin == Origin("env:APP_SERVER__PORT")
