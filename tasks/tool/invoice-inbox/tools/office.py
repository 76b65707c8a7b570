"""The mailbox and the ledger, and what their programs have in common.

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


def message_in(messages, id):
    for message in messages:
        if message["id"] == id:
            return message
    raise Refused("there is no message %s: list_messages gives the ids." % id)


def vendor_in(vendors, id):
    for vendor in vendors:
        if vendor["id"] == id:
            return vendor
    raise Refused("there is no vendor %s: list_vendors gives the ids." % id)


def send(message):
    """Puts a message with those that were sent; its number there."""
    sent = load("sent")
    save("sent", sent + [message])
    return len(sent) + 1


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
