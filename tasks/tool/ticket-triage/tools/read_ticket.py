from tracker import load, page_of, run, ticket_in


def read_ticket(ticket, page=1):
    ticket = ticket_in(load("tickets"), ticket)
    del ticket["merged_into"]
    ticket["comments"] = page_of(ticket["comments"], page, 2)
    return ticket


run(read_ticket)
