import json
import os
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_store  # noqa: E402
import reference  # noqa: E402

ROOT = "/srv/kestrel"
REPORT = ROOT + "/recovered.json"
TOOL = ROOT + "/recover"
SEED = "20417"


@pytest.fixture(scope="module")
def shipped():
    data, journal, _, _ = make_store.build(SEED)
    return data, journal, reference.recover(data, journal)


def load():
    with open(REPORT, encoding="utf-8") as f:
        return json.load(f)


def same(a, b):
    """Equal, and a number is a number: neither True nor 1.0 is 1."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def run(tmp_path, data, journal):
    d, j, o = tmp_path / "in put.kdb", tmp_path / "x.kdj", tmp_path / "out.json"
    d.write_bytes(data)
    j.write_bytes(journal)
    if o.exists():
        o.unlink()
    p = subprocess.run([TOOL, str(d), str(j), str(o)], cwd="/", timeout=60, capture_output=True)
    assert p.returncode == 0, p.stderr.decode(errors="replace")[-2000:]
    assert d.read_bytes() == data and j.read_bytes() == journal
    return json.loads(o.read_text(encoding="utf-8"))


def check(got, want):
    for part in ("transactions", "damaged", "records"):
        assert same(got[part], want[part]), part
    assert set(got) == set(want)


def test_evidence_untouched(shipped):
    with open(ROOT + "/store.kdb", "rb") as f:
        assert f.read() == shipped[0]
    with open(ROOT + "/store.kdj", "rb") as f:
        assert f.read() == shipped[1]


def test_report_shape():
    report = load()
    assert set(report) == {"records", "damaged", "transactions"}
    assert set(report["transactions"]) == {"committed", "discarded"}
    for r in report["records"]:
        assert set(r) == {"key", "version", "txid", "type", "value"}
    keys = [r["key"].encode() for r in report["records"]]
    assert keys and keys == sorted(set(keys))


def test_transactions(shipped):
    report = load()
    assert same(report["transactions"], shipped[2]["transactions"])


def test_damaged_slots(shipped):
    report = load()
    assert same(report["damaged"], shipped[2]["damaged"])


def test_records(shipped):
    report = load()
    want = {r["key"]: r for r in shipped[2]["records"]}
    got = {r["key"]: r for r in report["records"]}
    assert not set(want) - set(got), "records missing"
    assert not set(got) - set(want), "records that must not be there"
    wrong = [k for k in want if not same(want[k], got[k])]
    assert not wrong, "%d records differ" % len(wrong)


def test_tool_reproduces_report(shipped, tmp_path):
    report = load()
    check(run(tmp_path, shipped[0], shipped[1]), report)


def test_tool_on_other_stores(tmp_path):
    for seed, damage, nkeys, ntx in (("a1", False, 60, 12), ("a2", True, 150, 30), ("a3", True, 300, 40),
                                     ("a4", True, 90, 50), ("a5", True, 200, 24)):
        data, journal, live, committed = make_store.build(seed, damage, nkeys, ntx)
        got = run(tmp_path, data, journal)
        check(got, reference.recover(data, journal))
        if not damage:
            assert got["transactions"]["committed"] == committed
            assert [r["key"] for r in got["records"]] == sorted(live, key=str.encode)


def test_tool_on_cut_journal(tmp_path):
    data, journal, _, _ = make_store.build("cut", True, 80, 30)
    for part in (0.15, 0.5, 0.77):
        n = int(len(journal) * part)
        for end in (n, n + 7):
            check(run(tmp_path, data, journal[:end]), reference.recover(data, journal[:end]))


def test_tool_without_usable_journal(tmp_path):
    data, journal, _, _ = make_store.build("none", True, 80, 30)
    bad = bytearray(journal)
    bad[13] ^= 1
    _, other, _, _ = make_store.build("other", True, 80, 30)
    for j in (b"", journal[:20], bytes(bad), other):
        want = reference.recover(data, j)
        assert want["transactions"] == {"committed": [], "discarded": []}
        check(run(tmp_path, data, j), want)
