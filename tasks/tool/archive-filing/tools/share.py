from storage import Refused, file_at, load, run, save


def share(path, action, link=None, people=None):
    state = load()
    path, file = file_at(state, path)
    if action == "remove":
        if link is None:
            raise Refused("`link` is missing: it says which link is removed; the action list shows their ids.")
        if all(x["id"] != link for x in file["links"]):
            raise Refused("%s has no link %r: it has %s."
                          % (path, link, ", ".join(x["id"] for x in file["links"]) or "none"))
        file["links"] = [x for x in file["links"] if x["id"] != link]
        save(state)
    elif action == "add":
        number = state["next_link"]
        state["next_link"] += 1
        opens = {"opens": "people", "people": people} if people else {"opens": "anyone"}
        file["links"].append({"id": "L-%d" % number, **opens})
        save(state)
    return {"path": path, "links": file["links"]}


run(share)
