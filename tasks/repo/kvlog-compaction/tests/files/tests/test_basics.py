import subprocess
from pathlib import Path

import pytest

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def kvlog(*args):
    return subprocess.run([KVLOG, *map(str, args)], capture_output=True, text=True, timeout=20)


def test_version():
    done = kvlog("--version")
    assert (done.returncode, done.stdout) == (0, "kvlog 0.1\n")


def test_usage():
    done = kvlog()
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


@pytest.mark.parametrize(
    "text, crc",
    [
        pytest.param("", "00000000", id="empty"),
        pytest.param("a", "e8b7be43", id="one"),
        pytest.param("123456789", "cbf43926", id="check-value"),
    ],
)
def test_crc(text, crc):
    assert kvlog("--crc", text).stdout == crc + "\n"


def test_dump_shows_the_records(tmp_path):
    store = tmp_path / "store"
    assert kvlog(store, "put", "a", "one").returncode == 0
    assert kvlog(store, "put", "bb", "two words").returncode == 0
    assert kvlog(store, "del", "a").returncode == 0
    assert kvlog(store, "dump").stdout == "1:0 put a one\n1:17 put bb two words\n1:41 del a\n"


def test_record_on_disk(tmp_path):
    kvlog(tmp_path, "put", "k", "v1")
    data = (tmp_path / "000001.seg").read_bytes()
    assert data[4:] == b"\x01" + b"\x01\0\0\0" + b"\x02\0\0\0" + b"kv1"
    import zlib
    assert int.from_bytes(data[:4], "little") == zlib.crc32(data[4:])


def test_empty_key_and_long_key(tmp_path):
    for key in ("", "k" * 1025):
        done = kvlog(tmp_path, "put", key, "v")
        assert done.returncode == 2
        assert done.stderr.startswith("kvlog: the key is ")
    assert kvlog(tmp_path, "put", "k" * 1024, "v").returncode == 0


def test_unknown_command(tmp_path):
    assert kvlog(tmp_path, "frobnicate").returncode == 2
    assert kvlog(tmp_path, "put", "a").returncode == 2


def test_get(tmp_path):
    kvlog(tmp_path, "put", "a", "one")
    kvlog(tmp_path, "put", "b", "")
    kvlog(tmp_path, "put", "a", "zwei, drei ü")
    assert kvlog(tmp_path, "get", "a").stdout == "zwei, drei ü\n"
    assert kvlog(tmp_path, "get", "b").stdout == "\n"


def test_get_of_a_missing_key(tmp_path):
    kvlog(tmp_path, "put", "a", "one")
    kvlog(tmp_path, "del", "a")
    for key in ("a", "b"):
        done = kvlog(tmp_path, "get", key)
        assert (done.returncode, done.stdout) == (1, "")


def test_put_after_delete(tmp_path):
    for command in (["put", "a", "1"], ["del", "a"], ["put", "a", "2"]):
        kvlog(tmp_path, *command)
    assert kvlog(tmp_path, "get", "a").stdout == "2\n"


def test_list_is_sorted(tmp_path):
    for key, value in (("b", 1), ("ab", 2), ("a", 3), ("c", 4), ("b", 5)):
        kvlog(tmp_path, "put", key, value)
    kvlog(tmp_path, "del", "c")
    assert kvlog(tmp_path, "list").stdout == "a\t3\nab\t2\nb\t5\n"


def test_list_of_nothing(tmp_path):
    assert kvlog(tmp_path, "list").stdout == ""


def test_delete_of_a_missing_key(tmp_path):
    kvlog(tmp_path, "put", "a", "1")
    assert kvlog(tmp_path, "del", "a").returncode == 0
    assert kvlog(tmp_path, "del", "a").returncode == 1
    assert kvlog(tmp_path, "dump").stdout.count("del") == 1


def test_stats(tmp_path):
    for command in (["put", "a", "1"], ["put", "b", "2"], ["del", "a"]):
        kvlog(tmp_path, *command)
    out = kvlog(tmp_path, "stats").stdout
    assert out.endswith("keys 1\nrecords 3\ntombstones 1\nbytes 44\n")
