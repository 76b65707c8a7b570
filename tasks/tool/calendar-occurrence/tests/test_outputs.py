"""Looks at the calendar as it was left, at the calls that were made, and at the last line of the message.

The right time is the only one: on Thursday at 13:00 the half hour before is not free (Bram), from 13:30 on a tentative call
of Luiza's is in the way and later Marta has left; on Friday at 13:00 no room of the kind has the half hour before as well.
Luiza is in Ghent on both days, so Ghent needs five seats and Recife two.
"""
import json
import os
import re

import pytest

TOOLS = os.environ.get("TOOLS_ROOT", "/tools")
VERIFIER = os.environ.get("VERIFIER_ROOT", "/verifier")
HERE = os.path.dirname(os.path.abspath(__file__))

INES = "ines.albuquerque"
SERIES, DAY = "ev-210", "2026-03-11"
HOLDS = {"ev-226", "ev-234"}
START, END = "2026-03-13T12:30Z", "2026-03-13T14:00Z"
PREP = "2026-03-13T12:00Z"


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


@pytest.fixture(scope="module")
def before():
    return {e["id"]: e for e in load(HERE, "initial", "events.json")}


@pytest.fixture(scope="module")
def after():
    events = load(TOOLS, "state", "events.json")
    assert len({e["id"] for e in events}) == len(events)
    return {e["id"]: e for e in events}


@pytest.fixture(scope="module")
def record():
    with open(os.path.join(VERIFIER, "calls.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def made(before, after):
    """The events that were added and not cancelled again."""
    return [e for k, e in after.items() if k not in before and e["status"] != "cancelled"]


def moved(after):
    """What is different about this week's occurrence; nothing, as long as it was not moved."""
    return after[SERIES]["exceptions"].get(DAY, {})


def changes(record, tool):
    return [c["arguments"]["event"] for c in record if c.get("tool") == tool and c["ok"]]


# --- what was asked for

def test_review_is_at_the_earliest_time_that_works(after):
    assert (moved(after).get("start"), moved(after).get("end")) == (START, END)


def test_review_has_the_smallest_rooms_that_do(after):
    assert sorted(moved(after).get("rooms", [])) == ["Dender", "Olinda"]


def test_prep_is_directly_before_the_review(before, after):
    [prep] = made(before, after)
    assert prep["title"].strip() == "Rudder prep"
    assert prep["organizer"] == INES
    assert (prep["start"], prep["end"]) == (PREP, START)


def test_prep_is_in_the_room_of_the_review(before, after):
    [prep] = made(before, after)
    assert prep["rooms"] == ["Dender"]


def test_prep_is_with_bram_and_the_right_caio(before, after):
    [prep] = made(before, after)
    people = {(a["person"], a["optional"]) for a in prep["attendees"]}
    assert people == {(INES, False), ("bram.declercq", False), ("caio.brandao", False)}


def test_both_holds_of_ines_are_cancelled(after):
    assert {after[k]["status"] for k in HOLDS} == {"cancelled"}


def test_message_ends_with_the_line_asked_for(record):
    lines = [x.strip(" \t`*") for x in (record[-1]["final"] or "").splitlines()]
    lines = [x for x in lines if x]
    assert lines
    assert re.fullmatch(r"Rudder review: 2026-03-13 13:30 Ghent / 09:30 Recife; Ghent room Dender, Recife room Olinda\.?",
                        lines[-1])


# --- what had to stay

def test_the_series_stays_on_its_wednesdays(before, after):
    was, now = before[SERIES], after[SERIES]
    for key in was:
        if key != "exceptions":
            assert now[key] == was[key], key
    assert set(now["exceptions"]) <= {DAY}


def test_the_occurrence_is_moved_not_cancelled(after):
    assert set(moved(after)) <= {"start", "end", "rooms"}


def test_nothing_else_was_changed(before, after):
    for key, was in before.items():
        if key not in HOLDS | {SERIES}:
            assert after[key] == was, key


def test_the_other_hold_of_that_name_stays(before, after):
    assert after["ev-221"] == before["ev-221"]


def test_holds_were_cancelled_if_anything(before, after):
    for key in HOLDS:
        assert {**after[key], "status": "tentative"} == before[key]


def test_no_other_event_was_added(before, after):
    assert len(made(before, after)) <= 1


def test_no_call_changed_what_belongs_to_others(record, before):
    own = {SERIES + "@" + DAY} | HOLDS
    for key in changes(record, "move_event") + changes(record, "cancel_event"):
        assert key in own or key not in before and "@" not in key, key


def test_people_and_rooms_are_as_they_were():
    assert load(TOOLS, "state", "directory.json") == load(HERE, "initial", "directory.json")


def test_no_room_is_taken_twice(before, after):
    """Of the single events and the moved occurrence, on the days in question."""
    taken = [(r, e["start"], e["end"]) for k, e in after.items()
             if e["status"] != "cancelled" and not e.get("recurrence") for r in e["rooms"]]
    now = moved(after)
    taken += [(r, now["start"], now["end"]) for r in now.get("rooms", [])]
    for i, (room, a, b) in enumerate(taken):
        for other, c, d in taken[i + 1:]:
            assert room != other or b <= c or d <= a, (room, a, c)
