#!/bin/bash
set -eu
cat > /tmp/solve_case.py <<'PY'
import glob, gzip, ipaddress, json, os, posixpath, re, urllib.parse
from datetime import datetime, timedelta, timezone

CASE = "/srv/case/"
UTC = timezone.utc


def lines(name):
    """All lines of a log from the oldest to the newest."""
    def age(p):
        m = re.search(r"\.log\.(\d+)|syslog\.(\d+)", p)
        return int(m.group(1) or m.group(2)) if m else 0
    for p in sorted(glob.glob(CASE + name + "*"), key=age, reverse=True):
        with (gzip.open if p.endswith(".gz") else open)(p, "rt") as f:
            yield from (x.rstrip("\n") for x in f)


def iso(t):
    return datetime.fromtimestamp(int(t + .0005), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- the edges
trusted = [ipaddress.ip_network(n) for n in ("10.20.0.0/16", "192.0.2.0/28")]
tester_net = ipaddress.ip_network("198.51.100.16/29")
test_from, test_to = (datetime(2025, 10, 31, 8, tzinfo=UTC).timestamp(), datetime(2025, 11, 1, 18, tzinfo=UTC).timestamp())


def client(xff):
    for a in reversed([x.strip() for x in xff.split(",")]):
        if not any(ipaddress.ip_address(a) in n for n in trusted):
            return a


web, seen = [], set()
pat = re.compile(r'\S+ - - \[([^]]+)\] "(\S+) (\S+) HTTP/1.1" (\d+) (\d+) "[^"]*" "[^"]*" xff="([^"]*)" rid=(\w+)')
for x in lines("edge-a/access.log"):
    stamp, method, uri, st, n, xff, rid = pat.match(x).groups()
    if rid not in seen:
        seen.add(rid)
        web.append((datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z").timestamp(), client(xff), method, uri, int(st), int(n)))
for x in lines("edge-b/access.log"):
    e = json.loads(x)
    if e["rid"] not in seen:
        seen.add(e["rid"])
        web.append((datetime.fromisoformat(e["ts"]).timestamp(), client(e["xff"]), e["method"], e["uri"], e["status"], e["sent"]))
web.sort()

base = "/srv/render/templates"
hits = []
for t, c, method, uri, st, n in web:
    u = urllib.parse.urlsplit(uri)
    if u.path != "/preview" or st != 200 or n == 1532:
        continue
    tpl = urllib.parse.unquote(urllib.parse.parse_qs(u.query)["tpl"][0])
    path = posixpath.normpath(posixpath.join(base, tpl))
    if path.startswith(base + "/"):
        continue
    if ipaddress.ip_address(c) in tester_net and test_from <= t <= test_to:
        continue
    hits.append((t, c, path))
assert len({c for _, c, _ in hits}) == 1, hits
files = [p for _, _, p in hits if re.search("key|ed25519|id_", p.rsplit("/", 1)[1])]
entry = {"address": hits[0][1], "time": iso(hits[0][0]), "file": files[0]}
assert len(set(files)) == 1, files

# --- the clock of the bastion
MON = {m: i + 1 for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}


def by_clock(name):
    """(the bastion's clock as UTC seconds, text): the hour that came twice is told apart by the order"""
    off, last = -5, None
    change = datetime(2025, 11, 2, 7, tzinfo=UTC).timestamp()
    for x in lines(name):
        mon, day, hms = x[:3], int(x[4:6]), x[7:15]
        h, m, s = map(int, hms.split(":"))
        local = datetime(2025, MON[mon], day, h, m, s, tzinfo=UTC).timestamp()
        if off == -5 and ((last is not None and local < last - 1800) or local + 5 * 3600 >= change + 3600):
            off = -6
        last = local
        yield local - off * 3600, x[16:]


step = skew = None
for c, text in by_clock("bastion/syslog"):
    m = re.search(r"System clock was stepped by (-?[\d.]+) seconds", text)
    if m:
        skew, step = -float(m.group(1)), c          # the first second after the step


def corrected(events):
    """True time of events given by the bastion's clock, in order: once it falls back, it is right"""
    stepped, last = False, None
    for c, e in events:
        if not stepped and (c > step + skew + 1 or (last is not None and last >= step and c < last - 60)):
            stepped = True
        last = c
        yield (c if stepped else c - skew), e


ours = {}
for x in open(CASE + "bastion/keys.txt"):
    if not x.startswith("#"):
        f, owner = x.split(None, 1)
        ours[f] = owner.strip()

logons, planted_at = [], []
for t, text in corrected(by_clock("bastion/auth.log")):
    m = re.search(r"sshd\[(\d+)\]: Accepted publickey for (\S+) from (\S+) port \d+ ssh2: \S+ (\S+)", text)
    if m:
        pid, user, source, key = m.groups()
        bad = key not in ours or (user == "svc-render" and source not in ("10.20.3.14", "198.51.100.140"))
        logons.append((t, int(pid), user, source, key, bad))
    m = re.search(r"sudo: svc-render : .*COMMAND=\S*tee -a /home/([^/]+)/.ssh/authorized_keys", text)
    if m:
        planted_at.append((t, m.group(1)))
bad = [x for x in logons if x[5]]
new = {x[4] for x in bad if x[4] not in ours}
assert len(new) == 1 and len(planted_at) == 1

# --- forwardings of the intruder
forwards, opened = [], {}
for t, e in corrected((json.loads(x)["t"] / 1000, json.loads(x)) for x in lines("bastion/forward.log")):
    if e["ev"] == "open":
        owner = max((x for x in logons if x[1] == e["pid"] and x[2] == e["user"] and x[0] <= t + 2), key=lambda x: x[0])
        opened[e["lport"]] = (t, owner)
    else:
        lo, owner = opened.pop(e["lport"])
        if owner[5]:
            forwards.append((e["lport"], lo, t))

# --- the vault
taken, share, seen = {}, [], set()
for x in lines("vault/audit.log"):
    stamp, rest = x.split(" ", 1)
    d = dict(re.findall(r'(\w+)="?([^" ]*)"?', rest))
    if d["eid"] in seen:
        continue
    seen.add(d["eid"])
    t = datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    ip, port = d["peer"].split(":")
    if ip != "10.20.0.9" or not any(int(port) == p and lo <= t <= hi for p, lo, hi in forwards):
        continue
    if d["op"] == "GET" and d["st"] in ("200", "206", "499"):
        taken[d["obj"]] = taken.get(d["obj"], 0) + int(d["sent"])
    if d["op"] == "SHARE":
        share.append((d["tok"], d["obj"]))
assert len(share) == 1, share
token, obj = share[0]
who = set()
for t, c, method, uri, st, n in web:
    if urllib.parse.urlsplit(uri).path == "/s/" + token and st in (200, 206, 499) and n:
        who.add(c)
        taken[obj] = taken.get(obj, 0) + n

answer = {
    "entry": entry,
    "foothold": {"address": bad[0][3], "account": bad[0][2], "time": iso(bad[0][0])},
    "persistence": {"account": planted_at[0][1], "key": new.pop(), "time": iso(planted_at[0][0])},
    "sessions": [{"account": x[2], "address": x[3], "start": iso(x[0])} for x in bad],
    "share": {"token": token, "object": obj, "addresses": sorted(who)},
    "exfiltrated": [{"object": o, "bytes": taken[o]} for o in sorted(taken)],
    "total_bytes": sum(taken.values()),
}
with open(CASE + "answer.json", "w") as f:
    json.dump(answer, f, indent=1)
    f.write("\n")
PY
python3 /tmp/solve_case.py
rm /tmp/solve_case.py
