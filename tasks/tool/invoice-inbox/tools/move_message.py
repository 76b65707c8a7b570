from office import load, message_in, run, save


def move_message(message, folder):
    messages = load("messages")
    moved = message_in(messages, message)
    was, moved["folder"] = moved["folder"], folder
    save("messages", messages)
    return {"id": message, "from_folder": was, "to_folder": folder}


run(move_message)
