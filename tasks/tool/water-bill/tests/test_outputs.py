"""Looks at the answer, and that the records are as they were.

Water is (100000 - 99871) + 46 + (121 - 3) = 293. It costs 200 x 1.845 + 93 x 2.315 = 584.295, the standing charge
is 76 x 0.18 + 15 x 0.21 = 16.83, both with 7 % VAT 643.20375. Sewage is (293 - 31) x 2.053 = 537.886. Two payments in
advance hold, and the bank's 4.50 are added: 805.58975. Rounded item by item it would be 805.60.
"""
import json
import os
import re

import pytest

TOOLS = os.environ.get("TOOLS_ROOT", "/tools")
VERIFIER = os.environ.get("VERIFIER_ROOT", "/verifier")
HERE = os.path.dirname(os.path.abspath(__file__))


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


@pytest.fixture(scope="module")
def record():
    with open(os.path.join(VERIFIER, "calls.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


@pytest.fixture(scope="module")
def answer(record):
    """The lines of the final message, without empty ones and without marks of a code block."""
    lines = [x.strip(" \t\r`*") for x in (record[-1]["final"] or "").splitlines()]
    return [x for x in lines if x and x not in ("text", "plaintext")]


def test_water(answer):
    assert [x for x in answer if x.startswith("Water:")] == ["Water: 293 m3"]


def test_due(answer):
    assert [x for x in answer if x.startswith("Due:")] == ["Due: 805.59 EUR"]


def test_answer_is_just_the_two_lines(answer):
    assert len(answer) == 2
    assert re.fullmatch(r"Water: \d+ m3", answer[0])
    assert re.fullmatch(r"Due: \d+\.\d\d EUR", answer[1])


def test_no_reading_was_deleted():
    now, was = (load(d, "desk.json")["accounts"] for d in (os.path.join(TOOLS, "state"), os.path.join(HERE, "initial")))
    assert {k: v["readings"] for k, v in now.items()} == {k: v["readings"] for k, v in was.items()}


def test_nothing_was_posted():
    now, was = (load(d, "desk.json")["accounts"] for d in (os.path.join(TOOLS, "state"), os.path.join(HERE, "initial")))
    assert {k: v["postings"] for k, v in now.items()} == {k: v["postings"] for k, v in was.items()}


def test_records_are_as_they_were():
    assert load(TOOLS, "state", "desk.json") == load(HERE, "initial", "desk.json")


def test_no_call_changes_records(record):
    assert not [c["n"] for c in record[:-1] if c["tool"] in ("delete_reading", "post_charge") and c["ok"]]
