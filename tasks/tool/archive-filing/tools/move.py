from storage import Refused, clean, file_at, is_folder, load, need_room, need_unlocked, others_act, run, save, space_of


def move(path, to, break_lock=False):
    state = load()
    path, file = file_at(state, path)
    if to.endswith("/") or is_folder(state, clean(to)):
        raise Refused("%s is a folder: `to` is the whole new path of the file, its name included." % to)
    to = clean(to)
    if to in state["files"]:
        raise Refused("there is a file %s already, and moving never overwrites: choose another name." % to)
    parts = to.split("/")
    for i in range(2, len(parts)):
        if "/".join(parts[:i]) in state["files"]:
            raise Refused("%s is a file: nothing can lie below it." % "/".join(parts[:i]))
    source, target = space_of(state, path), space_of(state, to)
    if target == to:
        raise Refused("%s is no path in a space: files lie in one of %s." % (to, ", ".join(sorted(state["quotas"]))))
    need_unlocked(path, file, break_lock)
    if source != target:
        need_room(state, target, file["size"])
    state["files"][to] = state["files"].pop(path)
    others_act(state)
    save(state)
    return {"path": to, "moved_from": path}


run(move)
