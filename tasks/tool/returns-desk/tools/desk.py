"""The records of the shop, and what its programs have in common.

A program reads its arguments as JSON from standard input and writes its result as JSON to standard output. What cannot be
done ends with status 1 and a sentence on standard error. Each call changes one file at most.
"""
import json
import os
import sys

ROOT = os.environ.get("TOOLS_ROOT", "/tools")


class Refused(Exception):
    """What was asked for cannot be done; the text says what could."""


def path_of(name):
    return os.path.join(ROOT, "state", name + ".json")


def load(name):
    with open(path_of(name), encoding="utf-8") as f:
        return json.load(f)


def save(name, data):
    path = path_of(name)
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write("\n")
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".new", path)


def page_of(found, page, size):
    """One page of a list, and where to go on."""
    pages = max(1, -(-len(found) // size))
    if page > pages:
        raise Refused("there is no page %d: the last one is %d." % (page, pages))
    more = page + 1 if page < pages else None
    return {"found": len(found), "page": page, "next_page": more, "results": found[(page - 1) * size:page * size]}


def customer_by_id(id):
    for customer in load("customers"):
        if customer["id"] == id:
            return customer
    raise Refused("there is no customer %s: find_customer gives the ids." % id)


def order_by_id(id):
    for order in load("orders"):
        if order["id"] == id:
            return order
    raise Refused("there is no order %s: list_orders gives the orders of a customer." % id)


def line_of(order, number):
    for line in order["lines"]:
        if line["line"] == number:
            return line
    raise Refused("order %s has no line %d: its lines are 1 to %d." % (order["id"], number, len(order["lines"])))


def booked(name, order, line):
    """The refunds or exchanges that were booked on a line."""
    return [b for b in load(name) if b["order"] == order["id"] and b["line"] == line["line"]]


def pieces_left(order, line):
    """Pieces of a line that were neither refunded nor exchanged."""
    gone = sum(b["quantity"] for name in ("refunds", "exchanges") for b in booked(name, order, line))
    return line["quantity"] - gone


def need_pieces(order, line, quantity):
    if order["status"] != "delivered":
        raise Refused("order %s has not been delivered yet." % order["id"])
    left = pieces_left(order, line)
    if quantity > left:
        raise Refused("line %d of %s has %d piece(s) left that were neither refunded nor exchanged, not %d."
                      % (line["line"], order["id"], left, quantity))


def in_stock(product):
    sent = sum(x["quantity"] for x in load("exchanges") if x["sku"] == product["sku"])
    return product["stock"] - sent


def next_id(bookings):
    letter, number = bookings[-1]["id"].split("-")
    return "%s-%d" % (letter, int(number) + 1)


def run(program):
    try:
        result = program(**json.loads(sys.stdin.buffer.read()))
    except Refused as e:
        sys.stderr.buffer.write(str(e).encode() + b"\n")
        sys.exit(1)
    sys.stdout.buffer.write(json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")
