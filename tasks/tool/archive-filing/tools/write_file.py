from storage import ME, Refused, change, clean, is_folder, load, need_room, need_unlocked, run, save, space_of, version


def write_file(path, text, version_read, break_lock=False):
    state = load()
    path = clean(path)
    space = space_of(state, path)
    if is_folder(state, path):
        raise Refused("%s is a folder: write to a file in it." % path)
    file = state["files"].get(path)
    if file is None:
        if version_read != "new":
            raise Refused('there is no file %s: for a new file, `version_read` is "new".' % path)
        need_room(state, space, len(text.encode()))
        number = max(int(f["id"][2:]) for f in state["files"].values()) + 1
        file = {"id": "f-%d" % number, "revision": 0, "lock": None, "links": []}
        state["files"][path] = file
    else:
        if version_read == "new":
            raise Refused('%s exists: read it first, and give the version that read_file shows instead of "new".' % path)
        if version_read != version(file):
            raise Refused("%r is not the present version of %s, which %s changed on %s: read it again, and write your change "
                          "into what is there now." % (version_read, path, file["modified_by"], file["modified"]))
        need_unlocked(path, file, break_lock)
        need_room(state, space, len(text.encode()) - file["size"])
    change(file, text, ME, state["today"])
    save(state)
    return {"path": path, "version": version(file), "size": file["size"]}


run(write_file)
