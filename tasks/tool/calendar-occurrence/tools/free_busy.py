from datetime import timedelta

from booking import Refused, expand, load, parse, people_of, person, run, show, span


def free_busy(people, start, end):
    directory, events = load("directory.json"), load("events.json")
    a, b = span(start, end)
    if b - a > timedelta(days=7):
        raise Refused("from %s to %s is more than 7 days: ask for a shorter time, and again for the next." % (show(a), show(b)))
    answer = []
    for key in people:
        p = person(directory, key)
        entries = []
        for e in expand(events):
            if key in people_of(e) and parse(e["start"], "start") < b and parse(e["end"], "end") > a:
                entry = {"start": e["start"], "end": e["end"],
                         "status": "tentative" if e["status"] == "tentative" else "busy"}
                if not e.get("private"):
                    entry.update(event=e["id"], title=e["title"])
                    if any(x["person"] == key and x["optional"] for x in e["attendees"]):
                        entry["optional"] = True
                entries.append(entry)
        entries.sort(key=lambda x: (x["start"], x["end"]))
        away = [{"from": t["from"], "to": t["to"], "office": t["office"]} for t in directory["travel"]
                if t["person"] == key and t["from"] <= show(b)[:10] and t["to"] >= show(a)[:10]]
        answer.append({"person": key, "office": p["office"], "works_elsewhere": away, "entries": entries})
    return {"start": show(a), "end": show(b), "people": answer}


run(free_busy)
