import fcntl
import subprocess
from pathlib import Path

import pytest

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def kvlog(*args):
    return subprocess.run([KVLOG, *map(str, args)], capture_output=True, text=True, timeout=20)


@pytest.fixture
def store(tmp_path):
    kvlog(tmp_path, "put", "a", "one")
    kvlog(tmp_path, "put", "b", "two")
    return tmp_path


@pytest.mark.parametrize("lost", [pytest.param(n, id=f"lost-{n}") for n in (1, 3, 4, 10, 16)])
def test_cut_record_at_the_end(store, lost):
    path = store / "000001.seg"
    data = path.read_bytes()
    path.write_bytes(data[:-lost])
    assert kvlog(store, "list").stdout == "a\tone\n"
    kvlog(store, "put", "c", "three")
    assert kvlog(store, "list").stdout == "a\tone\nc\tthree\n"


def test_wrong_checksum_at_the_end(store):
    path = store / "000001.seg"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert kvlog(store, "list").stdout == "a\tone\n"
    assert path.stat().st_size == 17


def test_damage_in_a_sealed_segment_is_an_error(store):
    kvlog(store, "rotate")
    path = store / "000001.seg"
    path.write_bytes(path.read_bytes()[:-1])
    done = kvlog(store, "list")
    assert done.returncode == 2
    assert done.stderr == "kvlog: segment 1 is damaged at 17\n"


def test_temporary_files_are_removed(store):
    (store / "compact.tmp").write_bytes(b"left by a crash")
    assert kvlog(store, "list").stdout == "a\tone\nb\ttwo\n"
    assert not (store / "compact.tmp").exists()


def test_a_store_in_use_is_locked(store):
    with open(store / "lock", "r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = kvlog(store, "list")
        assert done.returncode == 2
        assert done.stderr.endswith(" is in use by another process\n")
    assert kvlog(store, "list").returncode == 0
