import subprocess
from pathlib import Path

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def run(store, script):
    return subprocess.run([KVLOG, store, "batch"], input=script,
                          capture_output=True, text=True, timeout=20)


def batch(store, script):
    done = run(store, script)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def files(store):
    return sorted(path.name for path in store.iterdir() if path.suffix == ".seg")


def test_dead_records_go_away(tmp_path):
    batch(tmp_path, "put a 1\nput b 1\nput a 2\nput c 1\ndel b\ncompact\n")
    assert batch(tmp_path, "dump\n") == "1:0 put a 2\n1:15 put c 1\n"
    assert batch(tmp_path, "list\n") == "a\t2\nc\t1\n"


def test_compact_takes_all_segments(tmp_path):
    batch(tmp_path, "put b 22\nput a 1\nrotate\nput c 1\nrotate\nput a 333\ndel b\nput c 4\n")
    out = batch(tmp_path, "compact\nsegments\nlist\n")
    assert out == (
        "1 records 2 tombstones 0 bytes 32\n4 records 0 tombstones 0 bytes 0 active\n"
        "a\t333\nc\t4\n"
    )
    assert files(tmp_path) == ["000001.seg", "000004.seg"]


def test_compact_of_nothing(tmp_path):
    batch(tmp_path, "compact\nput a 1\ncompact\ndel a\ncompact\ncompact\n")
    assert batch(tmp_path, "dump\n") == ""
    assert batch(tmp_path, "put b 2\nlist\n") == "b\t2\n"


def test_writing_goes_on_after_compaction(tmp_path):
    out = batch(tmp_path, "put a 1\nput b 1\nput b 2\ncompact\nput a 3\ndel b\nput c 1\nlist\n")
    assert out == "a\t3\nc\t1\n"
    assert batch(tmp_path, "list\n") == out
    assert batch(tmp_path, "compact\nlist\n") == out


def test_range_from_the_start(tmp_path):
    script = "put a 1\nput b 1\nrotate\nput c 1\ndel a\nrotate\nput b 2\nrotate\nput d 1\n"
    batch(tmp_path, script + "compact 1 2\n")
    assert files(tmp_path) == ["000001.seg", "000003.seg", "000004.seg"]
    assert batch(tmp_path, "dump\n") == "1:0 put c 1\n3:0 put b 2\n4:0 put d 1\n"
    assert batch(tmp_path, "list\n") == "b\t2\nc\t1\nd\t1\n"


def test_range_in_the_middle(tmp_path):
    script = "put a 1\nrotate\nput b 11\nput b 22\nrotate\nput c 1\nput b 33\nrotate\nput d 1\n"
    batch(tmp_path, script + "compact 2 3\n")
    assert files(tmp_path) == ["000001.seg", "000002.seg", "000004.seg"]
    assert batch(tmp_path, "dump\n") == "1:0 put a 1\n2:0 put c 1\n2:15 put b 33\n4:0 put d 1\n"


def test_range_of_one(tmp_path):
    batch(tmp_path, "put a 1\nput a 2\nrotate\nput b 1\ncompact 1 1\n")
    assert batch(tmp_path, "dump\n") == "1:0 put a 2\n2:0 put b 1\n"


def test_bad_ranges(tmp_path):
    batch(tmp_path, "put a 1\nrotate\nput b 1\nrotate\nput c 1\n")
    for arguments in ("1 3", "3 3", "2 1", "0 1", "1 9", "1 x"):
        done = run(tmp_path, f"compact {arguments}\n")
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("kvlog: ")
    assert batch(tmp_path, "list\n") == "a\t1\nb\t1\nc\t1\n"


def test_values_can_be_read_before_and_after(tmp_path):
    out = batch(tmp_path, "put a 1\nput b 2\nget a\nget b\nrotate\nget a\nput c 3\nlist\n")
    assert out == "1\n2\n1\na\t1\nb\t2\nc\t3\n"
