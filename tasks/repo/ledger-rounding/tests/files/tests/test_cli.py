import pytest

from quire.cli import main

BOOKS = """\
2024-01-02 Opening
    assets:bank  1000.00 EUR
    equity:opening

2024-02-05 Rent
    expenses:rent  400.00 EUR
    assets:bank
"""


@pytest.fixture
def books(tmp_path):
    path = tmp_path / "books.txt"
    path.write_text(BOOKS)
    return str(path)


def test_check(books, capsys):
    assert main(["check", books]) == 0
    assert capsys.readouterr().out == "2 transactions\n"


def test_balance(books, capsys):
    assert main(["balance", books]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["bank", "600.00", "EUR"] in lines
    assert ["expenses", "400.00", "EUR"] in lines


def test_print_a_period(books, capsys):
    assert main(["print", books, "--start", "2024-02-01"]) == 0
    assert capsys.readouterr().out.startswith("2024-02-05 Rent\n")


def test_errors_go_to_stderr(tmp_path, capsys):
    path = tmp_path / "bad.txt"
    path.write_text("2024-01-01 X\n  assets:cash  1 EUR\n  income:x  1 EUR\n")
    assert main(["check", str(path)]) == 1
    assert "line 1" in capsys.readouterr().err


def test_missing_file(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.txt")]) == 1
    assert "quire:" in capsys.readouterr().err


def test_expand(tmp_path, capsys):
    path = tmp_path / "rules.txt"
    path.write_text(
        "monthly 2024-01-01 x3 Rent\n  assets:bank  100 JPY\n  expenses:rent  100%\n"
    )
    assert main(["expand", str(path), "--start", "2024-02-01"]) == 0
    assert capsys.readouterr().out.count("Rent") == 2


def test_split(capsys):
    assert main(["split", "90.00 EUR", "expenses:a=2", "expenses:b=1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["expenses:a", "60.00", "EUR"], ["expenses:b", "30.00", "EUR"]]


def test_split_with_a_bad_ratio(capsys):
    assert main(["split", "90.00 EUR", "expenses:a=two"]) == 1
    assert "two" in capsys.readouterr().err


def test_shares(books, capsys):
    assert main(["shares", books, "assets", "EUR"]) == 0
    assert capsys.readouterr().out.split() == ["assets:bank", "100.0%", "600.00", "EUR"]


def test_apportion(books, capsys):
    assert main(["apportion", books, "expenses", "EUR", "ann=3", "bob=1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["all", "ann", "bob"]
    assert lines[-1] == ["total", "400.00", "EUR", "300.00", "EUR", "100.00", "EUR"]
