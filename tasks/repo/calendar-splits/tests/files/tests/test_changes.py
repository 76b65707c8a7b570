"""Changes of single occurrences: where they happen, and everywhere that it shows."""

from datetime import datetime, timedelta

import pytest

from fasti import event as events
from fasti.agenda import agenda
from fasti.calendar import Calendar
from fasti.cli import main
from fasti.conflicts import conflicts
from fasti.errors import EventError, StoreError
from fasti.event import Event
from fasti.freebusy import busy, free
from fasti.ruletext import parse_rule
from fasti.store import parse_calendar, show_calendar
from fasti.times import parse_moment

HOUR = timedelta(hours=1)


def at(text):
    """A moment in May 2025, like ``05 09:00``."""
    return parse_moment(f"2025-05-{text}")


def series(rule="every day for 4 times", id="run", start="05 09:00", hours=1, **more):
    return Event(id, id.title(), at(start), hours * HOUR, parse_rule(rule), **more)


def between(calendar, begin, end):
    return [
        (f"{o.start:%d %H:%M}", f"{o.end:%d %H:%M}", o.title) for o in calendar.between(begin, end)
    ]


def may(calendar):
    """The starts in May."""
    found = calendar.between(datetime(2025, 5, 1), datetime(2025, 6, 1))
    return [f"{o.start:%d %H:%M}" for o in found]


def test_originals():
    calendar = Calendar([series(), Event("lone", "Lone", at("05 09:30"), HOUR)])
    calendar.change("run", at("06 09:00"), start=at("07 12:00"))
    found = calendar.between(at("05 00:00"), at("09 00:00"))
    assert [(o.start, o.original) for o in found] == [
        (at("05 09:00"), at("05 09:00")),
        (at("05 09:30"), at("05 09:30")),
        (at("07 09:00"), at("07 09:00")),
        (at("07 12:00"), at("06 09:00")),
        (at("08 09:00"), at("08 09:00")),
    ]


def test_what_is_given_is_changed_on_top():
    calendar = Calendar([series()])
    calendar.change("run", at("06 09:00"), title="Race")
    calendar.change("run", at("06 09:00"), duration=timedelta(0))
    calendar.change("run", at("06 09:00"), start=at("06 07:00"))
    assert between(calendar, at("06 00:00"), at("07 00:00")) == [("06 07:00", "06 07:00", "Race")]
    calendar.change("run", at("06 09:00"), start=at("06 09:00"), duration=HOUR)
    assert between(calendar, at("06 00:00"), at("07 00:00")) == [("06 09:00", "06 10:00", "Race")]
    assert calendar.get("run").changes == {at("06 09:00"): events.Change(title="Race")}
    calendar.change("run", at("06 09:00"), title="Run")
    assert calendar.get("run") == series()


def test_only_what_is_different_is_kept():
    change = events.Change
    given = {
        at("05 09:00"): change(start=at("05 09:00"), title="Race"),
        at("06 09:00"): change(start=at("05 09:00"), duration=HOUR),
        at("07 09:00"): change(at("07 09:00"), HOUR, "Run"),
        at("08 09:00"): change(),
    }
    assert series(changes=given).changes == {
        at("05 09:00"): change(title="Race"),
        at("06 09:00"): change(start=at("05 09:00")),
    }
    assert series(changes={at("07 09:00"): change(title="Run")}) == series()


def test_what_cannot_be_changed():
    calendar = Calendar([series(), Event("lone", "Lone", at("05 09:30"), HOUR)])
    calendar.skip("run", at("07 09:00"))
    calendar.change("run", at("06 09:00"), start=at("12 09:00"))
    before = calendar.events
    for id, start, changes in [
        ("run", "06 10:00", {"title": "x"}),
        ("run", "09 09:00", {"title": "x"}),
        ("run", "07 09:00", {"title": "x"}),
        ("run", "05 09:00", {"duration": -HOUR}),
        ("run", "12 09:00", {"start": at("12 10:00")}),
        ("lone", "05 09:30", {"title": "x"}),
        ("none", "05 09:00", {"title": "x"}),
    ]:
        with pytest.raises(EventError):
            calendar.change(id, at(start), **changes)
        assert calendar.events == before, (id, start)

    skipped = frozenset([at("07 09:00")])
    for start, change in [
        ("06 10:00", events.Change(title="x")),
        ("09 09:00", events.Change(title="x")),
        ("07 09:00", events.Change(title="x")),
        ("05 09:00", events.Change(duration=-HOUR)),
    ]:
        with pytest.raises(EventError):
            series(skipped=skipped, changes={at(start): change})
    with pytest.raises(EventError):
        change = {at("05 09:00"): events.Change(title="x")}
        Event("lone", "Lone", at("05 09:00"), HOUR, changes=change)


