"""Splits of series: what is before the cut, what is after it, and what stays the same."""

from datetime import date, datetime, time, timedelta
from itertools import islice

import pytest

from fasti import event as events
from fasti.calendar import Calendar
from fasti.cli import main
from fasti.errors import EventError
from fasti.event import Event
from fasti.ruletext import parse_rule, show_rule
from fasti.store import parse_calendar, show_calendar
from fasti.times import parse_moment

HOUR = timedelta(hours=1)
END = datetime(2027, 1, 1)


def at(text):
    """A moment in 2025, like ``05-05 09:00``."""
    return parse_moment(f"2025-{text}")


def happening(calendar, end=END):
    """All that happens, whatever the ids are."""
    found = calendar.between(datetime(2025, 1, 1), end)
    return [(o.start, o.end, o.title, o.original) for o in found]


def rules(calendar):
    return [show_rule(event.rule) for event in calendar.events]


def test_count():
    event = Event("a", "A", at("05-05 09:00"), HOUR, parse_rule("every 2 days for 6 times"))
    calendar = Calendar([event])
    calendar.skip("a", at("05-07 09:00"))
    calendar.skip("a", at("05-13 09:00"))
    before = happening(calendar)
    new = calendar.split("a", at("05-11 09:00"), "b")
    assert new == calendar.get("b")
    assert (new.title, new.start, new.duration) == ("A", at("05-11 09:00"), HOUR)
    assert rules(calendar) == ["every 2 days for 3 times", "every 2 days for 3 times"]
    assert calendar.get("a").skipped == {at("05-07 09:00")}
    assert new.skipped == {at("05-13 09:00")}
    assert happening(calendar) == before
    calendar.split("b", at("05-15 09:00"), "c")
    assert [event.rule.count for event in calendar.events] == [3, 2, 1]
    assert happening(calendar) == before


def test_until_and_endless():
    rule = parse_rule("every month on 15, -1")
    calendar = Calendar([Event("a", "A", at("01-31 22:00"), 4 * HOUR, rule)])
    before = happening(calendar)
    calendar.skip("a", at("03-15 22:00"))
    calendar.split("a", at("03-31 22:00"), "b")
    assert rules(calendar) == ["every month on 15, -1 until 2025-03-15", "every month on 15, -1"]
    assert calendar.over_at("a") == at("03-01 02:00")
    assert calendar.over_at("b") is None
    calendar.restore("a", at("03-15 22:00"))
    assert happening(calendar) == before
    calendar.split("a", at("02-28 22:00"), "c")
    assert calendar.get("a").rule.until == date(2025, 2, 15)
    assert calendar.get("c").rule.until == date(2025, 3, 15)
    assert happening(calendar) == before


RULES = [
    ("every 3 days", "05-05 09:00"),
    ("every 2 weeks on mon, wed, sun for 20 times", "05-07 09:00"),
    ("every 2 months on 1, -1, 30", "05-30 09:00"),
    ("every month until 2026-12-31", "01-31 09:00"),
]


def test_nothing_else_happens_wherever_it_is_cut():
    for rule, start in RULES:
        event = Event("a", "A", at(start), HOUR, parse_rule(rule))
        starts = list(islice(event.starts(), 9))
        base = Calendar([event])
        base.skip("a", starts[2])
        base.change("a", starts[1], start=starts[5] + HOUR, title="B")
        base.change("a", starts[6], start=starts[0] - 50 * HOUR, duration=30 * HOUR)
        base.change("a", starts[4], title="C")
        before, event = happening(base), base.get("a")
        for number, cut in enumerate(starts[1:-1], 1):
            calendar = Calendar([event])
            calendar.over_at("a")
            calendar.split("a", cut, "b")
            assert happening(calendar) == before, (rule, cut)
            counts = [e.rule.count for e in calendar.events]
            assert counts == ([number, 20 - number] if event.rule.count else [None, None])
            calendar.remove("b")
            assert list(calendar.get("a").starts()) == starts[:number]


def test_another_time_of_day():
    rule = parse_rule("every week on mon, thu until 2025-05-29")
    calendar = Calendar([Event("a", "A", at("05-05 09:00"), HOUR, rule)])
    calendar.skip("a", at("05-19 09:00"))
    calendar.change("a", at("05-15 09:00"), start=at("05-16 08:00"))
    calendar.change("a", at("05-22 09:00"), title="Talk")
    calendar.change("a", at("05-29 09:00"), start=at("05-09 12:00"))
    new = calendar.split("a", at("05-15 09:00"), "b", at=time(17, 45))
    assert new.start == at("05-15 17:45")
    assert new.skipped == {at("05-19 17:45")}
    assert calendar.get("a").rule.until == date(2025, 5, 12)
    assert happening(calendar) == [
        (at("05-05 09:00"), at("05-05 10:00"), "A", at("05-05 09:00")),
        (at("05-08 09:00"), at("05-08 10:00"), "A", at("05-08 09:00")),
        (at("05-09 12:00"), at("05-09 13:00"), "A", at("05-29 17:45")),
        (at("05-12 09:00"), at("05-12 10:00"), "A", at("05-12 09:00")),
        (at("05-16 08:00"), at("05-16 09:00"), "A", at("05-15 17:45")),
        (at("05-22 17:45"), at("05-22 18:45"), "Talk", at("05-22 17:45")),
        (at("05-26 17:45"), at("05-26 18:45"), "A", at("05-26 17:45")),
    ]


