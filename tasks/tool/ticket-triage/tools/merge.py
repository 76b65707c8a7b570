from tracker import Refused, load, run, save, ticket_in


def merge(ticket, into):
    if ticket == into:
        raise Refused("a ticket cannot be merged into itself.")
    tickets = load("tickets")
    gone, stays = ticket_in(tickets, ticket), ticket_in(tickets, into)
    stays["watchers"] += [w for w in gone["watchers"] if w not in stays["watchers"]]
    gone["merged_into"] = into
    save(tickets)
    return {"merged": ticket, "into": into, "watchers": stays["watchers"]}


run(merge)
