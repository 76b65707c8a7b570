"""Runs snippets of JavaScript, and scripts of the sheet, against the work tree.

To start Node takes much longer than most of them run, so one process runs them all,
each with modules of its own (see thread.mjs). `command` starts a process.
"""

import atexit
import json
import socket
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 10
# Where nothing ends, the tests have to.
SECONDS_AFTER_LATE = 2


class Node:
    """A process of Node that answers questions; begun anew after one that it did not answer."""

    def __init__(self):
        self.process = None
        self.late = 0

    @property
    def seconds(self):
        """How long a run may take: less when several were late."""
        return SECONDS if self.late < 3 else SECONDS_AFTER_LATE

    def start(self):
        self.links = tempfile.TemporaryDirectory()
        self.stdin, self.stdout, self.stderr = (tempfile.TemporaryFile("a+b") for _ in range(3))
        self.socket, theirs = socket.socketpair()
        self.answers = self.socket.makefile("rb")
        with theirs:
            self.process = subprocess.Popen(
                ["node", "--preserve-symlinks", HERE / "host.mjs", str(theirs.fileno()), ROOT, self.links.name],
                cwd=ROOT, stdin=self.stdin, stdout=self.stdout, stderr=self.stderr, pass_fds=[theirs.fileno()])

    def stop(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        for closed in (self.answers, self.socket, self.stdin, self.stdout, self.stderr):
            closed.close()
        self.links.cleanup()

    def ask(self, question, script=""):
        """The answer, and what was printed."""
        if self.process is None:
            self.start()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.seek(0)
            stream.truncate()
        # The position in the file is common to both processes.
        self.stdin.write(script.encode())
        self.stdin.flush()
        self.stdin.seek(0)
        # The process ends what is late; this is for one that cannot.
        self.socket.settimeout(self.seconds + 5)
        question["seconds"] = self.seconds
        try:
            self.socket.sendall(json.dumps(question).encode() + b"\n")
            line = self.answers.readline()
        except TimeoutError:
            self.late += 1
            line = b""
        except OSError:
            line = b""
        printed, errors = self.read(self.stdout), self.read(self.stderr)
        if not line.endswith(b"\n"):
            self.stop()
            raise AssertionError("no answer\n" + errors)
        answer = json.loads(line)
        answer["problem"] += errors
        if answer.get("late"):
            self.late += 1
            raise AssertionError(f"no end within {question['seconds']} s\n" + errors)
        return answer, printed

    def read(self, stream):
        stream.seek(0)
        return stream.read().decode(errors="replace")


NODE = Node()
atexit.register(NODE.stop)


def js(body, data=None):
    """Runs `body`, an async function of `data`, with the module as `rill`; what it returns."""
    answer, _ = NODE.ask({"body": body, "data": data})
    assert answer["status"] == 0 and "value" in answer, answer
    return json.loads(answer["value"])


def written(lines):
    return "".join(f"{line.strip()}\n" for part in lines for line in part.split(";"))


def sheet(*lines, status=0):
    """Runs commands of a sheet (`;` separates them too); the printed lines."""
    answer, printed = NODE.ask({"program": "bin/rill.js"}, written(lines))
    assert answer["status"] == status, answer
    return printed.split("\n")[:-1]


def command(*lines, status=0):
    """The same, as a process of its own."""
    try:
        done = subprocess.run(["node", "bin/rill.js"], input=written(lines), cwd=ROOT,
                              capture_output=True, text=True, timeout=NODE.seconds)
    except subprocess.TimeoutExpired:
        NODE.late += 1
        raise
    assert done.returncode == status, done.stderr
    return done.stdout.split("\n")[:-1]
