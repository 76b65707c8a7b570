"""The tickets, and what the programs of the tracker have in common.

A program reads its arguments as JSON from standard input and writes its result as JSON to standard output. What cannot be
done ends with status 1 and a sentence on standard error.
"""
import json
import os
import sys

ROOT = os.environ.get("TOOLS_ROOT", "/tools")
ME = "triage"
TODAY = "2025-06-16"


class Refused(Exception):
    """What was asked for cannot be done; the text says what could."""


def path_of(name):
    return os.path.join(ROOT, "state", name + ".json")


def load(name):
    with open(path_of(name), encoding="utf-8") as f:
        return json.load(f)


def save(tickets):
    path = path_of("tickets")
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(tickets, f, indent=1, ensure_ascii=False)
        f.write("\n")
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".new", path)


def ticket_in(tickets, id):
    """A ticket that is still in sight."""
    for ticket in tickets:
        if ticket["id"] == id:
            if ticket["merged_into"]:
                raise Refused("%s was merged into %s: use that one." % (id, ticket["merged_into"]))
            return ticket
    raise Refused("there is no ticket %s: search_tickets gives the numbers." % id)


def change(id, **fields):
    """Sets fields of a ticket; what they are afterwards."""
    tickets = load("tickets")
    ticket = ticket_in(tickets, id)
    ticket.update(fields)
    save(tickets)
    return {k: ticket[k] for k in ("id", "status", "priority", "assignee")}


def page_of(found, page, size):
    """One page of a list, and where to go on."""
    pages = max(1, -(-len(found) // size))
    if page > pages:
        raise Refused("there is no page %d: the last one is %d." % (page, pages))
    more = page + 1 if page < pages else None
    return {"found": len(found), "page": page, "next_page": more, "results": found[(page - 1) * size:page * size]}


def run(program):
    try:
        result = program(**json.loads(sys.stdin.buffer.read()))
    except Refused as e:
        sys.stderr.buffer.write(str(e).encode() + b"\n")
        sys.exit(1)
    sys.stdout.buffer.write(json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")
