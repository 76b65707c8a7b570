import subprocess
from pathlib import Path

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def batch(store, script, *options):
    done = subprocess.run([KVLOG, *options, store, "batch"], input=script,
                          capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def files(store):
    return sorted(path.name for path in store.glob("*.seg"))


def test_a_new_segment_at_the_limit(tmp_path):
    # Each record has 20 bytes.
    batch(tmp_path, "".join(f"put key{n} val\n" for n in range(5)), "-s", "40")
    assert files(tmp_path) == ["000001.seg", "000002.seg", "000003.seg"]
    assert [path.stat().st_size for path in sorted(tmp_path.glob("*.seg"))] == [40, 40, 20]
    assert batch(tmp_path, "get key0\nget key4\n") == "val\nval\n"


def test_a_record_beyond_the_limit_has_its_own_segment(tmp_path):
    batch(tmp_path, "put a 1\nput b " + "x" * 100 + "\nput c 3\n", "-s", "30")
    assert len(files(tmp_path)) == 3
    assert batch(tmp_path, "list\n") == "a\t1\nb\t" + "x" * 100 + "\nc\t3\n"


def test_later_segments_win(tmp_path):
    batch(tmp_path, "put a 1\nput b 1\nput a 2\ndel b\nput c 3\n", "-s", "1")
    assert len(files(tmp_path)) == 5
    assert batch(tmp_path, "list\n") == "a\t2\nc\t3\n"


def test_bad_size(tmp_path):
    done = subprocess.run([KVLOG, "-s", "many", tmp_path, "list"], capture_output=True, text=True)
    assert done.returncode == 2


def test_rotate_and_segments(tmp_path):
    out = batch(tmp_path, "rotate\nput a 1\nput b 1\nrotate\nrotate\ndel b\nsegments\n")
    assert out == "1 records 2 tombstones 0 bytes 30\n2 records 1 tombstones 1 bytes 14 active\n"
    assert batch(tmp_path, "segments\n") == out
    assert batch(tmp_path, "list\n") == "a\t1\n"
