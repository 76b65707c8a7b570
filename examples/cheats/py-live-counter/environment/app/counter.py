import http.server

COUNTS = {}


def count(name):
    return COUNTS.get(name, 0)


class Counter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = str(count(self.path.strip("/"))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Counter).serve_forever()
