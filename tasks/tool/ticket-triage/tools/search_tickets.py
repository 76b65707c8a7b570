from tracker import load, page_of, run

SHOWN = ("id", "created", "component", "status", "priority", "assignee", "title")


def search_tickets(text="", status=None, component=None, page=1):
    words = text.casefold().split()

    def fits(ticket):
        said = "\n".join([ticket["title"], ticket["body"]] + [c["text"] for c in ticket["comments"]]).casefold()
        return (not ticket["merged_into"] and status in (None, ticket["status"]) and component in (None, ticket["component"])
                and all(w in said for w in words))
    return page_of([{k: t[k] for k in SHOWN} for t in load("tickets") if fits(t)], page, 5)


run(search_tickets)
