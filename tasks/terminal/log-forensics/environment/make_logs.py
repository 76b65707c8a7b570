"""Writes the logs of the case below a folder; the answer to another file if asked."""
import gzip
import json
import os
import random
import sys
import urllib.parse
from datetime import datetime, timedelta, timezone

UTC = timezone.utc


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def iso(t):
    return datetime.fromtimestamp(int(t), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(seed, root, answer_path=None):
    rnd = random.Random("case-%s" % seed)
    begin, end = at("2025-10-30T00:00:00"), at("2025-11-05T22:00:00")
    dst = at("2025-11-02T07:00:00")
    skew = rnd.choice((407, 419, 431, 443, 457)) + rnd.randrange(1000) / 1000
    step = at("2025-11-03T09:00:00") + rnd.randrange(200, 1500) + .4
    service_port = 8443

    # --- addresses
    used = set()
    reserved = {"198.51.100.140"} | {"198.51.100.%d" % n for n in range(16, 24)}

    def addr(net):
        while True:
            a = "%s.%d" % (net, rnd.randrange(20, 250))
            if a not in used and a not in reserved:
                used.add(a)
                return a
    A, B, B2, C, D1, D2 = (addr(n) for n in ("203.0.113", "203.0.113", "198.51.100", "203.0.113", "198.51.100",
                                             "203.0.113"))
    scanner, guesser, soft = addr("203.0.113"), addr("198.51.100"), addr("203.0.113")
    testers = ["198.51.100.%d" % n for n in (17, 18, 21)]
    office = [addr("198.51.100") for _ in range(6)]
    public = ["203.0.113.%d" % n for n in range(20, 250) if "203.0.113.%d" % n not in used]
    public += ["198.51.100.%d" % n for n in range(24, 250) if "198.51.100.%d" % n not in used | reserved]
    rnd.shuffle(public)
    visitors = public[:160]
    homes = public[160:190]

    # --- keys
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    def fingerprint():
        return "SHA256:" + "".join(rnd.choice(alphabet) for _ in range(43))
    people = "jmarten alopez kwhite sbauer tnguyen rfox mcole ihansen".split()
    keys = {p: [fingerprint() for _ in range(rnd.choice((1, 2)))] for p in people}
    keys["svc-render"] = [fingerprint()]
    keys["backup-op"] = [fingerprint(), fingerprint()]
    keys["newhire"] = [fingerprint()]
    planted = fingerprint()
    key_lines = ["# fingerprint                                         owner"]
    entries = [(f, u) for u in keys for f in keys[u]] + [(fingerprint(), u + " (old)") for u in people[:4]]
    rnd.shuffle(entries)
    key_lines += ["%s  %s" % e for e in entries]

    # --- objects
    clients = "abbott brandt corvid delaney eastgate fennel graham hollis".split()
    kinds = [("contracts", "pdf"), ("ledger", "csv.gz"), ("media", "mp4"), ("payroll", "xlsx"), ("scans", "tar")]
    objects = {}
    while len(objects) < 260:
        k, ext = rnd.choice(kinds)
        o = "/%s/%s/%s-%03d.%s" % (rnd.choice(clients), k, rnd.choice(("2023", "2024", "2025")), rnd.randrange(999), ext)
        objects[o] = rnd.randrange(18_000, 60_000_000)
    names = sorted(objects)

    # --- collected events: (true time, text)
    edge_a, edge_b, auth, sysl, fwd, vault = [], [], [], [], [], []
    tokens = {}

    def hexes(n):
        return "%0*x" % (n, rnd.getrandbits(4 * n))

    def edge(t, client, method, url, status, size, ua, spoof=None, cdn=None, which=None):
        rid = hexes(12)
        peer = "10.20.0.%d" % rnd.choice((3, 4, 5))
        xff = [spoof] if spoof else []
        xff.append(client)
        if rnd.random() < .3 if cdn is None else cdn:
            xff.append("192.0.2.%d" % rnd.randrange(1, 15))
        if rnd.random() < .15:
            xff.append("10.20.0.%d" % rnd.choice((6, 7)))
        if which is None:
            which = rnd.choice("aab")
        if which == "a":
            z = timezone(timedelta(hours=1))
            stamp = datetime.fromtimestamp(int(t), z).strftime("%d/%b/%Y:%H:%M:%S %z")
            edge_a.append((t, '%s - - [%s] "%s %s HTTP/1.1" %d %d "-" "%s" xff="%s" rid=%s'
                           % (peer, stamp, method, url, status, size, ua, ", ".join(xff), rid)))
        else:
            z = timezone(timedelta(hours=-6 if t < at("2025-11-02T08:00:00") else -7))
            stamp = datetime.fromtimestamp(int(t * 1000) / 1000, z).isoformat(timespec="milliseconds")
            edge_b.append((t, json.dumps({"ts": stamp, "rid": rid, "peer": peer, "xff": ", ".join(xff), "method": method,
                                          "uri": url, "status": status, "sent": size, "ua": ua})))

    def wall(t):
        c = t + skew if t < step else t
        z = timezone(timedelta(hours=-5 if c < dst else -6))
        d = datetime.fromtimestamp(int(c), z)
        return d.strftime("%b ") + "%2d" % d.day + d.strftime(" %H:%M:%S")

    def bastion(t, prog, text, log=None):
        (auth if log is None else log).append((t, "%s bastion %s: %s" % (wall(t), prog, text)))

    def vlog(t, peer, op, obj, size, sent, status, extra=""):
        stamp = datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (int(t * 1000) % 1000)
        vault.append((t, '%s eid=%s peer=%s acct=media-rw op=%s obj="%s" size=%d sent=%d st=%d%s'
                      % (stamp, hexes(10), peer, op, obj, size, sent, status, extra)))

    # --- the ports and pids of the bastion: no two at once
    ports = {p: [] for p in range(40100, 40130)}
    pids = {p: [] for p in range(2900, 3100)}

    def take(table, lo, hi, pad):
        free = [k for k, spans in table.items() if all(hi + pad < a or b + pad < lo for a, b in spans)]
        k = rnd.choice(sorted(free))
        table[k].append((lo, hi))
        return k

    def forward(pid, user, lo, hi, port=None):
        if port is None:
            port = take(ports, lo, hi, 3)
        else:
            assert all(hi + 3 < a or b + 3 < lo for a, b in ports[port]), (port, lo, hi)
            ports[port].append((lo, hi))
        for t, ev in ((lo, "open"), (hi, "close")):
            c = t + skew if t < step else t
            fwd.append((t, json.dumps({"t": int(c * 1000), "pid": pid, "user": user, "ev": ev, "lport": port,
                                       "to": "vault.int:%d" % service_port})))
        return port

    def transfers(lo, hi, peer, n, pool, book=None):
        for t in sorted(rnd.uniform(lo + .5, hi - .5) for _ in range(n)):
            obj = rnd.choice(pool)
            size = objects[obj]
            op = rnd.choices(("GET", "STAT", "LIST", "PUT"), (6, 2, 2, 1))[0] if book is None else \
                rnd.choices(("GET", "STAT", "LIST"), (7, 1, 1))[0]
            if op == "LIST":
                vlog(t, peer, op, obj.rsplit("/", 1)[0] + "/", 0, rnd.randrange(300, 9000), 200)
            elif op == "STAT":
                vlog(t, peer, op, obj, size, 0, 200)
            elif op == "PUT":
                vlog(t, peer, op, obj, size, 31, 201)
            else:
                st = rnd.choices((200, 206, 499, 403, 404), (5, 3, 2, 1, .5))[0]
                sent = size if st == 200 else rnd.randrange(1, size) if st in (206, 499) else rnd.choice((118, 133))
                vlog(t, peer, op, obj, size, sent, st)
                if book is not None and st in (200, 206, 499):
                    book[obj] = book.get(obj, 0) + sent

    uid = {}

    def session(t, length, user, source, key, kind="publickey"):
        pid = take(pids, t, t + length, 60)
        port = rnd.randrange(32768, 61000)
        what = "%s ssh2: ED25519 %s" % (port, key) if kind == "publickey" else "%s ssh2" % port
        bastion(t, "sshd[%d]" % pid, "Accepted %s for %s from %s port %s" % (kind, user, source, what))
        n = uid.setdefault(user, 1001 + len(uid))
        bastion(t + .05, "sshd[%d]" % pid, "pam_unix(sshd:session): session opened for user %s(uid=%d) by (uid=0)" % (user, n))
        bastion(t + length, "sshd[%d]" % pid, "Disconnected from user %s %s port %d" % (user, source, port))
        bastion(t + length + .05, "sshd[%d]" % pid, "pam_unix(sshd:session): session closed for user %s" % user)
        return pid

    # --- the intruder at the bastion
    taken = {}
    target = rnd.sample(names, 11)
    sessions = []
    B_ = "10.20.0.9:%d"

    def neighbours(port, lo, hi):
        """Others have the same port shortly before and shortly after."""
        for lo2, hi2 in ((lo - rnd.uniform(350, 420), lo - rnd.uniform(20, 60)),
                         (hi + rnd.uniform(20, 60), hi + rnd.uniform(350, 420))):
            user = rnd.choice(people)
            pid = session(lo2 - 20, hi2 - lo2 + 60, user, rnd.choice(homes), rnd.choice(keys[user]))
            forward(pid, user, lo2, hi2, port)
            transfers(lo2, hi2, B_ % port, rnd.randrange(5, 9), target + rnd.sample(names, 4))

    def intrude(t, length, user, source, key, spans, pool):
        pid = session(t, length, user, source, key)
        sessions.append({"account": user, "address": source, "start": iso(t)})
        out = []
        for lo, hi, n in spans:
            port = forward(pid, user, t + lo, t + hi)
            transfers(t + lo, t + hi, B_ % port, n, pool, taken)
            neighbours(port, t + lo, t + hi)
            out.append(port)
        return pid, out

    t1 = at("2025-11-02T06:22:00") + rnd.uniform(0, 700)
    t2 = at("2025-11-02T07:14:00") + rnd.uniform(0, 900)
    t3 = step - rnd.uniform(700, 900)
    t4 = at("2025-11-04T20:10:00") + rnd.uniform(0, 3000)
    svc = keys["svc-render"][0]
    for k, u in ((-160, "render"), (-95, "deploy"), (-40, "svc_render")):
        p = take(pids, t1 + k, t1 + k + 2, 60)
        q = rnd.randrange(32768, 61000)
        bastion(t1 + k, "sshd[%d]" % p, "Invalid user %s from %s port %d" % (u, B, q))
        bastion(t1 + k + 1, "sshd[%d]" % p, "Connection closed by invalid user %s %s port %d [preauth]" % (u, B, q))
    intrude(t1, 1500, "svc-render", B, svc, ((70, 500, 9), (640, 1300, 10)), target[:7])
    tp = t1 + 540 + rnd.uniform(0, 60)
    bastion(tp, "sudo", "svc-render : TTY=pts/2 ; PWD=/tmp ; USER=backup-op ; COMMAND=/usr/bin/tee -a "
            "/home/backup-op/.ssh/authorized_keys")
    intrude(t2, 1100, "svc-render", B2, svc, ((40, 800, 12),), target[2:8])
    intrude(t3, 1900, "backup-op", C, planted, ((30, 1500, 16),), target[4:10])
    intrude(t4, 2400, "backup-op", A if rnd.random() < .5 else B2, planted, ((60, 700, 7), (900, 2100, 8)), target[:9])
    # the share link: made in the fourth session
    shared = target[10]
    tok = hexes(20)
    own = [(t, json.loads(x)) for t, x in fwd]
    opens = [(t, e["lport"]) for t, e in own if e["user"] == "backup-op" and t4 < t < t4 + 1000 and e["ev"] == "open"]
    ts = max(opens)[0] + 400
    vlog(ts, B_ % max(opens)[1], "SHARE", shared, objects[shared], 0, 201, " tok=" + tok)
    for _ in range(25):
        t, o = rnd.uniform(begin, end), rnd.choice(names)
        k = hexes(20)
        tokens[k] = (t, o)
        vlog(t, "10.20.3.%d:%d" % (rnd.choice((14, 15, 16)), rnd.randrange(32768, 61000)), "SHARE", o, objects[o], 0, 201,
             " tok=" + k)
    # the same object was shared by others too
    other = hexes(20)
    tokens[other] = (ts - 7000, shared)
    vlog(ts - 7000, "10.20.3.15:51022", "SHARE", shared, objects[shared], 0, 201, " tok=" + other)
    # and somebody made a link on the intruder's port, right after the intruder let it go
    near = [(t, e["lport"]) for t, e in own if e["ev"] == "open" and e["lport"] == max(opens)[1] and t > ts]
    if near:
        k = hexes(20)
        tokens[k] = (near[0][0] + 100, target[9])
        vlog(near[0][0] + 100, B_ % near[0][1], "SHARE", target[9], objects[target[9]], 0, 201, " tok=" + k)

    agents = ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
              "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
              "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
              "curl/8.5.0", "Wget/1.21.4"]
    got = 0
    size = objects[shared]
    plan = [(D1, 206), (D1, 499), (D2, 206), (D1, 206), (D2, 200), (D2, 206), (A, 404), (D1, 410), (D2, 410)]
    t = ts + 120
    for i, (who, st) in enumerate(plan):
        t += rnd.uniform(40, 900)
        n = size if st == 200 else rnd.randrange(1, size) if st in (206, 499) else 162
        edge(t, who, "GET", "/s/" + tok + rnd.choice(("", "?dl=1")), st, n, agents[3 + i % 2],
             spoof=rnd.choice((None, rnd.choice(office))), which="ab"[i % 2])
        if st in (200, 206, 499):
            got += n
    edge(ts + 30, A, "HEAD", "/s/" + tok, 200, 0, agents[3], which="a")
    taken[shared] = taken.get(shared, 0) + got
    for k, (t, o) in tokens.items():
        for _ in range(rnd.randrange(1, 6)):
            st = rnd.choices((200, 206, 499, 410), (5, 2, 1, 1))[0]
            n = objects[o] if st == 200 else rnd.randrange(1, objects[o]) if st in (206, 499) else 162
            edge(min(t + rnd.uniform(60, 40000), end + rnd.uniform(0, 6000)), rnd.choice(visitors), "GET", "/s/" + k, st, n, rnd.choice(agents))

    # --- the intruder at the web
    base = "/srv/render/templates/"

    def climb(path, ups, twice=True, mixed=False):
        name = "../" * ups + path.lstrip("/")
        if mixed:
            name = "mail/./" + "../" + name
        s = urllib.parse.quote(name, safe="")
        s = s.replace(".", "%2E") if not mixed else s
        return "/preview?tpl=" + (s.replace("%", "%25") if twice else s)
    keyfile = "/srv/render/%s/%s" % (rnd.choice(("etc", "conf", "secrets")), rnd.choice(("jump_ed25519", "id_bastion", "deploy_key")))
    te = at("2025-11-01T19:00:00") + rnd.uniform(0, 9000)
    spoof = testers[0]
    edge(te - 260, A, "GET", "/preview?tpl=invoice", 200, 8123, agents[0], spoof=spoof, which="b")
    edge(te - 200, A, "GET", climb("/etc/passwd", 2), 200, 1532, agents[0], spoof=spoof, which="b")
    edge(te - 120, A, "GET", climb("/etc/passwd", 3, False), 400, 157, agents[0], spoof=spoof, which="a")
    edge(te, A, "GET", climb("/etc/passwd", 3), 200, 2203, agents[0], spoof=spoof, which="b")
    edge(te + 95, A, "GET", climb("/etc/shadow", 3), 200, 1532, agents[0], spoof=spoof, which="b")
    edge(te + 170, A, "GET", climb("/root/.ssh/id_ed25519", 3), 200, 1532, agents[0], spoof=spoof, which="a")
    edge(te + 240, A, "GET", climb("/srv/render/render.toml", 3, mixed=True), 200, 911, agents[0], spoof=spoof, which="b")
    edge(te + 300, A, "GET", climb(keyfile.replace("/render/", "/render/old-"), 3, mixed=True), 200, 1532, agents[0],
         spoof=spoof, which="b")
    edge(te + 420, A, "GET", climb(keyfile[len("/srv/render"):], 1, mixed=True), 200, 411, agents[0], spoof=office[0], which="a")
    edge(te + 500, A, "GET", climb(keyfile[len("/srv/render"):] + ".pub", 1, mixed=True), 200, 1532, agents[0], which="a")

    # --- decoys at the web
    for i in range(9):         # the testers found the same hole, in their time
        t = at("2025-10-31T09:00:00") + rnd.uniform(0, 100000)
        edge(t, rnd.choice(testers), "GET", climb(rnd.choice(("/etc/hostname", "/etc/passwd", "/srv/render/conf/test_key")), 3),
             200, rnd.choice((1532, 1532, 2203, 27, 411)), "halden-scan/3.1", spoof=rnd.choice((None, A, office[1])))
    for i in range(700):       # a loud scanner
        t = at("2025-11-01T02:00:00") + i * 3.1 + rnd.uniform(0, 2)
        path = rnd.choice(("/wp-login.php", "/.git/config", "/admin/", "/.env", "/phpmyadmin/", "/cgi-bin/test"))
        if rnd.random() < .2:
            f = rnd.choice(("/etc/passwd", "/root/.ssh/id_rsa", keyfile, "/srv/render/conf/key"))
            tw = rnd.random() < .5
            edge(t, scanner, "GET", climb(f, rnd.choice((2, 3, 5)), tw), 200 if tw else 400, 1532 if tw else 157, "sqlmap/1.8")
        else:
            edge(t, scanner, "GET", path, rnd.choice((404, 404, 403)), 162, "sqlmap/1.8")
    for i in range(12):        # odd but honest names
        t = rnd.uniform(begin, end)
        edge(t, soft, "GET", "/preview?tpl=" + rnd.choice(("mail%252F..%252Finvoice", "invoice%2Fde", "letter%2520head",
                                                            "mail%252F%252E%252E%252Freport%252Fyear")),
             200, rnd.choice((8123, 6044, 1532)), agents[1])
    for i in range(7000):
        t = rnd.uniform(begin, end)
        c = rnd.choice(visitors + office)
        r = rnd.random()
        if r < .1:
            edge(t, c, "GET", "/preview?tpl=" + rnd.choice(("invoice", "report%2Fyear", "letter", "mail%2Fwelcome", "nothere")),
                 200, rnd.choice((8123, 6044, 5210, 1532)), rnd.choice(agents[:3]))
        elif r < .2:
            edge(t, c, "POST", rnd.choice(("/login", "/api/jobs", "/api/render")), rnd.choice((200, 201, 302, 401, 422)),
                 rnd.randrange(50, 900), rnd.choice(agents[:3]))
        else:
            edge(t, c, "GET", rnd.choice(("/", "/help", "/static/app.css", "/static/app.js", "/jobs", "/jobs/%d" % rnd.randrange(9999),
                                          "/img/%s.png" % hexes(4))), rnd.choice((200, 200, 200, 304, 404)),
                 rnd.randrange(100, 90000), rnd.choice(agents[:3]), spoof=rnd.choice((None,) * 9 + (rnd.choice(office),)))

    # --- ordinary life at the bastion
    for i in range(150):
        t = rnd.uniform(begin, end - 6000)
        length = rnd.uniform(300, 4000)
        who = rnd.random()
        if who < .25:
            user, src, key = "svc-render", rnd.choice(("10.20.3.14", "10.20.3.14", "198.51.100.140")), svc
        elif who < .4:
            user, src, key = "backup-op", rnd.choice(("10.20.3.20", homes[0], homes[1])), rnd.choice(keys["backup-op"])
        else:
            user = rnd.choice(people)
            src, key = rnd.choice(homes + ([B2, C] if user == "jmarten" else [])), rnd.choice(keys[user])
        pid = session(t, length, user, src, key)
        if rnd.random() < .25:
            bastion(t + 30, "sudo", "%s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=/usr/bin/systemctl %s render-agent"
                    % (user, user, rnd.choice(("status", "reload"))))
        for _ in range(rnd.randrange(0, 3)):
            lo = t + rnd.uniform(5, length * .4)
            hi = lo + rnd.uniform(30, length * .55)
            port = forward(pid, user, lo, hi)
            transfers(lo, hi, B_ % port, rnd.randrange(2, 12), names)
    # svc-render from its own machine within the hour that came twice
    for t in (at("2025-11-02T06:10:30"), at("2025-11-02T07:31:10"), at("2025-11-02T07:48:00")):
        session(t + rnd.uniform(0, 60), 200, "svc-render", "10.20.3.14", svc)
    t = at("2025-11-01T15:20:00")
    pid = session(t, 900, "kwhite", homes[3], keys["kwhite"][0])
    bastion(t + 200, "sudo", "kwhite : TTY=pts/1 ; PWD=/home/kwhite ; USER=root ; COMMAND=/usr/bin/tee -a "
            "/home/newhire/.ssh/authorized_keys")
    session(t + 3000, 500, "newhire", homes[4], keys["newhire"][0])
    session(at("2025-11-02T05:20:00"), 300, "demo", guesser, None, "password")
    # guessing
    def fails(t, src, user, n, gap):
        for i in range(n):
            tt = t + i * gap + rnd.uniform(0, gap / 2)
            p = take(pids, tt, tt + 1, 1)
            q = rnd.randrange(32768, 61000)
            bastion(tt, "sshd[%d]" % p, "Failed password for %s%s from %s port %d ssh2"
                    % ("" if user in uid else "invalid user ", user, src, q))
    for u in ("root", "admin", "svc-render", "backup-op", "demo", "oracle", "jmarten"):
        fails(at("2025-11-02T04:20:00") + rnd.uniform(0, 500), guesser, u, 70, 9)
    fails(at("2025-11-01T13:00:00"), homes[5], "sbauer", 8, 20)
    session(at("2025-11-01T13:04:00"), 1200, "sbauer", homes[5], keys["sbauer"][0])
    fails(at("2025-11-02T03:00:00"), scanner, "svc-render", 25, 60)
    # cron, so that the hours show
    t = begin
    while t < end:
        t += 97
        bastion(t, "CRON[%d]" % rnd.randrange(20000, 30000), "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")

    # --- syslog with chronyd
    t = begin + 200
    while t < step - 600:
        bastion(t, "chronyd[611]", rnd.choice(("Source 10.20.0.2 offline", "No suitable source for synchronisation",
                                               "Could not reach 10.20.0.2:123")), sysl)
        t += rnd.uniform(900, 3000)
    bastion(step - 130, "systemd[1]", "Started chrony-wait.service", sysl)
    bastion(step - 60, "chronyd[611]", "Source 10.20.0.2 online", sysl)
    bastion(step - 4, "chronyd[611]", "Selected source 10.20.0.2", sysl)
    bastion(step - .2, "chronyd[611]", "System clock wrong by -%.6f seconds" % skew, sysl)
    bastion(step + .01, "chronyd[611]", "System clock was stepped by -%.6f seconds" % skew, sysl)
    t = step + 500
    while t < end:
        bastion(t, "chronyd[611]", rnd.choice(("Selected source 10.20.0.2", "Selected source 10.20.0.1")), sysl)
        t += rnd.uniform(3000, 9000)
    t = begin
    while t < end:
        t += rnd.uniform(200, 500)
        bastion(t, "systemd[1]", rnd.choice(("Starting apt-daily.service", "logrotate.service: Deactivated successfully.",
                                             "Started session cleanup.", "Reloading.")), sysl)

    # --- the vault's direct clients
    for i in range(1800):
        t = rnd.uniform(begin, end)
        transfers(t, t + 4, "10.20.3.%d:%d" % (rnd.choice((14, 15, 16)), rnd.choice((rnd.randrange(40100, 40130),
                                                                                    rnd.randrange(32768, 61000)))), 1, names)

    # --- files
    def write(name, lines, cuts, overlap):
        lines = [x for _, x in sorted(lines, key=lambda e: e[0])]
        n = len(lines)
        marks = [0] + sorted(int(n * c) for c in cuts) + [n]
        parts = []
        for i in range(len(marks) - 1):
            lo = marks[i] - (rnd.randrange(30, 150) if overlap and i else 0)
            parts.append(lines[lo:marks[i + 1]])
        parts.reverse()
        for i, part in enumerate(parts):
            data = ("\n".join(part) + "\n").encode()
            p = os.path.join(root, name) + ("" if i == 0 else ".%d" % i if i == 1 else ".%d.gz" % i)
            os.makedirs(os.path.dirname(p), exist_ok=True)
            with open(p, "wb") as f:
                f.write(data if i < 2 else gzip.compress(data, mtime=0))

    def share(lines, t):
        """Where in the lines the time t is."""
        s = sorted(x for x, _ in lines)
        return sum(x < t for x in s) / len(s)
    write("edge-a/access.log", edge_a, (.2, share(edge_a, te + 450), .7, share(edge_a, ts + 2000)), True)
    write("edge-b/access.log", edge_b, (.3, share(edge_b, te + 30), share(edge_b, ts + 1500)), True)
    write("bastion/auth.log", auth, (.25, share(auth, t1 + 600), .8), False)
    write("bastion/syslog", sysl, (.4, .75), False)
    write("bastion/forward.log", fwd, (.3, share(fwd, t3 + 300)), False)
    write("vault/audit.log", vault, (.2, share(vault, t1 + 900), share(vault, t3 + 900), share(vault, t4 + 500)), True)
    with open(os.path.join(root, "bastion/keys.txt"), "w") as f:
        f.write("\n".join(key_lines) + "\n")

    if answer_path:
        answer = {
            "entry": {"address": A, "time": iso(te), "file": keyfile},
            "foothold": {"address": B, "account": "svc-render", "time": iso(t1)},
            "persistence": {"account": "backup-op", "key": planted, "time": iso(tp)},
            "sessions": sessions,
            "share": {"token": tok, "object": shared, "addresses": sorted({D1, D2})},
            "exfiltrated": [{"object": o, "bytes": n} for o, n in sorted(taken.items())],
            "total_bytes": sum(taken.values()),
        }
        with open(answer_path, "w") as f:
            json.dump(answer, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
