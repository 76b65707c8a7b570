import gzip
import hashlib
import json
import os
from datetime import datetime

CASE = "/srv/case"
HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "expected.json")) as _f:
    WANT = json.load(_f)


def answer():
    with open(CASE + "/answer.json", encoding="utf-8") as f:
        return json.load(f)


def near(a, b):
    form = "%Y-%m-%dT%H:%M:%SZ"
    return abs((datetime.strptime(a, form) - datetime.strptime(b, form)).total_seconds()) <= 2


def same(got, want):
    """Equal objects, times apart."""
    assert set(got) == set(want)
    for k in want:
        if k in ("time", "start"):
            assert near(got[k], want[k]), k
        else:
            assert type(got[k]) is type(want[k]) and got[k] == want[k], k


def test_evidence_untouched():
    with open(os.path.join(HERE, "evidence.json")) as f:
        digests = json.load(f)
    for name, digest in digests.items():
        with open(os.path.join(CASE, name), "rb") as f:
            data = f.read()
        if name.endswith(".gz"):
            data = gzip.decompress(data)
        assert hashlib.sha256(data).hexdigest() == digest, name


def test_shape():
    got = answer()
    assert set(got) == set(WANT)
    objects = [e["object"] for e in got["exfiltrated"]]
    assert objects and objects == sorted(set(objects))
    assert type(got["total_bytes"]) is int
    assert got["total_bytes"] == sum(e["bytes"] for e in got["exfiltrated"])


def test_entry():
    got = answer()
    same(got["entry"], WANT["entry"])


def test_foothold():
    got = answer()
    same(got["foothold"], WANT["foothold"])


def test_persistence():
    got = answer()
    same(got["persistence"], WANT["persistence"])


def test_sessions():
    got = answer()
    assert len(got["sessions"]) == len(WANT["sessions"])
    for a, b in zip(got["sessions"], WANT["sessions"]):
        same(a, b)


def test_share():
    got = answer()
    same(got["share"], WANT["share"])


def test_exfiltrated_objects():
    got = answer()
    assert [e["object"] for e in got["exfiltrated"]] == [e["object"] for e in WANT["exfiltrated"]]


def test_exfiltrated_bytes():
    got = answer()
    assert got["exfiltrated"] == WANT["exfiltrated"]
    assert got["total_bytes"] == WANT["total_bytes"]
