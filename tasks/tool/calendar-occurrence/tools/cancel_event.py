from booking import Refused, find, load, occurrence, run, save


def cancel_event(event):
    events = load("events.json")
    e, day = find(events, event)
    if (occurrence(e, day) if day else e)["status"] == "cancelled":
        raise Refused("%s is cancelled already: there is nothing more to do." % event)
    if day:
        e["exceptions"].setdefault(day, {})["status"] = "cancelled"
    else:
        e["status"] = "cancelled"
    save("events.json", events)
    return {"event": event, "status": "cancelled"}


run(cancel_event)
