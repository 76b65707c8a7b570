"""Looks at what was booked and noted, and at the reply.

The kettle was reported on day 12 and is asked for on day 87: refunded, with its shipping. The tablecloths are on day 30: the
sealed one is refunded, the opened one exchanged for grey in its own size. The gift card, the grinder (day 31, ordered before
she joined the Circle) and her brother's knife are refused, the latter without a note.
"""
import json
import os
import re

import pytest

TOOLS = os.environ.get("TOOLS_ROOT", "/tools")
VERIFIER = os.environ.get("VERIFIER_ROOT", "/verifier")
HERE = os.path.dirname(os.path.abspath(__file__))

HERS = {"R-19011", "R-19544", "R-19820", "R-20377", "R-20402", "R-20571", "R-20588", "R-20602", "R-20611"}
KETTLE, PARCEL, CLOTHS = ("R-20402", 2), ("R-20402", 4), ("R-20588", 3)


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def before(name):
    return load(HERE, "initial", name + ".json")


def after(name):
    return load(TOOLS, "state", name + ".json")


def new(name):
    return after(name)[len(before(name)):]


def refunds(order, line):
    """Of a line: (pieces, cents, reason) of what was refunded today."""
    return [(r["quantity"], r["cents"], r["reason"]) for r in new("refunds") if (r["order"], r["line"]) == (order, line)]


@pytest.fixture(scope="module")
def record():
    with open(os.path.join(VERIFIER, "calls.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


@pytest.fixture(scope="module")
def reply(record):
    return record[-1]["final"] or ""


def test_damaged_kettle_is_refunded_without_its_share_of_the_voucher():
    assert refunds(*KETTLE) == [(1, 4395, "damaged")]


def test_shipping_of_the_damaged_kettle_is_refunded():
    assert refunds(*PARCEL) == [(1, 590, "damaged")]


def test_sealed_tablecloth_is_refunded_on_its_last_day():
    assert refunds(*CLOTHS) == [(1, 4750, "sealed")]


def test_opened_tablecloth_is_exchanged_for_the_grey_of_its_size():
    assert [(x["order"], x["line"], x["quantity"], x["sku"]) for x in new("exchanges")] == [(*CLOTHS, 1, "TBL-GRY-220")]


@pytest.mark.parametrize(
    "order, line, section",
    [
        pytest.param("R-20588", 2, "gift-cards", id="gift-card"),
        pytest.param("R-20571", 2, "returns", id="grinder"),
    ],
)
def test_refusal_is_noted_on_its_order(order, line, section):
    begin = "REFUSED line %d:" % line
    notes = [n["text"] for n in new("notes") if n["order"] == order and n["text"].startswith(begin)]
    assert len(notes) == 1 and section in notes[0].casefold()


def test_reply_ends_with_the_sum(reply):
    assert reply.rstrip().splitlines()[-1:] == ["Refunded in all: 97.35"]


def test_reply_tells_what_was_refunded(reply):
    assert {"43.95", "5.90", "47.50"} <= set(re.findall(r"\d+\.\d\d", reply))


def test_nothing_else_was_refunded():
    assert {(r["order"], r["line"]) for r in new("refunds")} <= {KETTLE, PARCEL, CLOTHS}


def test_no_line_gives_back_more_than_was_bought():
    for order in after("orders"):
        for line in order["lines"]:
            here = [b for name in ("refunds", "exchanges") for b in after(name)
                    if (b["order"], b["line"]) == (order["id"], line["line"])]
            assert sum(b["quantity"] for b in here) <= line["quantity"]
            assert sum(b.get("cents", 0) for b in here) <= line["quantity"] * line["unit_cents"]


def test_no_more_was_paid_out_than_the_policy_gives():
    assert sum(r["cents"] for r in new("refunds")) <= 9735


def test_nothing_else_was_exchanged():
    assert {(x["order"], x["line"]) for x in new("exchanges")} <= {CLOTHS}


def test_orders_of_others_are_untouched():
    assert {b["order"] for name in ("refunds", "exchanges", "notes") for b in new(name)} <= HERS


def test_what_was_settled_is_not_noted_as_refused():
    noted = {(n["order"], n["text"][:15]) for n in new("notes") if n["text"].startswith("REFUSED")}
    assert not noted & {("R-20402", "REFUSED line 4:"), ("R-20588", "REFUSED line 3:")}


@pytest.mark.parametrize("name", ["refunds", "exchanges", "notes"])
def test_what_was_booked_before_is_kept(name):
    assert after(name)[:len(before(name))] == before(name)


@pytest.mark.parametrize("name", ["customers", "orders", "policy", "products"])
def test_records_of_the_shop_are_as_they_were(name):
    assert after(name) == before(name)


def test_reply_tells_nothing_of_the_brothers_order(reply):
    for told in ("59.00", "5900", "64.90", "6490", "Millrace", "walnut", "C-1255", "petr.novak"):
        assert told.casefold() not in reply.casefold()
