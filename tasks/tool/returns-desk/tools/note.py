from desk import load, order_by_id, run, save

TODAY = "2025-03-20"


def note(order, text):
    order = order_by_id(order)
    entry = {"order": order["id"], "day": TODAY, "text": text}
    save("notes", load("notes") + [entry])
    return {"noted": entry}


run(note)
