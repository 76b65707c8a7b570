from booking import load, run


def list_people(query=None, office=None):
    directory = load("directory.json")
    words = (query or "").lower().split()

    def fits(p):
        text = " ".join((p["id"], p["name"], p["team"], p["role"])).lower()
        return (office is None or p["office"] == office) and all(w in text for w in words)
    return {"now": directory["now"], "offices": directory["offices"],
            "people": [p for p in directory["people"] if fits(p)]}


run(list_people)
