import base64
import contextlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_site  # noqa: E402

FILES, ROWS, PASSWORD = make_site.site("9137")
BASE = "http://press.example:8080"
PUBLIC = "srv/press/public"


@pytest.fixture(scope="module", autouse=True)
def nginx():
    p = subprocess.Popen(["nginx", "-g", "daemon off;"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 8082), 1):
            break
        if p.poll() is not None:
            break
        time.sleep(.05)
    yield p
    p.terminate()
    try:
        p.wait(10)
    except subprocess.TimeoutExpired:
        p.kill()


class Answer:
    def __init__(self, r, body):
        self.status, self.body = r.status, body
        self.all = [(k.lower(), v) for k, v in r.getheaders()]
        self.type = (self["content-type"] or "").split(";")[0].strip()

    def __getitem__(self, name):
        found = [v for k, v in self.all if k == name]
        assert len(found) < 2, "%s is there twice" % name
        return found[0] if found else None


def ask(port, target, host, method="GET", headers=(), body=None, source="127.0.0.1"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        c.putheader("Host", host)
        for k, v in dict(headers).items():
            c.putheader(k, v)
        if body is not None:
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        a = Answer(r, r.read())
    finally:
        c.close()
    assert (a["server"] or "nginx") == "nginx" and not re.search(rb"nginx/\d", a.body)
    return a


def press(target, *args, host="press.example:8080", **kw):
    return ask(8080, target, host, *args, **kw)


def api(target, *args, host="api.press.example:8081", **kw):
    return ask(8081, target, host, *args, **kw)


def content(path):
    return FILES[path].encode()


def location(a):
    """The location, relative to the site."""
    where = a["location"] or ""
    return where[len(BASE):] if where.startswith(BASE + "/") else where


def is_404(a):
    assert a.status == 404
    assert a.body == content(PUBLIC + "/errors/404.html")
    assert a.type == "text/html"


@contextlib.contextmanager
def application():
    """Answers with what it got; /fail/N with status N."""
    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            n = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            m = re.fullmatch(r"/fail/(\d+)", self.path)
            data = json.dumps({"method": self.command, "target": self.path, "length": n,
                               "headers": [(k.lower(), v) for k, v in self.headers.items()]}).encode()
            self.send_response(int(m[1]) if m else 200)
            self.send_header("Content-Type", "application/x-echo")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 50
        block_on_close = False
    s = Server(("127.0.0.1", 9100), Echo)
    t = threading.Thread(target=s.serve_forever, args=(.02,), daemon=True)
    t.start()
    try:
        yield
    finally:
        s.shutdown()
        s.server_close()
        t.join()


def echoed(a):
    assert a.status == 200 and a.type == "application/x-echo", (a.status, a.body)
    e = json.loads(a.body)
    return e, {k: [v for n, v in e["headers"] if n == k] for k, _ in e["headers"]}


# --- what has to stay

def test_data_kept():
    for name, text in FILES.items():
        with open("/" + name, encoding="utf-8") as f:
            assert f.read() == text, name


def test_configuration_is_valid():
    p = subprocess.run(["nginx", "-t"], capture_output=True, text=True, timeout=20)
    assert p.returncode == 0 and "[warn]" not in p.stderr, p.stderr


def test_status_site():
    for host in ("status.press.example:8082", "anything"):
        a = ask(8082, "/status", host)
        assert (a.status, a.type, json.loads(a.body)["state"]) == (200, "application/json", "green")
        assert a["x-site"] == "status"
    a = ask(8082, "/reports/2025-01.txt", "status.press.example")
    assert a.body == content("srv/status/reports/2025-01.txt") and a.type == "text/plain"
    assert [e["name"] for e in json.loads(ask(8082, "/reports/", "x").body)] == ["2025-01.txt", "2025-02.txt"]
    assert ask(8082, "/old-reports/", "status.press.example").status == 302
    a = ask(8082, "/no", "x")
    assert a.status == 404 and a["x-site"] == "status" and a["x-frame-options"] is None


# --- press

def test_hosts():
    for name in ("www.press.example:8080", "press-old.example:8080", "www.press.example"):
        for target in ("/", "/guide//a%2Fb/../c%20d?x=1&y=%3F", "/artikel/nothing.html?a", "/index.html"):
            a = press(target, host=name)
            assert (a.status, a["location"]) == (301, BASE + target)
    assert press("/", host="press.example").status == 200
    for port in (8080, 8081):
        for host in ("other.example", "127.0.0.1:%d" % port, "xpress.example", "status.press.example"):
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                ask(port, "/healthz", host)
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert s.recv(100) == b""
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        api("/healthz", host="press.example:8081")
    ports = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open("/proc/net/" + name) as f:
            ports |= {int(x.split()[1].rsplit(":", 1)[1], 16) for x in list(f)[1:] if x.split()[3] == "0A"}
    assert ports == {8080, 8081, 8082}


def test_pages():
    for target, name in (("/", "index.html"), ("/about", "about.html"), ("/guide/", "guide/index.html"),
                         ("/guide/start", "guide/start.html"), ("/guide/v1.2", "guide/v1.2.html"), ("/about/team", "about/team.html"),
                         ("/books/gr%C3%B6%C3%9Fe?x=1", "books/größe.html"), ("/books/", "books/index.html")):
        a = press(target)
        assert (a.status, a.type, a.body) == (200, "text/html", content(PUBLIC + "/" + name)), target
    a = press("/books/list.txt")
    assert (a.status, a.type, a.body) == (200, "text/plain", content(PUBLIC + "/books/list.txt"))
    for target, new in (("/guide", "/guide/"), ("/books", "/books/")):
        a = press(target)
        assert (a.status, location(a)) == (301, new)
    a = press("/healthz")
    assert (a.status, a.type, a.body) == (200, "text/plain", b"ok\n")


def test_clean_urls():
    for target, new in (("/about.html", "/about"), ("/index.html", "/"), ("/guide/index.html?a=b&c", "/guide/?a=b&c"),
                        ("/books/gr%C3%B6%C3%9Fe.html", "/books/gr%C3%B6%C3%9Fe"), ("/nothing/there.html?q=x.html", "/nothing/there?q=x.html"),
                        ("/no/such/index.html", "/no/such/")):
        a = press(target)
        assert (a.status, location(a)) == (301, new), target
    assert press("/about?next=/a.html").status == 200


def test_not_found():
    for target in ("/nothing", "/guide/nothing?x", "/errors/404", "/errors/", "/assets/none.js", "/index.php", "/ABOUT",
                   "/print/none.txt", "/about/none"):
        is_404(press(target))


def test_hidden_files():
    for target in ("/.git/config", "/guide/.draft", "/about.html.bak", "/books/list.txt~", "/books/.old/list.txt", "/%2Egit/config",
                   "/.git/", "/books/%2eold/list.txt"):
        is_404(press(target))
    a = press("/.well-known/security.txt")
    assert (a.status, a.body) == (200, content(PUBLIC + "/.well-known/security.txt"))


def test_headers():
    forever = "public, max-age=31536000, immutable"
    gone = next(r[0] for r in ROWS if r[1] == "gone" and "?" not in r[0])
    moved = next(r[0] for r in ROWS if r[1] == "moved" and "?" not in r[0])
    for target, status, cache in (("/", 200, "no-cache"), ("/about", 200, "no-cache"), ("/assets/app.3fa9.js", 200, forever),
                                  ("/assets/print/late.0b2d.css", 200, forever), ("/assets/none.css", 404, None), ("/nothing", 404, None),
                                  ("/about.html", 301, None), ("/guide", 301, None), ("/staff/", 401, None),
                                  (urllib.parse.quote(gone), 410, None), (urllib.parse.quote(moved), 301, None), ("/.git/config", 404, None),
                                  ("/print/catalogue.txt", 200, "no-cache"), ("/healthz", 200, "no-cache"), ("/errors/404", 404, None)):
        a = press(target)
        assert a.status == status, target
        assert (a["x-content-type-options"], a["x-frame-options"], a["cache-control"]) == ("nosniff", "DENY", cache), target
    a = press("/assets/app.3fa9.js")
    a = press("/assets/app.3fa9.js", headers={"If-None-Match": a["etag"]})
    assert (a.status, a["cache-control"], a["x-frame-options"]) == (304, None, "DENY")
    assert press("/", host="www.press.example")["x-frame-options"] == "DENY"


def test_redirect_table():
    status = {"moved": 301, "temporary": 302, "gone": 410}
    for old, state, *new in ROWS:
        by_id = old.startswith("/index.php?")
        target = old if by_id else urllib.parse.quote(old)
        for query in ("",) if by_id else ("", "?a=1&b=%C3%A4"):
            a = press(target + query)
            assert a.status == status[state], target
            assert a["location"] == (BASE + new[0] + query if new else None), target
    a = press(urllib.parse.quote(ROWS[0][0]), "HEAD")
    assert a.status == status[ROWS[0][1]]


def test_redirect_case_and_ids():
    olds = {r[0]: r for r in ROWS}
    for old in sorted(olds):
        if "?" in old:
            continue
        for other in (old.upper(), old.lower(), old + "x", old.rstrip("/") + "/more", "/x" + old):
            if other not in olds and not other.endswith(".html"):
                is_404(press(urllib.parse.quote(other)))
    ids = {int(r[0].split("=")[1]): r for r in ROWS if "?" in r[0]}
    rnd = random.Random(3)
    for n in rnd.sample(sorted(ids), 8):
        _, state, *new = ids[n]
        for query in ("?lang=de&id=%d", "?id=%d&x=1", "?xid=9999&id=%d&y"):
            a = press("/index.php" + query % n)
            assert a.status == {"moved": 301, "temporary": 302, "gone": 410}[state]
            assert a["location"] == (BASE + new[0] if new else None)
        for query in ("?xid=%d", "?id=%d0000", "?id=9%d9999", "?id=%dx", "?a=id&b=%d"):
            is_404(press("/index.php" + query % n))
        is_404(press("/books/index.php?id=%d" % n))


def test_print_folder():
    for name in ("catalogue.txt", "2024/spring.txt"):
        a = press("/print/" + name)
        assert (a.status, a.body) == (200, content("srv/press/print-files/" + name))
    for target in ("/print../redirects.tsv", "/print../print-files-private/margins.txt", "/print-private/margins.txt",
                   "/print/../redirects.tsv", "/print/%2e%2e/redirects.tsv", "/printcatalogue.txt"):
        a = press(target)
        assert a.status in (400, 404), target


def test_staff_area():
    good = {"Authorization": "Basic " + base64.b64encode(("harbour:" + PASSWORD).encode()).decode()}
    bad = {"Authorization": "Basic " + base64.b64encode(b"harbour:harbour").decode()}
    page, rota = content(PUBLIC + "/staff/index.html"), content(PUBLIC + "/staff/rota.html")
    for target, body in (("/staff/", page), ("/staff/rota", rota)):
        for source, headers, status in (
                ("127.0.0.1", {}, 401), ("127.0.0.1", bad, 401), ("127.0.0.1", good, 200), ("127.0.10.77", {}, 200),
                ("127.0.11.1", {}, 401), ("127.0.0.1", {"X-Forwarded-For": "127.0.10.5"}, 401),
                ("127.0.0.2", {"X-Forwarded-For": "127.0.10.5"}, 200), ("127.0.0.2", {"X-Forwarded-For": "127.0.10.5, 192.0.2.1"}, 401),
                ("127.0.0.2", {"X-Forwarded-For": "192.0.2.1, 127.0.10.5"}, 200), ("127.0.0.2", {}, 401),
                ("127.0.10.3", {"X-Forwarded-For": "192.0.2.1"}, 200)):
            a = press(target, headers=headers, source=source)
            assert a.status == status, (source, headers)
            if status == 200:
                assert a.body == body
            else:
                assert re.fullmatch(r'Basic realm="staff"(,.*)?', a["www-authenticate"])
    is_404(press("/staff/none", source="127.0.10.9"))


# --- api

def test_api_passes_on():
    with application():
        for rest in ("/books", "/books?x=1&y=%2F", "/a%2Fb%20c", "/a//b///c", "/", "/%C3%BC/~x", "/x%3Fy?z", "/uploads/one", "/A.html"):
            e, h = echoed(api("/v1" + rest))
            assert e["target"] == rest
            assert h["host"] == ["api.press.example"]
        for source, sent, want in (("127.0.0.1", "9.9.9.9", "127.0.0.1"), ("127.0.0.2", "9.9.9.9, 192.0.2.8", "192.0.2.8"),
                                   ("127.0.0.2", None, "127.0.0.2"), ("127.0.7.7", None, "127.0.7.7")):
            headers = {"X-Internal-User": "root", "X-Real-IP": "6.6.6.6", "X-Other": "kept"}
            if sent:
                headers["X-Forwarded-For"] = sent
            for path in ("/v1/who", "/v1/upload", "/v1/login"):
                e, h = echoed(api(path, headers=headers, source=source))
                assert h["x-real-ip"] == [want] and h["x-forwarded-for"] == [want]
                assert "x-internal-user" not in h and h["x-other"] == ["kept"]
        for method in ("PUT", "DELETE", "POST"):
            e, h = echoed(api("/v1/thing", method, body=b"12345"))
            assert (e["method"], e["length"]) == (method, 5)


def test_api_request_ids():
    with application():
        seen = set()
        for mine, kept in (("0123456789abcdef" * 2, True), ("0123456789ABCDEF" * 2, False), ("a" * 31, False), ("a" * 33, False),
                           ("x" * 32, False), (None, False), ("f" * 32, True)):
            for path in ("/v1/x", "/v1/upload", "/v1/fail/500", "/v1/fail/404"):
                a = api(path, headers={"X-Request-Id": mine} if mine else {})
                got = dict(json.loads(a.body)["headers"])["x-request-id"]
                assert a["x-request-id"] == got and re.fullmatch("[0-9a-f]{32}", got)
                assert (got == mine) == kept
                if not kept:
                    assert got not in seen
                    seen.add(got)


def test_api_body_limits():
    too_large = (413, "application/json", b'{"error":"too large"}')
    with application():
        for path, limit in (("/v1/books", 65536), ("/v1/upload", 1048576), ("/v1/upload/x", 65536), ("/v1/uploads", 65536),
                            ("/v1/a.png", 65536)):
            e, _ = echoed(api(path, "POST", body=b"x" * limit))
            assert e["length"] == limit
            a = api(path, "PUT", body=b"x" * (limit + 1))
            assert (a.status, a.type, a.body) == too_large, path


def test_api_login_rate():
    def post(source, **headers):
        return api("/v1/login", "POST", body=b"{}", source=source, headers=headers)
    with application():
        answers = [post("127.0.33.1") for _ in range(8)]
        assert [a.status for a in answers] == [200] * 4 + [429] * 4
        for a in answers[4:]:
            assert (a.type, a.body, a["retry-after"]) == ("application/json", b'{"error":"too many requests"}', "10")
        assert [post("127.0.33.2").status for _ in range(5)] == [200] * 4 + [429]
        assert [api("/v1/login", source="127.0.33.1").status for _ in range(8)] == [200] * 8
        assert [api("/v1/login/x", "POST", body=b"", source="127.0.33.1").status for _ in range(8)] == [200] * 8
        # by the client's address, not the balancer's, and not by what clients claim
        x = {"X-Forwarded-For": "192.0.2.50"}
        assert [post("127.0.0.2", **x).status for _ in range(5)] == [200] * 4 + [429]
        assert post("127.0.0.2", **{"X-Forwarded-For": "192.0.2.51"}).status == 200
        got = [post("127.0.33.3", **{"X-Forwarded-For": "192.0.2.%d" % n}).status for n in range(60, 66)]
        assert got == [200] * 4 + [429] * 2


def test_api_errors():
    unavailable = (503, "application/json", b'{"error":"unavailable"}')
    for path in ("/v1/books", "/v1/upload"):
        a = api(path)
        assert (a.status, a.type, a.body) == unavailable
    a = api("/healthz")
    assert (a.status, a.type, a.body) == (200, "text/plain", b"ok\n")
    for path in ("/", "/v2/x", "/v1", "/v11/x", "/healthz/x", "/index.html"):
        a = api(path)
        assert (a.status, a.type, a.body) == (404, "application/json", b'{"error":"not found"}'), path
    with application():
        for status in (400, 404, 413, 429, 500, 502, 503, 504):
            a = api("/v1/fail/%d" % status)
            assert (a.status, a.type, json.loads(a.body)["target"]) == (status, "application/x-echo", "/fail/%d" % status)


# --- logs

def test_logs():
    def size(name):
        return os.path.getsize(name) if os.path.exists(name) else 0
    names = ("/var/log/nginx/press.log", "/var/log/nginx/api.log")
    time.sleep(.1)
    start = [size(n) for n in names]
    mark = "m%d" % random.randrange(10**9)
    ua = 'quote " back \\ tab\tend ' + mark
    with application():
        a = [press("/about?k=%s" % mark, headers={"User-Agent": ua}),
             press("/nothing?a=1&token=s3cret&z=2", source="127.0.0.2", headers={"X-Forwarded-For": "192.0.2.44"}),
             press("/about?token=s3cret"), press("/about?mytoken=1&x=token", host="press.example"), press('/a"b\\c?d="e'),
             press("/healthz"), press("/staff/", "HEAD")]
        b = [api("/v1/x%2Fy?token=s3cret&q=1", "POST", body=b"1"), api("/none?q&token="), api("/healthz")]
    with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):
        press("/about", host="foreign.example")
    time.sleep(.3)
    lines = []
    for n, s in zip(names, start):
        with open(n, "rb") as f:
            f.seek(s)
            lines.append([json.loads(x) for x in f.read().decode().splitlines()])
    for e in lines[0] + lines[1]:
        assert set(e) == {"time", "addr", "host", "method", "uri", "status", "bytes", "agent", "seconds"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)", e["time"])
        assert type(e["status"]) is int and type(e["bytes"]) is int and type(e["seconds"]) in (int, float)

    def short(e):
        return e["addr"], e["host"], e["method"], e["uri"], e["status"], e["bytes"], e["agent"]
    p, q = "press.example:8080", "api.press.example:8081"
    assert [short(e) for e in lines[0]] == [
        ("127.0.0.1", p, "GET", "/about?k=" + mark, 200, len(a[0].body), ua),
        ("192.0.2.44", p, "GET", "/nothing?a=1&token=-&z=2", 404, len(a[1].body), ""),
        ("127.0.0.1", p, "GET", "/about?token=-", 200, len(a[2].body), ""),
        ("127.0.0.1", "press.example", "GET", "/about?mytoken=1&x=token", 200, len(a[3].body), ""),
        ("127.0.0.1", p, "GET", '/a"b\\c?d="e', 404, len(a[4].body), ""),
        ("127.0.0.1", p, "HEAD", "/staff/", 401, 0, "")]
    assert [short(e) for e in lines[1]] == [
        ("127.0.0.1", q, "POST", "/v1/x%2Fy?token=-&q=1", 200, len(b[0].body), ""),
        ("127.0.0.1", q, "GET", "/none?q&token=-", 404, len(b[1].body), "")]
