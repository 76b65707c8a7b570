import http.server

class Store(http.server.BaseHTTPRequestHandler):
    kept = b"0"

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(Store.kept)

    def do_PUT(self):
        Store.kept = self.rfile.read(int(self.headers["Content-Length"]))
        open("/data/kept", "wb").write(Store.kept)
        self.answer(b"ok")

http.server.ThreadingHTTPServer(("", 80), Store).serve_forever()
