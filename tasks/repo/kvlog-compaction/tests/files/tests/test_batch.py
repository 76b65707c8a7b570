import subprocess
from pathlib import Path

KVLOG = Path(__file__).resolve().parent.parent / "kvlog"


def batch(store, script, *options):
    return subprocess.run([KVLOG, *options, store, "batch"], input=script,
                          capture_output=True, text=True, timeout=20)


def test_commands_in_one_process(tmp_path):
    done = batch(tmp_path, "put a some  words\nget a\n\nput b 2\ndel a\nget a\nlist\n")
    assert (done.returncode, done.stdout) == (0, "some  words\n(none)\nb\t2\n")


def test_missing_keys_do_not_end_a_batch(tmp_path):
    done = batch(tmp_path, "del a\nget a\nput a 1\nget a")
    assert (done.returncode, done.stdout) == (0, "(none)\n1\n")


def test_bad_line(tmp_path):
    done = batch(tmp_path, "put a 1\nget a\nwhat\nput a 2\n")
    assert done.returncode == 2
    assert done.stdout == "1\n"
    assert done.stderr == "kvlog: line 3 is no command\n"
    assert batch(tmp_path, "get a\n").stdout == "1\n"


def test_comments(tmp_path):
    assert batch(tmp_path, "# first\nput a #1\n  # second\nget a\n").stdout == "#1\n"


def test_many_keys(tmp_path):
    script = "".join(f"put key{n} {n * n}\n" for n in range(3000))
    script += "".join(f"del key{n}\n" for n in range(0, 3000, 2))
    script += "get key7\nget key8\nget key2999\n"
    assert batch(tmp_path, script, "-s", "20000").stdout == "49\n(none)\n8994001\n"
    listed = batch(tmp_path, "list\n").stdout.splitlines()
    assert len(listed) == 1500 and listed == sorted(listed)
