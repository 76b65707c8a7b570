"""The billing desk's records behind the tools."""
import json
import os
import sys

ROOT = os.environ.get("TOOLS_ROOT", "/tools")
STATE = os.path.join(ROOT, "state", "desk.json")


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


def account(state, number):
    if number not in state["accounts"]:
        raise Refused("there is no account %r: a number has four digits, such as \"4471\"." % number)
    return state["accounts"][number]


def run(tool):
    """Calls a tool with the arguments on standard input; a refusal is an error for the caller to read."""
    try:
        result = tool(**json.load(sys.stdin))
    except Refused as e:
        sys.stderr.write("%s\n" % e)
        sys.exit(1)
    print(json.dumps(result, ensure_ascii=False))
