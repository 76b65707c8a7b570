"""Looks at the tickets as they were left, at the calls, and at the lines of the message.

The boards that keep the day before are one fault at three stops, first told of in T-238; a board without power is another.
T-233 is a duplicate, but on hold. T-235 is back from a closed ticket. T-242 concerns safety, and the officer is away.
"""
import json
import os
import re

import pytest

TOOLS = os.environ.get("TOOLS_ROOT", "/tools")
VERIFIER = os.environ.get("VERIFIER_ROOT", "/verifier")
HERE = os.path.dirname(os.path.abspath(__file__))

MERGED = {"T-231": "T-238", "T-236": "T-225", "T-240": "T-238"}
TOLD = {
    "T-231": ["Kesten North", "3C-118", "3C-121", "4.2.1"],
    "T-236": ["9.0.3", "PAY-409"],
    "T-240": ["Port Ellin", "3C-204", "4.2.2", "E-7731"],
}
TRIAGED = {
    "T-229": ("P2", "t.bergen"),
    "T-233": ("P2", "t.bergen"),
    "T-235": ("P3", "p.lund"),
    "T-238": ("P1", "t.berg"),
    "T-239": ("P4", None),
    "T-241": ("P2", "t.berg"),
    "T-242": ("P1", "e.dahl"),
    "T-243": ("P3", "m.costa"),
}
WAITING = "T-237"
NEW = {*MERGED, *TRIAGED, WAITING}
MAY_CHANGE = {"status", "priority", "assignee", "watchers", "comments", "merged_into"}


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def by_id(tickets):
    return {t["id"]: t for t in tickets}


BEFORE = by_id(load(HERE, "initial", "tickets.json"))


@pytest.fixture(scope="module")
def after():
    return by_id(load(TOOLS, "state", "tickets.json"))


@pytest.fixture(scope="module")
def record():
    with open(os.path.join(VERIFIER, "calls.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def added(after, id):
    """The texts of the comments that were added to a ticket."""
    return [c["text"] for c in after[id]["comments"][len(BEFORE[id]["comments"]):]]


@pytest.mark.parametrize("id", sorted(MERGED))
def test_duplicate_is_merged_into_the_oldest(after, id):
    assert after[id]["merged_into"] == MERGED[id]


@pytest.mark.parametrize("id", sorted(MERGED))
def test_what_a_duplicate_told_is_kept(after, id):
    kept = "\n".join(text for text in added(after, MERGED[id]) if text.startswith("From %s:" % id)).casefold()
    assert [told for told in TOLD[id] if told.casefold() not in kept] == []


@pytest.mark.parametrize("id", sorted(MERGED))
def test_what_a_duplicate_told_is_kept_before_it_is_merged(record, id):
    done = [(c["tool"], c["arguments"]) for c in record[:-1] if c["ok"]]
    merge = done.index(("merge", {"ticket": id, "into": MERGED[id]}))
    assert any(tool == "comment" and arguments["text"].startswith("From %s:" % id) for tool, arguments in done[:merge])


@pytest.mark.parametrize("id", sorted(TRIAGED))
def test_ticket_is_triaged(after, id):
    ticket = after[id]
    assert (ticket["status"], ticket["priority"], ticket["assignee"]) == ("open", *TRIAGED[id])


def test_ticket_without_a_place_waits_for_an_answer(after):
    assert after[WAITING]["status"] == "waiting"
    assert any(text.startswith("Need:") for text in added(after, WAITING))


def test_ticket_on_hold_and_its_like_name_each_other(after):
    assert any("T-229" in text for text in added(after, "T-233"))
    assert any("T-233" in text for text in added(after, "T-229"))


def test_fault_that_is_back_names_the_closed_ticket(after):
    assert any("T-187" in text for text in added(after, "T-235"))


def test_message_has_a_line_for_each_new_ticket(record):
    said = [line.strip() for line in (record[-1]["final"] or "").splitlines()]
    want = ["%s merged %s" % pair for pair in MERGED.items()] + [WAITING + " waiting"]
    want += ["%s %s %s" % (id, priority, person or "nobody") for id, (priority, person) in TRIAGED.items()]
    assert sorted(line for line in said if re.match(r"T-\d", line)) == sorted(want)


def test_nothing_else_is_merged(after):
    assert {id for id, t in after.items() if t["merged_into"]} <= set(MERGED)


def test_nothing_is_closed(after):
    assert [id for id, t in after.items() if t["status"] == "closed" and BEFORE[id]["status"] != "closed"] == []


def test_ticket_on_hold_stays_in_sight(after):
    for id, ticket in BEFORE.items():
        if "hold" in ticket["labels"]:
            assert after[id]["merged_into"] is None and after[id]["status"] != "closed"


def test_tickets_that_were_not_new_are_as_they_were(after):
    others = set(BEFORE) - NEW - {"T-225"}
    assert {id: after[id] for id in others} == {id: BEFORE[id] for id in others}


def test_open_ticket_keeps_its_state_when_one_is_merged_into_it(after):
    for field in ("status", "priority", "assignee", "merged_into"):
        assert after["T-225"][field] == BEFORE["T-225"][field]


def test_what_people_told_is_as_it_was(after):
    assert list(after) == list(BEFORE)
    for id, ticket in BEFORE.items():
        for field in set(ticket) - MAY_CHANGE:
            assert after[id][field] == ticket[field]
        assert after[id]["comments"][:len(ticket["comments"])] == ticket["comments"]


def test_no_watcher_is_lost(after):
    for id, ticket in BEFORE.items():
        stays = after[after[id]["merged_into"] or id]
        assert set(ticket["watchers"]) <= set(stays["watchers"])


def test_ticket_that_waits_has_no_priority_and_no_assignee(after):
    assert (after[WAITING]["priority"], after[WAITING]["assignee"]) == (None, None)


@pytest.mark.parametrize("name", ["handbook", "people"])
def test_other_records_are_as_they_were(name):
    assert load(TOOLS, "state", name + ".json") == load(HERE, "initial", name + ".json")
