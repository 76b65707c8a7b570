import pytest

from strata.cli import main


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.conf").write_text('name = "shop"\n[server]\nport = 8080\ntags = ["a"]\n')
    (tmp_path / "site.conf").write_text("server.port = 9000\n")


def test_get(site, capsys):
    assert main(["-f", "base.conf", "get", "name"]) == 0
    assert main(["-f", "base.conf", "get", "server.tags"]) == 0
    assert capsys.readouterr().out == 'shop\n["a"]\n'


def test_dump(site, capsys):
    assert main(["-f", "base.conf", "-f", "site.conf", "dump"]) == 0
    assert capsys.readouterr().out == 'name = "shop"\nserver.port = 9000\nserver.tags = ["a"]\n'


def test_missing_key(site, capsys):
    assert main(["-f", "base.conf", "get", "nothing"]) == 1
    assert capsys.readouterr().err == "error: no such key: nothing\n"


def test_missing_file(site, capsys):
    assert main(["-f", "none.conf", "dump"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_environment(site, capsys, monkeypatch):
    monkeypatch.setenv("SHOP_SERVER__PORT", "1234")
    assert main(["-f", "base.conf", "--env-prefix", "SHOP_", "get", "server.port"]) == 0
    assert main(["-f", "base.conf", "get", "server.port"]) == 0
    assert capsys.readouterr().out == "1234\n8080\n"


def test_explain(site, capsys):
    assert main(["-f", "base.conf", "-f", "site.conf", "explain", "server.port"]) == 0
    assert capsys.readouterr().out == "server.port = 9000  [site.conf:1]\n"


def test_set(site, capsys):
    assert main(["-f", "base.conf", "-s", "server.port=1", "explain", "server.port"]) == 0
    assert capsys.readouterr().out == "server.port = 1  [override:1]\n"
