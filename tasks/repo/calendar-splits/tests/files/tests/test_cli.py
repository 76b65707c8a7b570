import pytest

from fasti.cli import main

TEXT = """\
event standup
  title Standup
  start 2024-03-04 09:30
  lasts 15m
  repeat every day for 3 times

event talk
  title Talk
  start 2024-03-05 09:40
  lasts 1h
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "team.cal"
    path.write_text(TEXT)
    return path


def run(capsys, file, *arguments):
    assert main([str(file), *arguments]) == 0
    return capsys.readouterr().out


def test_agenda(capsys, file):
    assert run(capsys, file, "agenda", "2024-03-05", "2024-03-06") == (
        "Tue 2024-03-05\n  09:30-09:45 Standup\n  09:40-10:40 Talk\n"
    )


def test_next(capsys, file):
    assert run(capsys, file, "next", "2024-03-05 09:30") == "2024-03-05 09:40-10:40 Talk\n"
    assert run(capsys, file, "next", "2024-03-06 09:30") == "nothing\n"


@pytest.mark.parametrize(
    "arguments",
    [["agenda", "2024-03-05", "today"], ["next", "2024-03-05"]],
    ids=["day", "moment"],
)
def test_errors(capsys, file, arguments):
    assert main([str(file), *arguments]) == 1
    assert capsys.readouterr().err.startswith("fasti: ")


def test_bad_files(capsys, file, tmp_path):
    assert main([str(tmp_path / "none.cal"), "next", "2024-03-05 09:30"]) == 1
    file.write_text("event\n")
    assert main([str(file), "next", "2024-03-05 09:30"]) == 1


def test_busy(capsys, file):
    assert run(capsys, file, "busy", "2024-03-05", "2024-03-07") == (
        "2024-03-05 09:30 - 2024-03-05 10:40\n2024-03-06 09:30 - 2024-03-06 09:45\n"
    )


def test_conflicts(capsys, file):
    assert run(capsys, file, "conflicts", "2024-03-04", "2024-03-07") == (
        "2024-03-05 09:30-09:45 Standup | 2024-03-05 09:40-10:40 Talk\n"
    )


def test_skip(capsys, file):
    assert run(capsys, file, "skip", "standup", "2024-03-05 09:30") == ""
    assert file.read_text() == TEXT.replace("3 times\n", "3 times\n  skip 2024-03-05 09:30\n")
    assert main([str(file), "skip", "standup", "2024-03-05 09:30"]) == 1
