from strata import ConfigError, Origin


def test_origin_with_line():
    assert str(Origin("site.conf", 3)) == "site.conf:3"


def test_origin_without_line():
    assert str(Origin("env:APP_HOST")) == "env:APP_HOST"


def test_error_shows_its_origin():
    assert str(ConfigError("no value", Origin("site.conf", 3))) == "site.conf:3: no value"
    assert str(ConfigError("no value")) == "no value"
