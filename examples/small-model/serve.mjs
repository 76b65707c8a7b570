// A true small model on the processor, behind the OpenAI chat format: for a test
// that real tokens, real latency and a real stream go through the loop. It is far
// too small to call tools, so it is not told of any.
//
//   node serve.mjs MODEL.gguf [PORT]       prints its base URL when it listens
import http from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [path, port = "0"] = process.argv.slice(2);
if (!path) {
  console.error("usage: node serve.mjs MODEL.gguf [PORT]");
  process.exit(2);
}
const ID = "smollm2-135m";
const MOST_TOKENS = 64;

// One thread: with more, a busy machine spins in barriers instead of working.
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: 4096, threads: 1 });

// One reply at a time: there is one context.
let turn = Promise.resolve();
const inTurn = (work) => (turn = turn.then(work, work));

const text = (content) =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");

// All but the last message as a history, and the last one as what is asked.
function split(messages) {
  const items = messages.map((message) => {
    if (message.role === "system") return { type: "system", text: text(message.content) };
    if (message.role === "assistant") return { type: "model", response: [text(message.content)] };
    return { type: "user", text: text(message.content) };
  });
  const last = items.at(-1)?.type === "user" ? items.pop().text : "Go on.";
  return { history: items, last };
}

async function reply(asked, piece, signal) {
  const sequence = context.getSequence();
  try {
    const session = new LlamaChatSession({ contextSequence: sequence });
    const { history, last } = split(asked.messages);
    session.setChatHistory(history);
    const said = await session.prompt(last, {
      maxTokens: Math.min(asked.max_tokens ?? MOST_TOKENS, MOST_TOKENS),
      temperature: asked.temperature ?? 0,
      seed: asked.seed,
      signal,
      onTextChunk: piece,
    });
    const meter = sequence.tokenMeter;
    return { said, input: meter.usedInputTokens, output: meter.usedOutputTokens };
  } finally {
    sequence.dispose();
  }
}

function fail(response, status, message, code) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code } }));
}

async function chat(asked, response, signal) {
  const head = { id: "chatcmpl-small", created: Math.floor(Date.now() / 1000), model: ID };
  const usage = (done) => ({
    prompt_tokens: done.input,
    completion_tokens: done.output,
    total_tokens: done.input + done.output,
  });
  if (!asked.stream) {
    const done = await reply(asked, undefined, signal);
    const message = { role: "assistant", content: done.said };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...head, object: "chat.completion", choices, usage: usage(done) }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (choices, more = {}) =>
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`);
  const delta = (delta, finish_reason = null) => send([{ index: 0, delta, finish_reason }]);
  delta({ role: "assistant", content: "" });
  const done = await reply(asked, (content) => delta({ content }), signal);
  delta({}, "stop");
  if (asked.stream_options?.include_usage) send([], { usage: usage(done) });
  response.end("data: [DONE]\n\n");
}

const server = http.createServer(async (request, response) => {
  if (request.method === "GET" && request.url === "/v1/models") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ object: "list", data: [{ id: ID, object: "model" }] }));
    return;
  }
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
    fail(response, 404, "there is no such path", "not_found");
    return;
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const asked = JSON.parse(Buffer.concat(pieces).toString("utf8"));
    await inTurn(() => chat(asked, response, gone.signal));
  } catch (error) {
    if (response.headersSent) response.destroy();
    else fail(response, 400, String(error?.message ?? error), "invalid_request");
  }
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
