from storage import Refused, clean, is_folder, load, run


def list_folder(path, recursive=False):
    state = load()
    path = clean(path)
    if path in state["files"]:
        raise Refused("%s is a file: read_file shows what is in it." % path)
    if not is_folder(state, path):
        raise Refused("there is no folder %s: the spaces are %s." % (path, ", ".join(sorted(state["quotas"]))))
    prefix = path.rstrip("/") + "/"
    folders, files = set(), []
    for p, f in sorted(state["files"].items()):
        if not p.startswith(prefix):
            continue
        rest = p[len(prefix):]
        if "/" in rest and not recursive:
            folders.add(prefix + rest.split("/")[0])
        else:
            files.append({"path": p, "size": f["size"], "modified": f["modified"], "modified_by": f["modified_by"],
                          "locked_by": f["lock"]["by"] if f["lock"] else None, "links": len(f["links"])})
    if path == "/" and not recursive:
        folders |= set(state["quotas"])
    return {"path": path, "folders": sorted(folders), "files": files}


run(list_folder)