def test_another_duration_and_title():
    calendar = Calendar([Event("a", "A", at("05-05 09:00"), HOUR, parse_rule("every day"))])
    calendar.change("a", at("05-06 09:00"), title="B", duration=2 * HOUR)
    calendar.change("a", at("05-08 09:00"), title="B")
    calendar.change("a", at("05-09 09:00"), title="C", duration=2 * HOUR)
    new = calendar.split("a", at("05-07 09:00"), "b", duration=timedelta(0), title="B")
    assert new.changes == {at("05-09 09:00"): events.Change(None, 2 * HOUR, "C")}
    found = [
        (o.title, (o.end - o.start) // HOUR)
        for o in calendar.between(at("05-05 00:00"), at("05-10 00:00"))
    ]
    assert found == [("A", 1), ("B", 2), ("B", 0), ("B", 0), ("C", 2)]


def test_changes_that_the_new_series_makes_needless():
    calendar = Calendar([Event("a", "A", at("05-05 09:00"), HOUR, parse_rule("every day"))])
    calendar.change("a", at("05-06 09:00"), start=at("05-06 11:00"))
    calendar.change("a", at("05-08 09:00"), start=at("05-08 11:00"))
    calendar.change("a", at("05-09 09:00"), start=at("05-09 11:00"), title="B")
    calendar.change("a", at("05-10 09:00"), start=at("05-11 11:00"))
    new = calendar.split("a", at("05-07 09:00"), "b", at=time(11))
    assert new.changes == {
        at("05-09 11:00"): events.Change(title="B"),
        at("05-10 11:00"): events.Change(start=at("05-11 11:00")),
    }
    assert calendar.get("a").changes == {at("05-06 09:00"): events.Change(start=at("05-06 11:00"))}


def test_what_cannot_be_split():
    rule = parse_rule("every day for 4 times")
    lone = Event("lone", "Lone", at("05-05 09:30"), HOUR)
    calendar = Calendar([Event("a", "A", at("05-05 09:00"), HOUR, rule), lone])
    calendar.change("a", at("05-06 09:00"), start=at("05-11 09:00"))
    before = calendar.events
    for id, original, new_id in [
        ("none", "05-07 09:00", "new"),
        ("lone", "05-05 09:30", "new"),
        ("a", "05-05 09:00", "new"),
        ("a", "05-07 10:00", "new"),
        ("a", "05-11 09:00", "new"),
        ("a", "05-07 09:00", "lone"),
        ("a", "05-07 09:00", "a"),
        ("a", "05-07 09:00", "to be"),
    ]:
        with pytest.raises(EventError):
            calendar.split(id, at(original), new_id)
        assert calendar.events == before, (id, original, new_id)
    assert calendar.over_at("a") == at("05-11 10:00")


def test_at_skipped_and_changed_occurrences():
    rule = parse_rule("every day for 5 times")
    calendar = Calendar([Event("a", "A", at("05-05 09:00"), HOUR, rule)])
    calendar.change("a", at("05-07 09:00"), start=at("05-01 09:00"))
    calendar.skip("a", at("05-08 09:00"))
    before = happening(calendar)
    calendar.split("a", at("05-08 09:00"), "c")
    calendar.split("a", at("05-07 09:00"), "b")
    assert [event.rule.count for event in calendar.events] == [2, 1, 2]
    assert happening(calendar) == before
    assert calendar.over_at("b") == at("05-01 10:00")


TEXT = """\
event a
  title A
  start 2025-05-05 09:00
  lasts 1h
  repeat every day
  skip 2025-05-08 09:00
  change 2025-05-09 09:00
    start 2025-05-09 13:00
"""


def test_command(tmp_path, capsys):
    file = tmp_path / "my.cal"
    file.write_text(TEXT)
    options = ["--at", "08:30", "--lasts", "0m", "--title", "Early A"]
    assert main([str(file), "split", "a", "2025-05-07 09:00", "b", *options]) == 0
    assert capsys.readouterr().out == ""
    assert (
        file.read_text()
        == """\
event a
  title A
  start 2025-05-05 09:00
  lasts 1h
  repeat every day until 2025-05-06

event b
  title Early A
  start 2025-05-07 08:30
  lasts 0m
  repeat every day
  skip 2025-05-08 08:30
  change 2025-05-09 08:30
    start 2025-05-09 13:00
"""
    )
    assert show_calendar(parse_calendar(file.read_text())) == file.read_text()
