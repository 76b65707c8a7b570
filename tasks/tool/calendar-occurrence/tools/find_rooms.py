from booking import clashes, load, run, show, span


def find_rooms(office, start, end, seats=1, equipment=()):
    directory, events = load("directory.json"), load("events.json")
    a, b = span(start, end)
    fitting = [r for r in directory["rooms"]
               if r["office"] == office and r["seats"] >= seats and set(equipment) <= set(r["equipment"])]
    taken = {r for r, _ in clashes(events, [r["name"] for r in fitting], a, b, None)}
    return {"start": show(a), "end": show(b), "free": [r for r in fitting if r["name"] not in taken],
            "taken": [r["name"] for r in fitting if r["name"] in taken]}


run(find_rooms)
