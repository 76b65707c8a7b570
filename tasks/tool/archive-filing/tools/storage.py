"""The file service behind the tools: files with versions, locks and links, in spaces with a quota.

All of it is one state: `files` by path, `quotas` of the spaces (a space is a folder of the root), and `others`: what
colleagues do meanwhile, each at the first move of a file.
"""
import hashlib
import json
import os
import re
import sys

ROOT = os.environ.get("TOOLS_ROOT", "/tools")
STATE = os.path.join(ROOT, "state", "files.json")
ME = "office"


class Refused(Exception):
    """What the caller has to do differently, as one sentence."""


def load():
    with open(STATE, encoding="utf-8") as f:
        return json.load(f)


def save(state):
    with open(STATE + ".new", "w", encoding="utf-8") as f:
        json.dump(state, f, ensure_ascii=False, indent=1)
        f.write("\n")
    os.replace(STATE + ".new", STATE)


def run(tool):
    """Calls a tool with the arguments on standard input; a refusal is an error for the caller to read."""
    try:
        result = tool(**json.load(sys.stdin))
    except Refused as e:
        sys.stderr.write("%s\n" % e)
        sys.exit(1)
    print(json.dumps(result, ensure_ascii=False))


# --- paths

def clean(path):
    """The path as it is stored: absolute, without a slash at its end."""
    if not path.startswith("/"):
        raise Refused("%r is no absolute path: it begins with a slash, such as /Inbox/letter.txt." % path)
    parts = path.rstrip("/").split("/")[1:]
    if any(p in ("", ".", "..") or p != p.strip() or re.search(r"[\x00-\x1f\\:*?\"<>|]", p) for p in parts):
        raise Refused("%r is not a possible path: its parts are names, with one slash between them." % path)
    return "/" + "/".join(parts)


def is_folder(state, path):
    return path == "/" or any(p.startswith(path + "/") for p in state["files"]) or path in state["quotas"]


def file_at(state, path):
    path = clean(path)
    if path in state["files"]:
        return path, state["files"][path]
    if is_folder(state, path):
        raise Refused("%s is a folder: list_folder shows the files in it." % path)
    raise Refused("there is no file %s: list_folder shows what is in a folder." % path)


def space_of(state, path):
    top = "/" + path.split("/")[1]
    if top not in state["quotas"]:
        raise Refused("%s lies in no space: a path begins with one of %s." % (path, ", ".join(sorted(state["quotas"]))))
    return top


# --- what holds for a file

def version(file):
    """Opaque: a new one after each change of the contents, and the same one after a move."""
    text = "%s\n%d\n%s" % (file["id"], file["revision"], file["text"])
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def used(state, space):
    return sum(f["size"] for p, f in state["files"].items() if p.startswith(space + "/"))


def need_room(state, space, size):
    free = state["quotas"][space] - used(state, space)
    if size > free:
        raise Refused("%s has %d bytes left and this needs %d: use another space, or make room first."
                      % (space, free, size))


def need_unlocked(path, file, break_lock):
    if file["lock"] and file["lock"]["by"] != ME:
        if not break_lock:
            raise Refused("%s is locked by %s since %s: leave it until the lock is given back, or ask %s."
                          % (path, file["lock"]["by"], file["lock"]["since"], file["lock"]["by"]))
        file["lock"] = None


def change(file, text, by, day):
    file.update(text=text, size=len(text.encode()), revision=file["revision"] + 1, modified_by=by, modified=day)


def others_act(state):
    """What colleagues have done by the time at which the first file is moved."""
    for act in state["others"]:
        file = state["files"][act["path"]]
        text = file["text"]
        for old, new in act["replace"]:
            text = text.replace(old, new)
        change(file, text, act["by"], state["today"])
    state["others"] = []
