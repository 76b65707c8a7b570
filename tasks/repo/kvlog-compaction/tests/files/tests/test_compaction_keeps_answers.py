import random
import shutil
import subprocess
from pathlib import Path

import pytest

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def batch(store, *lines):
    """Run commands in one process; their output as a list of lines."""
    script = "".join(f"{line}\n" for part in lines for line in part.split("; "))
    done = subprocess.run([KVLOG, store, "batch"], input=script,
                          capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def get(store, key):
    done = subprocess.run([KVLOG, store, "get", key], capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.stdout[:-1] if done.returncode == 0 else None


def records(store):
    """What dump shows, without the offsets: 'SEGMENT put KEY VALUE'."""
    out = []
    for line in batch(store, "dump"):
        place, rest = line.split(" ", 1)
        out.append(place.split(":")[0] + " " + rest)
    return out


# Deleted keys

@pytest.mark.parametrize(
    "script",
    [
        pytest.param("put a 1; rotate; del a; put b 1; rotate; compact 2 2", id="one-segment"),
        pytest.param("put a 1; rotate; put a 22; rotate; del a; rotate; put b 1; compact 2 3",
                     id="middle"),
        pytest.param("put b 1; put a 1; rotate; put c 1; rotate; put d 1; rotate; del a; del d;"
                     " del c; rotate; compact 2 4", id="all-but-the-first"),
        pytest.param("put a 1; rotate; del a; put a 22; del a; put b 1; rotate; compact 2 2; compact 2 2",
                     id="twice"),
    ],
)
def test_deleted_key_stays_deleted(tmp_path, script):
    assert batch(tmp_path, script, "get a; get b") == ["(none)", "1"]
    assert get(tmp_path, "a") is None
    assert get(tmp_path, "b") == "1"


def test_deleted_key_stays_deleted_through_compactions(tmp_path):
    batch(tmp_path, "put z 1; rotate; put a 1; put b 1; rotate; del a; rotate; put c 1; rotate")
    batch(tmp_path, "compact 3 4")
    batch(tmp_path, "put d 1; rotate; compact 3 5")
    assert batch(tmp_path, "list") == ["b\t1", "c\t1", "d\t1", "z\t1"]
    batch(tmp_path, "compact 2 3")
    assert batch(tmp_path, "list") == ["b\t1", "c\t1", "d\t1", "z\t1"]
    batch(tmp_path, "compact 1 2")
    assert batch(tmp_path, "list") == ["b\t1", "c\t1", "d\t1", "z\t1"]


def test_kept_tombstones_go_when_the_range_reaches_the_oldest(tmp_path):
    batch(tmp_path, "put a 1; put b 1; rotate; del a; rotate; put c 1; rotate; compact 2 3")
    assert sum(line.endswith(" del a") for line in records(tmp_path)) == 1
    batch(tmp_path, "compact 1 2")
    assert sorted(records(tmp_path)) == ["1 put b 1", "1 put c 1"]
    assert get(tmp_path, "a") is None


def test_kept_tombstones_are_counted(tmp_path):
    script = "put a 1; put b 1; rotate; del a; put c 1; del b; rotate; put d 4; compact 2 2"
    out = batch(tmp_path, script, "segments; stats")
    assert out == [
        "1 records 2 tombstones 0 bytes 30",
        "2 records 3 tombstones 2 bytes 43",
        "3 records 1 tombstones 0 bytes 15 active",
        "segments 3", "keys 2", "records 6", "tombstones 2", "bytes 88",
    ]
    assert batch(tmp_path, "segments; stats") == out


def test_no_tombstone_for_a_key_put_again(tmp_path):
    batch(tmp_path, "put a 1; put b 1; rotate; del a; del b; put a 22; rotate; put x 1; put b 3; compact 2 2")
    assert records(tmp_path) == ["1 put a 1", "1 put b 1", "2 put a 22", "3 put x 1", "3 put b 3"]
    assert batch(tmp_path, "list") == ["a\t22", "b\t3", "x\t1"]


def test_full_compaction_leaves_no_tombstones(tmp_path):
    batch(tmp_path, "put a 1; put b 1; rotate; del a; put c 1; rotate; del c; compact")
    assert records(tmp_path) == ["1 put b 1"]
    assert batch(tmp_path, "list") == ["b\t1"]


def test_range_from_the_oldest_leaves_no_tombstones(tmp_path):
    batch(tmp_path, "put a 1; put b 1; rotate; del a; put c 1; rotate; del c; put d 1; compact 1 2")
    assert records(tmp_path) == ["1 put b 1", "3 del c", "3 put d 1"]
    assert batch(tmp_path, "list") == ["b\t1", "d\t1"]


def test_range_of_dead_records_only(tmp_path):
    batch(tmp_path, "put a 1; rotate; put x 1; put b 1; rotate; put b 2; put y 1; put x 2; compact 2 2")
    assert records(tmp_path) == ["1 put a 1", "3 put b 2", "3 put y 1", "3 put x 2"]
    assert batch(tmp_path, "rotate; compact 2 3; list") == ["a\t1", "b\t2", "x\t2", "y\t1"]


# Last writes

def test_last_write_survives_in_the_process(tmp_path):
    out = batch(tmp_path, "put cfg 1; put k a; rotate; put cfg 2; put k b; compact 1 1; get cfg; get k; list")
    assert out == ["2", "b", "cfg\t2", "k\tb"]
    assert batch(tmp_path, "list") == ["cfg\t2", "k\tb"]


def test_last_write_survives_a_second_compaction(tmp_path):
    batch(tmp_path, "put x 1; put k old; rotate; put y 1; put k new; put x 2; rotate; put z 1;"
                    " compact 1 1; compact 1 2")
    assert batch(tmp_path, "list") == ["k\tnew", "x\t2", "y\t1", "z\t1"]


def test_delete_after_a_compaction(tmp_path):
    out = batch(tmp_path, "put k 1; rotate; put k 2; compact 1 1; del k; get k; rotate; compact 2 2; get k")
    assert out == ["(none)", "(none)"]
    assert get(tmp_path, "k") is None


def test_replaced_puts_are_dropped_at_any_offset(tmp_path):
    batch(tmp_path, "put a 1; put b 1; rotate; put a 2; put c 1; rotate; put a 3; put b 2; compact 1 2")
    assert records(tmp_path) == ["1 put c 1", "3 put a 3", "3 put b 2"]


# Values read before a compaction

def test_get_before_and_after(tmp_path):
    out = batch(tmp_path, "put a 1; put b 1; put a 2; put c 3; rotate; get a; get b; get c;"
                          " del b; compact; get a; get b; get c; list")
    assert out == ["2", "1", "3", "2", "(none)", "3", "a\t2", "c\t3"]


def test_list_before_and_after_a_range(tmp_path):
    script = "put q 0; rotate; put a 1; put b 11; rotate; put a 22; put c 1; rotate; put d 1"
    listed = ["a\t22", "b\t11", "c\t1", "d\t1", "q\t0"]
    out = batch(tmp_path, script, "list; compact 2 3; list; compact 1 2; list; compact; list")
    assert out == listed * 4
    assert batch(tmp_path, "list") == listed


def test_values_of_one_length_are_not_mixed_up(tmp_path):
    puts = [f"put k{n} v{n}" for n in range(8)]
    dels = [f"del k{n}" for n in range(0, 8, 2)]
    left = [f"k{n}\tv{n}" for n in range(1, 8, 2)]
    out = batch(tmp_path, *puts, "rotate; get k1; get k7", *dels, "compact 1 1; list; put k0 new; get k0")
    assert out == ["v1", "v7", *left, "new"]
    assert batch(tmp_path, "list") == ["k0\tnew", *left]


# In general

class Model:
    """Random commands with the answers they must give."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.values = {}
        self.sealed = []
        self.active, self.dirty = 1, False

    def rotate(self):
        if self.dirty:
            self.sealed.append(self.active)
            self.active += 1
            self.dirty = False

    def listed(self):
        return [f"{key}\t{value}" for key, value in sorted(self.values.items())]

    def step(self):
        key = self.random.choice("abcdef")
        dice = self.random.random()
        if dice < 0.35:
            self.values[key] = self.random.choice(["1", "22", "333"]) + str(self.random.randrange(10))
            self.dirty = True
            return f"put {key} {self.values[key]}", []
        if dice < 0.55:
            self.dirty |= self.values.pop(key, None) is not None
            return f"del {key}", []
        if dice < 0.70:
            return f"get {key}", [self.values.get(key, "(none)")]
        if dice < 0.85:
            self.rotate()
            return "rotate", []
        if dice < 0.88:
            self.rotate()
            del self.sealed[1:]
            return "compact", []
        if dice < 0.96 and self.sealed:
            low, high = sorted(self.random.choices(range(len(self.sealed)), k=2))
            line = f"compact {self.sealed[low]} {self.sealed[high]}"
            del self.sealed[low + 1:high + 1]
            return line, []
        return "list", self.listed()


@pytest.mark.parametrize("seed", [pytest.param(n, id=f"seed-{n}") for n in range(1, 7)])
def test_any_sequence(tmp_path, seed):
    model = Model(seed)
    for _ in range(4):
        lines, expected = [], []
        for _ in range(120):
            line, answer = model.step()
            lines.append(line)
            expected += answer
        assert batch(tmp_path, *lines, "list") == expected + model.listed()
    assert batch(tmp_path, "list") == model.listed()
    counts = batch(tmp_path, "compact; stats")
    assert counts[1:4] == [f"keys {len(model.values)}", f"records {len(model.values)}", "tombstones 0"]
    assert batch(tmp_path, "list") == model.listed()


# What stays as it is

def test_crash_while_old_segments_are_removed(tmp_path):
    before = tmp_path / "before"
    batch(before, "put a 1; put b 1; rotate; put a 22; put c 1; rotate; del b; put d 1; rotate; del d; put e 1")
    listed = batch(before, "list")
    after = tmp_path / "after"
    shutil.copytree(before, after)
    batch(after, "compact 1 3")
    for removed in range(3):
        # The new segment 1 is there, and some of the old ones still are.
        store = tmp_path / f"crash{removed}"
        shutil.copytree(after, store)
        for number in (2, 3)[removed:]:
            shutil.copy(before / f"00000{number}.seg", store)
        assert batch(store, "list") == listed
        assert batch(store, "compact; list") == listed


def test_cut_record_after_a_compaction(tmp_path):
    batch(tmp_path, "put aa 1; rotate; put b 1; rotate; del b; compact 1 2; put c 1; put dd 22")
    path = tmp_path / "000003.seg"
    path.write_bytes(path.read_bytes()[:-1])
    assert batch(tmp_path, "list") == ["aa\t1", "c\t1"]


def test_segment_numbers(tmp_path):
    batch(tmp_path, "put a 1; rotate; put bb 1; rotate; put ccc 1; rotate; put dddd 1; compact 2 3")
    assert sorted(path.name for path in tmp_path.glob("*.seg")) == ["000001.seg", "000002.seg", "000004.seg"]
    assert batch(tmp_path, "rotate; put e 1; segments")[-1] == "5 records 1 tombstones 0 bytes 15 active"
    assert not list(tmp_path.glob("*.tmp"))
