from fasti.agenda import agenda
from fasti.store import parse_calendar
from fasti.times import parse_moment

CALENDAR = parse_calendar("""\
event standup
  title Standup
  start 2024-03-04 09:30
  lasts 15m
  repeat every day
  skip 2024-03-05 09:30
event trip
  title Trip
  start 2024-03-04 12:00
  lasts 1d12h
""")


def test_agenda():
    found = agenda(CALENDAR, parse_moment("2024-03-04 00:00"), parse_moment("2024-03-07 00:00"))
    assert (
        found
        == """\
Mon 2024-03-04
  09:30-09:45 Standup
  12:00-2024-03-06 00:00 Trip
Wed 2024-03-06
  09:30-09:45 Standup
"""
    )


def test_nothing():
    assert (
        agenda(CALENDAR, parse_moment("2024-03-01 00:00"), parse_moment("2024-03-02 00:00")) == ""
    )
