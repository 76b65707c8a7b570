"""The calendar behind the tools: people, rooms, events, and series of which single occurrences may differ.

Times are kept in UTC ("2026-03-11T13:00Z"). An event with a recurrence stands for all its occurrences; what is different
about one of them stands in its `exceptions`, by the occurrence's original date.
"""
import json
import os
import sys
from datetime import date, datetime, timedelta, timezone

ROOT = os.environ.get("TOOLS_ROOT", "/tools")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Refused(Exception):
    """What the caller has to do differently, as one sentence."""


def load(name):
    with open(os.path.join(ROOT, "state", name), encoding="utf-8") as f:
        return json.load(f)


def save(name, value):
    path = os.path.join(ROOT, "state", name)
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)


def run(tool):
    """Calls a tool with the arguments on standard input; a refusal is an error for the caller to read."""
    try:
        result = tool(**json.load(sys.stdin))
    except Refused as e:
        sys.stderr.write("%s\n" % e)
        sys.exit(1)
    print(json.dumps(result, ensure_ascii=False))


# --- times

def parse(text, name):
    try:
        t = datetime.fromisoformat(text)
    except ValueError:
        t = None
    if t is None or len(text) < 16:
        raise Refused("`%s` is %r, which is no date and time: write it like 2026-03-20T09:30+01:00." % (name, text))
    if t.tzinfo is None:
        raise Refused("`%s` has no offset: write %s+01:00 for a time in Ghent, -03:00 for one in Recife, or Z for UTC."
                      % (name, text))
    if t.second or t.microsecond:
        raise Refused("`%s` has seconds: times are whole minutes." % name)
    if not 2000 <= t.year < 2100:
        raise Refused("`%s` is in the year %d: this calendar has those from 2000 to 2099." % (name, t.year))
    return t.astimezone(timezone.utc)


def span(start, end):
    a, b = parse(start, "start"), parse(end, "end")
    if b <= a:
        raise Refused("`end` (%s) has to be later than `start` (%s)." % (show(b), show(a)))
    return a, b


def show(t):
    return t.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%MZ")


def future(start, directory):
    if start < parse(directory["now"], "now"):
        raise Refused("%s lies in the past: it is %s now." % (show(start), directory["now"]))


# --- people and rooms

def person(directory, key):
    for p in directory["people"]:
        if p["id"] == key:
            return p
    raise Refused("there is no person with the id %r: list_people gives the ids." % key)


def room(directory, name):
    for r in directory["rooms"]:
        if r["name"] == name:
            return r
    raise Refused("there is no room %r: find_rooms gives the names." % name)


# --- events

def split(key):
    """("ev-7", None) or ("ev-7", "2026-03-11")"""
    base, _, day = key.partition("@")
    return base, day or None


def dates(event):
    """The original dates of a series' occurrences."""
    first = date.fromisoformat(event["start"][:10])
    last = date.fromisoformat(event["recurrence"]["until"])
    while first <= last:
        yield first.isoformat()
        first += timedelta(days=7)


def occurrence(event, day):
    shift = date.fromisoformat(day) - date.fromisoformat(event["start"][:10])
    one = {k: v for k, v in event.items() if k not in ("recurrence", "exceptions")}
    one.update(id="%s@%s" % (event["id"], day), start=show(parse(event["start"], "start") + shift),
               end=show(parse(event["end"], "end") + shift))
    one.update(event["exceptions"].get(day, {}))
    return one


def expand(events):
    """All that takes place, each series as its occurrences; without what is cancelled."""
    for e in events:
        if e["status"] == "cancelled":
            continue
        if not e.get("recurrence"):
            yield e
            continue
        for day in dates(e):
            one = occurrence(e, day)
            if one["status"] != "cancelled":
                yield one


def find(events, key):
    """The stored event, and the date of the occurrence that is meant (None: the event as such)."""
    base, day = split(key)
    for e in events:
        if e["id"] == base:
            if day and not e.get("recurrence"):
                raise Refused("%s is a single event: leave out the @ and the date." % base)
            if day and day not in dates(e):
                raise Refused("%s has no occurrence of %s: they are of %s." % (base, day, ", ".join(dates(e))))
            return e, day
    raise Refused("there is no event with the id %r: free_busy and create_event give the ids." % key)


def people_of(event):
    return [event["organizer"]] + [a["person"] for a in event["attendees"] if a["person"] != event["organizer"]]


def clashes(events, rooms, start, end, but):
    """The bookings of these rooms within the time, other than those of the event `but` (with its occurrences)."""
    found = []
    for e in expand(events):
        if e["id"] == but or split(e["id"])[0] == but:
            continue
        if parse(e["start"], "start") < end and parse(e["end"], "end") > start:
            found += [(r, e) for r in e["rooms"] if r in rooms]
    return found


def need_free(events, rooms, start, end, but=None):
    for r, e in clashes(events, rooms, start, end, but):
        raise Refused("the room %s is taken from %s to %s (%s): find_rooms lists the rooms that are free for the whole time."
                      % (r, e["start"], e["end"], e["id"]))


def view(event):
    """An event as the tools show it."""
    keys = ("id", "title", "organizer", "attendees", "start", "end", "rooms", "status", "description")
    shown = {k: event[k] for k in keys}
    if event.get("recurrence"):
        shown["recurrence"] = event["recurrence"]
        shown["occurrences"] = [
            {"event": one["id"], "start": one["start"], "end": one["end"], "rooms": one["rooms"], "status": one["status"]}
            for one in (occurrence(event, d) for d in dates(event))]
    return shown
