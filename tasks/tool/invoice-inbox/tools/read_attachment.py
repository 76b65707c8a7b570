from office import Refused, load, message_in, run

LINES = 20


def read_attachment(message, name, from_line=1):
    attachments = message_in(load("messages"), message)["attachments"]
    text = next((a["text"] for a in attachments if a["name"] == name), None)
    if text is None:
        has = ", ".join(a["name"] for a in attachments) or "none"
        raise Refused("message %s has no attachment %s: it has %s." % (message, name, has))
    lines = text.splitlines()
    if from_line > len(lines):
        raise Refused("%s ends with line %d." % (name, len(lines)))
    end = from_line - 1 + LINES
    return {"lines": len(lines), "next_line": end + 1 if end < len(lines) else None, "text": lines[from_line - 1:end]}


run(read_attachment)
