"""A server of tools by the Model Context Protocol: stdio, http or sse, and a file."""
import json, os, queue, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE, FILE = sys.argv[1:3]
KEY = os.environ.get("KEY")
TOOLS = {"put": ["text"], "fail": [], "die": [], "hang": []}


def call(name, arguments):
    if name == "put":
        with open(FILE, "a") as file:
            file.write(arguments["text"] + "\n")
        return {"content": [{"type": "text", "text": "stored " + arguments["text"]}]}
    if name == "die":
        sys.stderr.write("I had enough\n")
        sys.stderr.flush()
        os._exit(3)
    if name == "hang":
        time.sleep(1000)
    return {"content": [{"type": "text", "text": "no such luck"}], "isError": True}


def answer(message):
    method, params = message.get("method"), message.get("params") or {}
    if "id" not in message:
        return None
    if method == "initialize":
        version = params["protocolVersion"]
        own = {"name": "store", "version": "1"}
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": own}
    elif method == "tools/list":
        schema = lambda names: {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": names,
        }
        tools = [{"name": name, "inputSchema": schema(TOOLS[name])} for name in TOOLS]
        result = {"tools": tools}
    elif method == "tools/call":
        result = call(params["name"], params.get("arguments"))
    else:
        return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "?"}}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    events = queue.Queue()

    def respond(self, status, body=b"", media="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/value":
            return self.respond(200, open(FILE, "rb").read() if os.path.exists(FILE) else b"")
        if KEY and self.headers["X-Key"] != KEY:
            return self.respond(401)
        if MODE != "sse":
            return self.respond(405)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"event: endpoint\ndata: /messages?session=1\n\n")
        while True:
            self.wfile.write(b"event: message\ndata: " + self.events.get() + b"\n\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if KEY and self.headers["X-Key"] != KEY:
            return self.respond(401)
        found = answer(json.loads(body))
        if found is None:
            return self.respond(202)
        text = json.dumps(found).encode()
        if MODE == "sse":
            self.events.put(text)
            return self.respond(202)
        self.respond(200, text)


if MODE == "stdio":
    for line in sys.stdin:
        found = answer(json.loads(line))
        if found is not None:
            print(json.dumps(found), flush=True)
else:
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
