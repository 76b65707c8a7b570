import pytest

from fasti.errors import StoreError
from fasti.store import parse_calendar, show_calendar
from fasti.times import parse_moment

TEXT = """\
event standup
  title Daily standup
  start 2024-03-04 09:30
  lasts 15m
  repeat every week on mon, thu
  skip 2024-03-07 09:30
  skip 2024-03-14 09:30

event trip
  title Trip to Oslo
  start 2024-03-06 12:00
  lasts 2d12h
"""


def test_parse():
    calendar = parse_calendar("# the team\n" + TEXT)
    standup, trip = calendar.events
    assert standup.title == "Daily standup"
    assert standup.start == parse_moment("2024-03-04 09:30")
    assert standup.skipped == {
        parse_moment("2024-03-07 09:30"),
        parse_moment("2024-03-14 09:30"),
    }
    assert trip.rule is None


def test_lines_may_be_in_any_order():
    lines = TEXT.splitlines()[:7]
    calendar = parse_calendar("\n".join([lines[0], *reversed(lines[1:])]))
    assert calendar.events == parse_calendar("\n".join(lines)).events


@pytest.mark.parametrize(
    "text, line",
    [
        ("  title x\n", 1),
        ("evnt a\n", 1),
        ("event a\n  title A\n  lasts 1h\n", 1),
        ("event a\n  title A\n  title B\n", 3),
        ("event a\n  title A\n  begin 2024-03-04 09:30\n", 3),
        ("event a\n  title A\n\n  start 2024-03-04 9:30\n", 4),
        (TEXT + "\nevent trip\n  title T\n  start 2024-03-04 09:30\n  lasts 1h\n", 14),
        (TEXT.replace("03-14", "03-13"), 7),
        (TEXT.replace("03-14", "03-07"), 7),
        (TEXT.replace("mon", "tue"), 1),
    ],
    ids=[
        "no-event",
        "no-word",
        "missing",
        "twice",
        "unknown",
        "moment",
        "same-id",
        "no-skip",
        "two-skips",
        "no-start",
    ],
)
def test_errors_name_the_line(text, line):
    with pytest.raises(StoreError) as caught:
        parse_calendar(text)
    assert caught.value.line == line


def test_show():
    assert show_calendar(parse_calendar(TEXT)) == TEXT


def test_show_sorts():
    first, second = TEXT.split("\n\n")
    assert show_calendar(parse_calendar(second + "\n" + first)) == TEXT
