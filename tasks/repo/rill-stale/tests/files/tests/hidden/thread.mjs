// Runs one thing after another, each with modules of its own: it reaches the work tree
// through a link of its own, and modules are known by their paths. Whoever leaves
// something behind in what is common to all gets no successor in this thread.

import { createReadStream, symlinkSync, writeFileSync } from "node:fs";
import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { parentPort } from "node:worker_threads";

const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const { is } = Object;
const AsyncFunction = (async () => {}).constructor;
const activeResources = process.getActiveResourcesInfo.bind(process);

// The streams of a thread go through the main one, and what is under way is lost with
// process.exit(). These are as those of a process whose streams are files.
for (const [name, fd] of [["stdout", 1], ["stderr", 2]]) {
  const stream = new Writable({
    write(chunk, encoding, done) {
      writeFileSync(fd, chunk);
      done();
    },
  });
  Object.defineProperty(process, name, { value: Object.assign(stream, { fd }), configurable: true });
}
let stdin = null;
Object.defineProperty(process, "stdin", {
  get: () => (stdin ??= createReadStream("", { fd: 0, autoClose: false })),
  configurable: true,
});

const holders = new Set([globalThis, process]);
for (const key of ownKeys(globalThis)) {
  const { value } = getOwnPropertyDescriptor(globalThis, key);
  if (Object(value) !== value) continue;
  holders.add(value);
  if (Object(value.prototype) === value.prototype) holders.add(value.prototype);
}

/** All that the global objects and their prototypes have, and who listens to the process. */
function globals() {
  const found = process.eventNames().flatMap((name) => [name, ...process.rawListeners(name)]);
  for (const holder of holders) {
    for (const key of ownKeys(holder)) {
      const { value, get, set } = getOwnPropertyDescriptor(holder, key);
      found.push(key, value, get, set);
    }
  }
  return found;
}

function same(before, after) {
  if (before.length !== after.length) return false;
  for (let i = 0; i < before.length; i += 1) {
    if (!is(before[i], after[i])) return false;
  }
  return true;
}

async function snippet({ body, data }, url) {
  const rill = await import(url("src/index.js"));
  const result = await new AsyncFunction("rill", "data", `"use strict";\n${body}`)(rill, data);
  return JSON.stringify(result ?? null);
}

async function perform(question) {
  const { root, link, program } = question;
  symlinkSync(root, link);
  const url = (path) => pathToFileURL(`${link}/${path}`).href;
  process.argv.splice(1, Infinity, `${link}/${program ?? "-"}`);
  process.exitCode = undefined;
  stdin = null;
  await setImmediate();
  const before = globals();
  const busy = activeResources().length;
  let value;
  let problem = "";
  try {
    if (program) await import(url(program));
    else value = await snippet(question, url);
  } catch (error) {
    problem = inspect(error);
  }
  // A process ends when nothing is left to be done; a rejection that nobody handles shows on the way.
  do await setImmediate();
  while (activeResources().length > busy);
  const status = problem ? 1 : process.exitCode ?? 0;
  process.exitCode = undefined;
  return { status, value, problem, clean: !problem && same(before, globals()) };
}

parentPort.on("message", async (question) => parentPort.postMessage(await perform(question)));