def test_skip_and_restore():
    calendar = Calendar([series()])
    calendar.change("run", at("06 09:00"), start=at("20 09:00"), title="Race")
    calendar.skip("run", at("06 09:00"))
    assert may(calendar) == ["05 09:00", "07 09:00", "08 09:00"]
    assert calendar.over_at("run") == at("08 10:00")
    calendar.restore("run", at("06 09:00"))
    assert calendar.get("run") == series()
    calendar.change("run", at("08 09:00"), start=at("20 09:00"), title="Race")
    assert calendar.over_at("run") == at("20 10:00")
    with pytest.raises(EventError):
        calendar.skip("run", at("20 09:00"))
    calendar.restore("run", at("08 09:00"))
    assert calendar.get("run") == series()
    assert calendar.over_at("run") == at("08 10:00")
    for start in ("08 09:00", "20 09:00"):
        with pytest.raises(EventError):
            calendar.restore("run", at(start))


def test_before_the_first_and_after_the_last():
    for rule in ("every day for 4 times", "every day until 2025-05-08"):
        calendar = Calendar([series(rule)])
        assert calendar.over_at("run") == at("08 10:00")
        calendar.change("run", at("07 09:00"), start=at("02 09:00"))
        calendar.change("run", at("05 09:00"), start=at("11 09:00"))
        assert may(calendar) == ["02 09:00", "06 09:00", "08 09:00", "11 09:00"]
        found = between(calendar, at("01 00:00"), at("04 00:00"))
        assert found == [("02 09:00", "02 10:00", "Run")]
        found = between(calendar, at("11 09:30"), at("12 00:00"))
        assert found == [("11 09:00", "11 10:00", "Run")]
        assert calendar.over_at("run") == at("11 10:00")
        calendar.change("run", at("06 09:00"), duration=200 * HOUR)
        assert calendar.over_at("run") == at("14 17:00")
        found = between(calendar, at("14 00:00"), at("15 00:00"))
        assert found == [("06 09:00", "14 17:00", "Run")]


def test_endless_series():
    calendar = Calendar([series("every week on mon")])
    calendar.change("run", at("12 09:00"), start=at("03 20:00"))
    calendar.change("run", parse_moment("2026-01-05 09:00"), start=at("06 06:00"))
    calendar.change("run", at("19 09:00"), start=parse_moment("2027-01-01 09:00"))
    assert may(calendar) == ["03 20:00", "05 09:00", "06 06:00", "26 09:00"]
    assert calendar.over_at("run") is None
    found = calendar.between(parse_moment("2027-01-01 00:00"), parse_moment("2027-01-05 00:00"))
    assert [o.original.day for o in found] == [19, 4]


def test_next_after():
    calendar = Calendar([series("every week on mon"), series(id="row", start="05 09:00", hours=2)])
    calendar.change("run", at("12 09:00"), start=at("27 09:00"))
    calendar.change("run", at("26 09:00"), start=at("10 09:00"))
    calendar.change("row", at("07 09:00"), start=at("01 09:00"))
    steps, moment = [], at("01 00:00")
    while moment < at("30 00:00"):
        found = calendar.next_after(moment)
        moment = found.start
        steps.append(f"{moment:%d %H} {found.title}")
    assert steps == [
        "01 09 Row", "05 09 Run", "06 09 Row", "08 09 Row", "10 09 Run", "19 09 Run", "27 09 Run",
        "02 09 Run",
    ]  # fmt: skip
    calendar.remove("run")
    assert calendar.next_after(at("08 09:00")) is None


def test_order_of_the_same_time():
    calendar = Calendar([series()])
    for day in ("08", "06"):
        calendar.change("run", at(f"{day} 09:00"), start=at("07 09:00"))
    found = calendar.between(at("07 00:00"), at("08 00:00"))
    assert [o.original.day for o in found] == [6, 7, 8]
    assert calendar.next_after(at("06 00:00")).original == at("06 09:00")


def test_busy_and_conflicts():
    calendar = Calendar([series(), series("every day", "row", "05 09:30")])
    calendar.change("run", at("06 09:00"), start=at("07 14:00"), duration=3 * HOUR)
    calendar.change("row", at("10 09:30"), start=at("07 16:00"))
    begin, end = at("06 00:00"), at("08 00:00")
    assert [(i.begin, i.end) for i in busy(calendar, begin, end)] == [
        (at("06 09:30"), at("06 10:30")),
        (at("07 09:00"), at("07 10:30")),
        (at("07 14:00"), at("07 17:00")),
    ]
    assert [i.begin for i in free(calendar, at("06 00:00"), at("07 00:00"), 10 * HOUR)] == [
        at("06 10:30")
    ]
    pairs = conflicts(calendar, begin, end)
    assert [[o.original for o in pair] for pair in pairs] == [
        [at("07 09:00"), at("07 09:30")],
        [at("06 09:00"), at("10 09:30")],
    ]


def test_agenda():
    calendar = Calendar([series()])
    calendar.change("run", at("08 09:00"), start=at("06 22:30"), duration=2 * HOUR, title="Hike")
    calendar.change("run", at("05 09:00"), title="Race", duration=3 * HOUR)
    assert (
        agenda(calendar, at("05 00:00"), at("09 00:00"))
        == """\
Mon 2025-05-05
  09:00-12:00 Race
Tue 2025-05-06
  09:00-10:00 Run
  22:30-2025-05-07 00:30 Hike (moved from 2025-05-08 09:00)
Wed 2025-05-07
  09:00-10:00 Run
"""
    )


