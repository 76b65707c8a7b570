from office import load, page_of, run


def list_messages(folder, page=1):
    return page_of([{
        "id": m["id"],
        "date": m["date"],
        "from": m["from"],
        "subject": m["subject"],
        "attachments": len(m["attachments"]),
    } for m in load("messages") if m["folder"] == folder], page, 4)


run(list_messages)
