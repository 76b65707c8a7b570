from tracker import ME, TODAY, load, run, save, ticket_in


def comment(ticket, text):
    tickets = load("tickets")
    comments = ticket_in(tickets, ticket)["comments"]
    comments.append({"by": ME, "day": TODAY, "text": text})
    save(tickets)
    return {"id": ticket, "comments": len(comments), "added": comments[-1]}


run(comment)
