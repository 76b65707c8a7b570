import pytest

from quern.cli import main


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "people.csv").write_text("id,name,here\n1,Ada,true\n2,,false\n3,Cleo,\n")
    return ["-t", f"people={tmp_path / 'people.csv'}"]


def test_query(tables, capsys):
    assert main([*tables, "SELECT name, here FROM people WHERE id > 1"]) == 0
    assert capsys.readouterr().out == "name\there\n-\tfalse\nCleo\t-\n"


def test_explain(tables, capsys):
    query = "SELECT id FROM people WHERE 1 = 1"
    assert main([*tables, "-e", query]) == 0
    assert capsys.readouterr().out == "Project people.id as id\n  Scan people\n"
    assert main([*tables, "-e", "--as-written", query]) == 0
    assert "Filter 1 = 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["SELECT"], ["SELECT a FROM t"], ["-t", "t=/no/such/file", "SELECT a FROM t"]],
    ids=["parse", "plan", "file"],
)
def test_errors(arguments, capsys):
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("quern: ")
