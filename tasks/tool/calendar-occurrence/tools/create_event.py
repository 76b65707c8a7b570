from booking import Refused, future, load, need_free, person, room, run, save, show, span, view


def create_event(title, start, end, attendees, optional_attendees=(), rooms=(), description=""):
    directory, events = load("directory.json"), load("events.json")
    a, b = span(start, end)
    future(a, directory)
    me = directory["assistant_of"]
    for key in (*attendees, *optional_attendees):
        person(directory, key)
    both = set(attendees) & set(optional_attendees)
    if both:
        raise Refused("%s stands in both lists: somebody is an attendee or an optional one." % ", ".join(sorted(both)))
    for name in rooms:
        room(directory, name)
    need_free(events, rooms, a, b)
    number = max(int(e["id"].split("-")[1]) for e in events) + 1
    listed = list(attendees) if me in attendees else [me, *attendees]
    event = {"id": "ev-%d" % number, "title": title, "organizer": me,
             "attendees": [{"person": p, "optional": False} for p in listed]
             + [{"person": p, "optional": True} for p in optional_attendees if p != me],
             "start": show(a), "end": show(b), "rooms": list(rooms), "status": "confirmed", "description": description}
    events.append(event)
    save("events.json", events)
    return view(event)


run(create_event)
