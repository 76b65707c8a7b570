"""Runs snippets of JavaScript against the work tree."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30

MODULE = """
%(imports)s
const body = async (data) => {
%(body)s
};
const result = await body(%(data)s);
process.stdout.write("\\n" + JSON.stringify(result ?? null) + "\\n");
"""


def js(body, data=None, imports='import * as rill from "./src/index.js";'):
    """Runs `body`, an async function of `data`, as an ES module; what it returns."""
    source = MODULE % {"imports": imports, "body": body, "data": json.dumps(data)}
    done = subprocess.run(["node", "--input-type=module", "-"], input=source, cwd=ROOT,
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rstrip("\n").rsplit("\n", 1)[-1])


def sheet(*lines, status=0):
    """Runs commands of a sheet (`;` separates them too); the printed lines."""
    script = "".join(f"{line.strip()}\n" for part in lines for line in part.split(";"))
    done = subprocess.run(["node", "bin/rill.js"], input=script, cwd=ROOT,
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == status, done.stderr
    return done.stdout.split("\n")[:-1]
