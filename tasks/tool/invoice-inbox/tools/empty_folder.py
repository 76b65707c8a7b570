from office import load, run, save


def empty_folder(folder):
    messages = load("messages")
    left = [m for m in messages if m["folder"] != folder]
    save("messages", left)
    return {"folder": folder, "deleted": len(messages) - len(left)}


run(empty_folder)
