from datetime import timedelta

from booking import (Refused, dates, find, future, load, need_free, occurrence, parse, room, run, save, show, span,
                     view)


def move_event(event, start, end, rooms=None):
    directory, events = load("directory.json"), load("events.json")
    e, day = find(events, event)
    now = occurrence(e, day) if day else e
    if now["status"] == "cancelled":
        raise Refused("%s is cancelled: create_event makes a new one." % event)
    a, b = span(start, end)
    future(a, directory)
    rooms = now["rooms"] if rooms is None else rooms
    for name in rooms:
        room(directory, name)
    if day:
        need_free([x if x is not e else without(e, day) for x in events], rooms, a, b)
        e["exceptions"].setdefault(day, {}).update(start=show(a), end=show(b), rooms=list(rooms))
    else:
        shift = a - parse(e["start"], "start")
        if e.get("recurrence"):
            for k in range(sum(1 for _ in dates(e))):
                need_free(events, rooms, a + timedelta(days=7 * k), b + timedelta(days=7 * k), e["id"])
            last = parse(e["recurrence"]["until"] + "T00:00Z", "until") + timedelta(days=shift.days)
            e["recurrence"]["until"] = show(last)[:10]
            e["exceptions"] = {}
        else:
            need_free(events, rooms, a, b, e["id"])
        e.update(start=show(a), end=show(b), rooms=list(rooms))
    save("events.json", events)
    return view(occurrence(e, day) if day else e)


def without(event, day):
    """The series with this occurrence taken out."""
    return {**event, "exceptions": {**event["exceptions"], day: {"status": "cancelled"}}}


run(move_event)
