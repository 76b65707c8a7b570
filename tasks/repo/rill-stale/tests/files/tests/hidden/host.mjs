// Answers questions that come as lines of JSON through a socket, in a thread that a
// time-out can end. Ends when the socket is closed.
//   node --preserve-symlinks host.mjs SOCKET ROOT LINKS

import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";

const [fd, root, links] = process.argv.slice(2);

let thread = null;
let runs = 0;

function start() {
  const worker = new Worker(new URL("./thread.mjs", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  worker.on("exit", () => {
    if (thread === worker) thread = null;
  });
  // What goes wrong between two questions ends the thread, nothing else.
  worker.on("error", () => {});
  return worker;
}

/** What became of a run: `status` as of a process, `value` where there is one, `problem` for people. */
function run(question) {
  thread ??= start();
  const worker = thread;
  return new Promise((resolve) => {
    let result = null;
    let problem = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      worker.terminate();
    }, question.seconds * 1000);
    const settle = (settled) => {
      clearTimeout(timer);
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      resolve(settled);
    };
    const onMessage = ({ clean, ...rest }) => {
      result = rest;
      if (clean) settle(result);
      else worker.terminate();
    };
    const onError = (error) => {
      problem = inspect(error);
    };
    const onExit = (status) => settle(result ?? { status, problem, late });
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(question);
  });
}

const socket = new Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of createInterface({ input: socket })) {
  runs += 1;
  const answer = await run({ ...JSON.parse(line), root, link: `${links}/${runs}` });
  socket.write(`${JSON.stringify(answer)}\n`);
}
process.exit();
