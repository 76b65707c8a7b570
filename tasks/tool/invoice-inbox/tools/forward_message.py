from office import load, message_in, run, send


def forward_message(message, to):
    told = message_in(load("messages"), message)
    return {"sent": send({"to": to, "subject": "Fwd: " + told["subject"], "body": told["body"], "forwarded": message}), "to": to}


run(forward_message)
