from office import run, send


def send_message(to, subject, body):
    return {"sent": send({"to": to, "subject": subject, "body": body, "forwarded": None}), "to": to}


run(send_message)
