"""Renders in the mode "context"; one process of Node answers all questions."""

import json
import select
import subprocess
import tempfile

from node_process import ROOT, SECONDS

SERVER = """
import { createInterface } from "node:readline";

import { Engine, TemplateError } from "./src/index.js";

function answer(item, mode) {
  try {
    const engine = new Engine({ autoescape: mode, templates: item.templates ?? {} });
    if (item.compile !== undefined) return [engine.compile(item.compile) ?? "compiled"];
    return item.name ? engine.render(item.name, item.data) : engine.renderString(item.source, item.data);
  } catch (problem) {
    if (!(problem instanceof TemplateError)) return { crash: String(problem) };
    return { template: problem.template, line: problem.line, column: problem.column };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { items, mode } = JSON.parse(line);
  process.stdout.write(JSON.stringify(items.map((item) => answer(item, mode))) + "\\n");
}
"""


class Node:
    def __init__(self):
        self.process = None

    def start(self):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["node", "--input-type=module", "-e", SERVER], cwd=ROOT, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def ask(self, question):
        """The answer; a process that takes too long, or has ended, makes the test fail."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            line = self.process.stdout.readline() if ready else b""
        except BrokenPipeError:
            line = b""
        if line:
            return json.loads(line)
        self.process.kill()
        self.process.wait()
        self.process = None
        self.errors.seek(0)
        raise AssertionError("no answer\n" + self.errors.read().decode(errors="replace"))


NODE = Node()


def render_all(*items, mode="context"):
    """For each item the output, or the position of the error as a dict."""
    return NODE.ask({"items": items, "mode": mode})


def render(source, mode="context", **data):
    return render_all({"source": source, "data": data}, mode=mode)[0]


def render_each(sources, **data):
    return render_all(*[{"source": source, "data": data} for source in sources])


def is_error(result, line=None, column=None, template=None):
    if not isinstance(result, dict) or "line" not in result:
        return False
    return line is None or result == {"template": template, "line": line, "column": column}


def refused(sources, **data):
    """Those of the sources that are refused; for comparing with all of them."""
    return [source for source, result in zip(sources, render_each(sources, **data)) if is_error(result)]