TEXT = """\
event gym
  title Gym
  start 2025-05-06 18:00
  lasts 1h
  repeat every 2 weeks on tue, fri
  skip 2025-05-20 18:00
  change 2025-05-09 18:00
    start 2025-05-08 19:15
  change 2025-06-03 18:00
    start 2025-06-04 18:00
    lasts 0m
    title Gym, outdoors

event yoga
  title Yoga
  start 2025-05-06 20:00
  lasts 1h30m
"""


def test_text():
    calendar = parse_calendar(TEXT)
    assert show_calendar(calendar) == TEXT
    gym = calendar.get("gym")
    assert gym.changes == {
        at("09 18:00"): events.Change(start=at("08 19:15")),
        parse_moment("2025-06-03 18:00"): events.Change(
            parse_moment("2025-06-04 18:00"), timedelta(0), "Gym, outdoors"
        ),
    }
    assert may(calendar) == ["06 18:00", "06 20:00", "08 19:15", "23 18:00"]


def test_lines_in_another_order():
    text = """\
event yoga
 lasts 1h30m
 title Yoga
 start 2025-05-06 20:00
event gym
    change 2025-06-03 18:00
      title Gym, outdoors

     # in the park
          start 2025-06-04 18:00
      lasts 0m
    lasts 1h
    change 2025-05-09 18:00
      title Gym
      start 2025-05-08 19:15
  title Gym
  repeat every 2 weeks on tue, fri
  change 2025-05-23 18:00
     lasts 60m
  start 2025-05-06 18:00
  skip 2025-05-20 18:00
"""
    assert show_calendar(parse_calendar(text)) == TEXT


CHANGE = "  change 2025-05-09 18:00\n    start 2025-05-08 19:15\n"


def test_errors_name_the_line():
    for old, new, line in [
        ("change 2025-05-09 18:00", "change 2025-05-10 18:00", 7),
        ("change 2025-05-09 18:00", "change 2025-05-09", 7),
        ("    start 2025-05-08 19:15\n", "", 7),
        ("    start 2025-05-08 19:15\n", "  # nothing\n", 7),
        (CHANGE, CHANGE + CHANGE, 9),
        (CHANGE, CHANGE + "  skip 2025-05-09 18:00\n", 7),
        (CHANGE, CHANGE + "    start 2025-05-08 19:15\n", 9),
        (CHANGE, CHANGE + "    repeat every day\n", 9),
        ("    lasts 0m", "    lasts long", 11),
        (CHANGE, CHANGE + "  lasts 1h\n", 9),
        ("  lasts 1h30m\n", "  lasts 1h30m\n  change 2025-05-06 20:00\n    title Yogi\n", 18),
    ]:
        assert old in TEXT
        with pytest.raises(StoreError) as caught:
            parse_calendar(TEXT.replace(old, new, 1))
        assert caught.value.line == line, new


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my.cal"
    path.write_text(TEXT)
    return path


def run(capsys, file, *arguments):
    assert main([str(file), *arguments]) == 0
    return capsys.readouterr().out


def test_commands(capsys, file):
    assert run(capsys, file, "next", "2025-05-07 00:00") == (
        "2025-05-08 19:15-20:15 Gym (moved from 2025-05-09 18:00)\n"
    )
    moved = ["--start", "2025-05-06 19:30", "--lasts", "45m"]
    assert run(capsys, file, "change", "gym", "2025-05-09 18:00", *moved) == ""
    assert file.read_text() == TEXT.replace("05-08 19:15", "05-06 19:30\n    lasts 45m")
    assert run(capsys, file, "conflicts", "2025-05-06", "2025-05-07") == (
        "2025-05-06 19:30-20:15 Gym (moved from 2025-05-09 18:00) | 2025-05-06 20:00-21:30 Yoga\n"
    )
    assert run(capsys, file, "restore", "gym", "2025-05-09 18:00") == ""
    assert run(capsys, file, "restore", "gym", "2025-05-20 18:00") == ""
    assert file.read_text() == TEXT.replace(CHANGE, "").replace("  skip 2025-05-20 18:00\n", "")
    assert run(capsys, file, "change", "gym", "2025-05-20 18:00", "--title", "Spa") == ""
    assert "  change 2025-05-20 18:00\n    title Spa\n" in file.read_text()


def test_commands_that_fail(capsys, file):
    for arguments in (
        ["change", "gym", "2025-05-09 18:00"],
        ["change", "gym", "2025-05-08 19:15", "--title", "Spa"],
        ["change", "gym", "2025-05-09 18:00", "--lasts", "5mx"],
        ["restore", "gym", "2025-05-06 18:00"],
        ["split", "gym", "2025-05-06 18:00", "rest"],
        ["split", "gym", "2025-05-09 18:00", "rest", "--at", "25:00"],
        ["split", "gym", "2025-05-09 18:00", "yoga"],
    ):
        assert main([str(file), *arguments]) == 1, arguments
        assert capsys.readouterr().err.startswith("fasti: ")
        assert file.read_text() == TEXT
