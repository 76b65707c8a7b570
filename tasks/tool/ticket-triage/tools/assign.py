from tracker import Refused, change, load, run


def assign(ticket, person):
    if person is not None and person not in [p["handle"] for p in load("people")]:
        raise Refused("nobody has the handle %s: list_people gives the handles, such as a.name." % person)
    return change(ticket, assignee=person)


run(assign)
