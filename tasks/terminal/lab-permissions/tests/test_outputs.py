import errno
import grp
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_lab  # noqa: E402

WORLD = make_lab.lab("6218")
FILES = {path: what for path, kind, *_, what in WORLD if kind == "f"}
OWNERS = {path: owner for path, _, owner, *_ in WORLD}
LAB = "/srv/lab"
PROJECTS = LAB + "/projects"
TEAMS = {"optics": ("ada", "ben", "fay"), "acoustics": ("dov", "elin", "fay")}
PEOPLE = ("ada", "ben", "dov", "elin", "fay", "gus", "hana")
EVERYONE = PEOPLE + ("intake", "indexd", "beamd", "nobody")
SET_ID = {"/usr/bin/chfn": 0o4755, "/usr/bin/chsh": 0o4755, "/usr/bin/gpasswd": 0o4755, "/usr/bin/mount": 0o4755,
          "/usr/bin/newgrp": 0o4755, "/usr/bin/passwd": 0o4755, "/usr/bin/su": 0o4755, "/usr/bin/umount": 0o4755,
          "/usr/bin/chage": 0o2755, "/usr/bin/expiry": 0o2755, "/usr/sbin/unix_chkpwd": 0o2755}
RUNS = {path for path, kind, _, _, mode, _ in WORLD if kind == "f" and mode & 0o100}
LEAVING = [PROJECTS + p for p in ("/optics/work/accounts", "/optics/work/runs/neighbours", "/optics/work/hop",
                                  "/optics/work/runs/hop", "/optics/published/mirror", "/optics/published/home",
                                  "/acoustics/published/key")]
STAYING = [PROJECTS + p for p in ("/optics/work/latest", "/optics/work/atlas", "/optics/work/runs/back", "/optics/work/next",
                                  "/acoustics/work/current")]


# --- acting as a user

class Actor:
    """A process of a user, which makes calls until it is told to end."""

    def __init__(self, uid, gid, groups):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            try:
                ours.close()
                os.setgroups(groups)
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
                os.chdir("/")
                with theirs.makefile("rwb") as lines:
                    for line in lines:
                        lines.write(json.dumps(answer(*json.loads(line))).encode() + b"\n")
                        lines.flush()
            finally:
                os._exit(0)
        theirs.close()
        self.lines = ours.makefile("rwb")
        ours.close()

    def ask(self, *what):
        self.lines.write(json.dumps(what).encode() + b"\n")
        self.lines.flush()
        return json.loads(self.lines.readline() or '{"broken": true}')

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.lines.close()


def answer(call, args, umask):
    os.umask(umask)
    try:
        return {"is": globals()[call](*args)}
    except PermissionError:
        return {"is": False}
    except OSError as e:
        return {"error": str(e)}


ACTORS = {}


@pytest.fixture(autouse=True)
def actors():
    """None outlives its test: programs that a later one starts as the same user meet no process of ours."""
    yield
    while ACTORS:
        ACTORS.popitem()[1].end()


def act(user, call, *args, umask=0o22):
    """What the call gives when the user makes it; False where the system refuses. A user is a name, or (uid, gid, groups)."""
    if user not in ACTORS:
        if isinstance(user, str):
            p = pwd.getpwnam(user)
            ACTORS[user] = Actor(p.pw_uid, p.pw_gid, os.getgrouplist(user, p.pw_gid))
        else:
            ACTORS[user] = Actor(*user)
    got = ACTORS[user].ask(call.__name__, args, umask)
    assert "is" in got, (user, call.__name__, args, got)
    return got["is"]


def read(path):
    with open(path, "rb") as f:
        f.read()
    return True


def write(path):
    with open(path, "ab"):
        return True


def listing(path):
    os.listdir(path)
    return True


def add(path):
    with open(path, "xb") as f:
        f.write(b"made by a test\n")
    return True


def add_folder(path):
    os.mkdir(path)
    return True


def remove(path):
    os.unlink(path)
    return True


def rename(path, new):
    try:
        os.rename(path, new)
    except OSError as e:
        if e.errno != errno.EXDEV:      # allowed, but an overlay does not move a folder of its lower layer
            raise
    return True


def chmod(path):
    """Whether the mode may be changed; sets the mode that it has."""
    os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))
    return True


def runs(path):
    return os.access(path, os.X_OK)


def reach(path):
    os.lstat(path)
    return True


def can_rename(user, path):
    new = path + ".test-renamed"
    if act(user, rename, path, new):
        if os.path.lexists(new):
            os.rename(new, path)
        return True
    return False


def can_add(user, folder):
    path = folder + "/test-added"
    if act(user, add, path):
        os.unlink(path)
        return True
    return False


def only(users, call, path, among=EVERYONE):
    """Just these users can do it to the path."""
    got = {u for u in among if act(u, call, path)}
    assert got == set(users), "%s %r: %s" % (call.__name__, path, sorted(got ^ set(users), key=str))


def below(top):
    yield top
    for folder, dirs, files in os.walk(top):
        for name in dirs + files:
            yield os.path.join(folder, name)


def bits(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def group(path):
    return grp.getgrgid(os.lstat(path).st_gid).gr_name


def owner(path):
    return pwd.getpwuid(os.lstat(path).st_uid).pw_name


def kept(top, kind=os.path.isfile):
    """What lay below this folder and still has to."""
    paths = [p for p, *_ in WORLD if p.startswith(top + "/") and p not in make_lab.KEY_COPIES and p not in LEAVING]
    return [p for p in paths if not os.path.islink(p) and kind(p)]


def root_alone(path):
    """Root's, and nobody else can change it, in itself or by its name."""
    while True:
        assert os.lstat(path).st_uid == 0, path
        for user in EVERYONE:
            if os.path.isdir(path):
                assert not can_add(user, path), (user, path)
            else:
                assert not act(user, write, path), (user, path)
        if path == "/":
            return
        path = os.path.dirname(path)


# --- what has to stay

def test_contents_are_kept():
    for path, text in FILES.items():
        if path in make_lab.KEY_COPIES or path in ("/etc/cron.d/lab", "/var/lib/lab/index.txt"):
            continue
        assert stat.S_ISREG(os.lstat(path).st_mode), path
        with open(path) as f:
            assert f.read() == text, path
    for path, (source, *_) in make_lab.PROGRAMS.items():
        with open(path, "rb") as a, open(source, "rb") as b:
            assert a.read() == b.read(), path


def test_links_that_stay_inside_are_kept():
    targets = {path: what for path, kind, *_, what in WORLD if kind == "l"}
    for path in STAYING:
        assert os.readlink(path) == targets[path]
    assert os.readlink("/home/ivo/share") == "/srv/lab/exchange"


def test_targets_of_links_are_untouched():
    assert bits("/etc/shadow") == 0o640 and owner("/etc/shadow") == "root" and group("/etc/shadow") == "shadow"
    assert bits("/etc/passwd") == 0o644 and owner("/etc/passwd") == "root"
    assert bits("/usr/share/lab/constants.txt") == 0o644
    assert owner("/usr/share/lab/constants.txt") == group("/usr/share/lab/constants.txt") == "root"


def test_programs_of_the_system_keep_their_bits():
    for path, mode in SET_ID.items():
        assert bits(path) == mode, path
        assert owner(path) == "root"


def test_users_and_teams_are_the_same():
    for name, number in make_lab.USERS.items():
        p = pwd.getpwnam(name)
        assert (p.pw_uid, p.pw_gid) == (number, number)
        assert grp.getgrnam(name).gr_gid == number
    for name, number in make_lab.GROUPS.items():
        g = grp.getgrnam(name)
        assert g.gr_gid == number
        assert sorted(g.gr_mem) == sorted(make_lab.MEMBERS[name].split())
    known = {0, 65534, *make_lab.USERS.values()}
    assert not [p.pw_name for p in pwd.getpwall() if p.pw_uid >= 1000 and p.pw_uid not in known]
    assert make_lab.GONE not in [g.gr_gid for g in grp.getgrall()]


def test_what_worked_still_works():
    for user, call, path in (
            ("beamd", read, "/etc/beam/beam.key"), ("beamd", read, "/etc/beam/beam.conf"),
            ("beamd", write, "/var/log/beam/beam.log"), ("gus", read, "/var/log/beam/beam.log"),
            ("hana", read, "/var/log/beam/beam.log.1"), ("dov", write, PROJECTS + "/acoustics/work/plan.txt"),
            ("fay", write, PROJECTS + "/acoustics/work/halls/small.txt"),
            ("elin", read, PROJECTS + "/acoustics/raw/hall-1.raw"),
            ("nobody", read, PROJECTS + "/acoustics/published/2024/decay.csv"), ("intake", listing, PROJECTS),
            ("gus", read, LAB + "/exchange/menu.txt"), ("ben", write, LAB + "/exchange/quote.txt"),
            ("ben", runs, "/home/ben/bin/go"), ("ben", write, "/home/ben/diary.txt"),
            ("fay", read, "/home/fay/.ssh/authorized_keys"), ("elin", write, "/home/elin/public/cv.txt"),
            ("gus", runs, "/usr/local/bin/beamctl"), ("gus", runs, "/usr/bin/tac"),
            ("ada", runs, "/usr/local/bin/labprint"), ("ada", listing, "/home/ada"),
            ("dov", runs, PROJECTS + "/acoustics/work/report/weekly.sh"),
            ("ben", runs, PROJECTS + "/optics/work/tools/sync-raw")):
        assert act(user, call, path), (user, call.__name__, path)


def jobs():
    """The variables, and (times, user, program, arguments) of each job"""
    variables, table = {}, []
    with open("/etc/cron.d/lab") as f:
        for line in f:
            m = re.match(r"(\w+)\s*=\s*(.*?)\s*$", line)
            if m:
                variables[m[1]] = m[2].strip("\"'")
            elif line.strip() and not line.lstrip().startswith("#"):
                *times, user, command = line.split(None, 6)
                program, *args = command.split()
                table.append((" ".join(times), user, program, " ".join(args)))
    return variables, table


def test_jobs_are_the_same():
    variables, table = jobs()
    assert variables == {"SHELL": "/bin/sh", "PATH": "/opt/lab/bin:/usr/local/bin:/usr/bin:/bin"}
    assert sorted((t, u, os.path.basename(p), a) for t, u, p, a in table) == sorted([
        ("10 2 * * *", "root", "rotate.sh", "/var/log/beam 7"), ("*/5 * * * *", "root", "sync-raw", "--team optics"),
        ("45 3 * * *", "indexd", "index.sh", ""), ("0 6 * * 1", "root", "weekly.sh", "/var/lib/lab/weekly.txt")])


# --- rule 1

@pytest.mark.parametrize("team", TEAMS)
def test_team_folder(team):
    top = "%s/%s" % (PROJECTS, team)
    for path in (LAB, PROJECTS):
        only(EVERYONE, listing, path)
        root_alone(path)
    root_alone(top)
    only(TEAMS[team], listing, top, PEOPLE + ("nobody",))
    for part in ("work", "published", "raw"):
        for user in EVERYONE:
            assert not can_rename(user, top + "/" + part), (user, part)


@pytest.mark.parametrize("team", TEAMS)
def test_work_is_shared_in_the_team(team):
    work = "%s/%s/work" % (PROJECTS, team)
    for path in below(work):
        assert group(path) == team, path
        assert os.path.islink(path) or not bits(path) & 0o7, path
    for folder in [work] + kept(work, os.path.isdir):
        only(TEAMS[team], listing, folder)
        for user in TEAMS[team]:
            assert can_add(user, folder), (user, folder)
    for path in kept(work):
        only(TEAMS[team], read, path)
        only(TEAMS[team], write, path)
        for user in TEAMS[team]:
            assert can_rename(user, path), (user, path)
        assert not can_rename("nobody", path)
        assert {u for u in TEAMS[team] if act(u, runs, path)} == (set(TEAMS[team]) if path in RUNS else set()), path


@pytest.mark.parametrize("team", TEAMS)
def test_new_files_of_the_team_are_shared(team):
    for part in ("work", "published"):
        top = "%s/%s/%s" % (PROJECTS, team, part)
        maker, other, *_ = TEAMS[team]
        for folder in [top] + kept(top, os.path.isdir):
            new = folder + "/test-new"
            try:
                assert act(maker, add_folder, new, umask=0o2)
                assert act(other, add_folder, new + "/a", umask=0o2)
                assert act(maker, add, new + "/a/b", umask=0o2)
                assert act(other, write, new + "/a/b")
                only(TEAMS[team] if part == "work" else EVERYONE, read, new + "/a/b")
                assert can_rename(other, new + "/a/b")
                assert act(other, remove, new + "/a/b")
                assert can_rename(maker, new + "/a")
            finally:
                subprocess.run(["rm", "-rf", new], check=True)


@pytest.mark.parametrize("team", TEAMS)
def test_published_is_read_by_everyone(team):
    top = "%s/%s/published" % (PROJECTS, team)
    for folder in [top] + kept(top, os.path.isdir):
        only(EVERYONE, listing, folder)
        assert {u for u in EVERYONE if can_add(u, folder)} == set(TEAMS[team]), folder
    for path in kept(top):
        only(EVERYONE, read, path)
        only(TEAMS[team], write, path)
        only(EVERYONE if path in RUNS else (), runs, path)
        assert {u for u in EVERYONE if can_rename(u, path)} == set(TEAMS[team]), path


@pytest.mark.parametrize("team", TEAMS)
def test_raw_is_written_by_intake(team):
    raw = "%s/%s/raw" % (PROJECTS, team)
    for path in below(raw):
        assert (owner(path), group(path)) == ("intake", team), path
        assert not bits(path) & 0o7, path
    readers = TEAMS[team] + ("intake",)
    for folder in [raw] + kept(raw, os.path.isdir):
        only(readers, listing, folder)
        assert {u for u in EVERYONE if can_add(u, folder)} == {"intake"}, folder
        new = folder + "/test-new"
        try:
            assert act("intake", add_folder, new, umask=0o27)
            assert act("intake", add, new + "/a", umask=0o27)
            only(readers, read, new + "/a")
            only(("intake",), write, new + "/a")
        finally:
            subprocess.run(["rm", "-rf", new], check=True)
    for path in kept(raw):
        only(readers, read, path)
        only(("intake",), write, path)
        only((), runs, path)
        assert {u for u in EVERYONE if can_rename(u, path)} == {"intake"}, path


def test_owners_of_work_are_kept():
    tops = ["%s/%s/%s" % (PROJECTS, team, part) for team in TEAMS for part in ("work", "published")]
    for path in [p for top in tops for p in kept(top)]:
        assert owner(path) == {"ivo": "hana"}.get(OWNERS[path], OWNERS[path]), path


# --- rule 2

def test_links_that_lead_out_are_gone():
    for path in LEAVING:
        assert not os.path.lexists(path), path
    for path in STAYING:
        assert group(path) == ("optics" if "/optics/" in path else "acoustics"), path


# --- rules 3 and 4

def test_exchange():
    x = LAB + "/exchange"
    only(EVERYONE, listing, x)
    only(EVERYONE, listing, x + "/kits")
    assert all(can_add(u, x) for u in EVERYONE)
    assert {u for u in EVERYONE if can_add(u, x + "/kits")} == {"ben"}
    for path in kept(x):
        its = OWNERS[path].replace("ivo", "hana")
        assert owner(path) == its
        only(EVERYONE, read, path)
        only((its,), write, path)
        assert {u for u in EVERYONE if can_rename(u, path)} == {its}, path
    assert {u for u in EVERYONE if can_rename(u, x + "/kits")} == {"ben"}
    assert act("gus", add, x + "/test-new")
    try:
        assert [u for u in EVERYONE if can_rename(u, x + "/test-new")] == ["gus"]
    finally:
        os.unlink(x + "/test-new")


def test_inbox():
    i = LAB + "/inbox"
    steward = (54321, 54321, (make_lab.GROUPS["stewards"],))
    only(("hana", steward), listing, i, EVERYONE + (steward,))
    assert all(can_add(u, i) for u in EVERYONE + (steward,))
    new = i + "/test-new"
    assert act("dov", add, new, umask=0o27)
    try:
        only(("dov", "hana", steward), read, new, EVERYONE + (steward,))
        assert {u for u in EVERYONE + (steward,) if can_rename(u, new)} == {"dov", "hana"}
        assert act("hana", remove, new)
    finally:
        if os.path.exists(new):
            os.unlink(new)
    for path in kept(i):
        assert owner(path) == OWNERS[path]
        assert not bits(path) & 0o7
        only((OWNERS[path], "hana", steward), read, path, EVERYONE + (steward,))
        only((OWNERS[path],), write, path, EVERYONE + (steward,))
        assert not can_rename("ben", path) and not can_rename(steward, path)


# --- rule 5

def test_key_is_read_by_beamd_alone():
    key = "/etc/beam/beam.key"
    only(("beamd",), read, key)
    only((), write, key)
    only((), chmod, key)
    root_alone(key)
    for user in EVERYONE:
        assert not can_rename(user, key)
    only(EVERYONE, listing, "/etc/beam")
    only(EVERYONE, read, "/etc/beam/beam.conf")
    root_alone("/etc/beam/beam.conf")


def test_copies_of_the_key_are_gone():
    for path in make_lab.KEY_COPIES:
        assert not os.path.lexists(path), path


def test_logs_of_beam():
    new = "/var/log/beam/test-new.log"
    assert act("beamd", add, new, umask=0o27)
    try:
        for path in (new, "/var/log/beam/beam.log", "/var/log/beam/beam.log.1"):
            only(("beamd", "gus", "hana"), read, path)
            only(("beamd",), write, path)
    finally:
        os.unlink(new)
    assert {u for u in EVERYONE if can_add(u, "/var/log/beam")} == {"beamd"}


# --- rule 6

def machine():
    for folder, dirs, files in os.walk("/"):
        if folder == "/":
            dirs[:] = [d for d in dirs if d not in ("proc", "sys", "dev", "tests", "logs", "solution")]
        for name in dirs + files:
            yield os.path.join(folder, name)


def test_set_uid_and_set_gid_programs():
    found = {}
    for path in machine():
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and mode & 0o6000:
            found[path] = stat.S_IMODE(mode) & 0o7000
    assert found == {**{p: m & 0o7000 for p, m in SET_ID.items()}, "/usr/local/bin/beamctl": 0o2000}
    assert [oct(bits(p)) for p in ("/usr/bin/tac", "/usr/local/bin/labprint", "/usr/local/bin/labq", "/var/tmp/.cache/x")] \
        == ["0o755", "0o755", "0o711", "0o755"]
    assert owner("/usr/local/bin/labq") == "gus"


def test_beamctl_reads_logs_and_not_the_key():
    path = "/usr/local/bin/beamctl"
    only(EVERYONE, runs, path)
    root_alone(path)
    bearer = (54321, 54321, (os.stat(path).st_gid,))
    assert act(bearer, read, "/var/log/beam/beam.log")
    assert not act(bearer, read, "/etc/beam/beam.key")


def test_no_access_lists_and_no_capabilities():
    for path in machine():
        try:
            names = os.listxattr(path, follow_symlinks=False)
        except OSError:
            continue
        assert not [n for n in names if n.startswith("system.posix_acl") or n == "security.capability"], path


# --- rule 7

def test_nothing_is_without_owner():
    users, groups = {p.pw_uid for p in pwd.getpwall()}, {g.gr_gid for g in grp.getgrall()}
    for path in machine():
        st = os.lstat(path)
        assert st.st_uid in users and st.st_gid in groups, path


def test_heirs_of_those_who_left():
    for path, want in (("/var/spool/lab/17.job", ("hana", "interns")), ("/var/spool/lab/18.job", ("ada", "stewards")),
                       ("/srv/lab/exchange/ivo-notes.txt", ("hana", "stewards")),
                       (PROJECTS + "/optics/work/ivo", ("hana", "optics")), (PROJECTS + "/optics/work/next", ("hana", "optics")),
                       (PROJECTS + "/optics/raw/lost.raw", ("intake", "optics")), ("/home/ivo/share", ("hana", "stewards")),
                       ("/var/spool/lab/19.job", ("gus", "gus"))):
        assert (owner(path), group(path)) == want, path
    for name, mode in (("17", 0o640), ("18", 0o640), ("19", 0o600)):
        assert bits("/var/spool/lab/%s.job" % name) == mode


# --- rule 8

def program(name, variables):
    if "/" in name:
        return name
    return next(d + "/" + name for d in variables["PATH"].split(":") if os.path.exists(d + "/" + name))


def test_root_runs_what_root_alone_can_change():
    variables, table = jobs()
    root_alone("/etc/cron.d/lab")
    only(EVERYONE, read, "/etc/cron.d/lab")
    for folder in variables["PATH"].split(":"):
        root_alone(folder)
    for _, user, name, _ in table:
        path = program(name, variables)
        if user != "root":
            continue
        for p in (path, os.path.realpath(path)):
            root_alone(p)
        for line in open(path):
            m = re.match(r"\. (.*)", line)
            if m:
                code = m[1].strip('"').replace("$(dirname \"$0\")", os.path.dirname(path))
                assert os.path.isfile(code), code
                root_alone(code)
                root_alone(os.path.realpath(code))


def test_copied_programs():
    variables, table = jobs()
    called = {os.path.basename(p): p for _, _, p, _ in table}
    assert called == {"sync-raw": "/opt/lab/jobs/sync-raw", "weekly.sh": "/opt/lab/jobs/weekly.sh",
                      "rotate.sh": "/opt/lab/nightly/rotate.sh", "index.sh": "/opt/lab/index/index.sh"}
    report = PROJECTS + "/acoustics/work/report/"
    for source in (PROJECTS + "/optics/work/tools/sync-raw", report + "weekly.sh", report + "weekly.conf"):
        path = "/opt/lab/jobs/" + os.path.basename(source)
        assert stat.S_ISREG(os.lstat(path).st_mode)
        with open(path) as f:
            assert f.read() == FILES[source], path
    assert not os.path.lexists("/opt/lab/bin/sync-raw")


def test_jobs_do_their_work():
    variables, table = jobs()
    state = "/var/lib/lab/"
    mark = re.search(r"mark=(\S+)", FILES["/opt/lab/nightly/settings.sh"])[1]
    title = re.search(r"'(.*)'", FILES[PROJECTS + "/acoustics/work/report/weekly.conf"])[1]
    with open(state + "index.txt", "r+") as f:
        f.truncate()
    for _, user, name, args in table:
        p = pwd.getpwnam(user)
        subprocess.run([variables["SHELL"], "-c", "%s %s" % (name, args)], check=True, cwd="/", timeout=30,
                       stdin=subprocess.DEVNULL, env={"PATH": variables["PATH"]}, umask=0o22, user=p.pw_uid, group=p.pw_gid,
                       extra_groups=os.getgrouplist(user, p.pw_gid))
    assert open(state + "rotated").read() == mark + " /var/log/beam 7\n"
    assert re.fullmatch(r"optics: 5 raw files, mark \d+\n", open(state + "synced").read())
    assert open(state + "weekly.txt").read() == title + ": 12 lines\n"
    want = sorted(p for team in TEAMS for p in kept("%s/%s/published" % (PROJECTS, team)))
    assert open(state + "index.txt").read().splitlines() == want
    only(EVERYONE, listing, state)
    root_alone(state.rstrip("/"))
    for name in ("rotated", "synced", "weekly.txt", "index.txt"):
        only(EVERYONE, read, state + name)
        only(("indexd",) if name == "index.txt" else (), write, state + name)
    assert not can_rename("indexd", state + "index.txt")


# --- rule 9

def test_homes_are_private():
    for user in PEOPLE + ("ivo",):
        who, its = ("hana", "stewards") if user == "ivo" else (user, user)
        top = "/home/" + user
        for path in below(top):
            assert (owner(path), group(path)) == (who, its), path
            public = (path + "/").startswith("/home/elin/public/") or path == "/home/elin"
            assert os.path.islink(path) or public or not bits(path) & 0o77, path
        for folder in [top] + kept(top, os.path.isdir):
            assert act(who, listing, folder) and can_add(who, folder), folder
        for path in kept(top):
            assert act(who, write, path) and act(who, read, path), path
            assert bool(act(who, runs, path)) == (path in RUNS), path
            only((who,), write, path)
    assert all(act(u, reach, "/home/ada") for u in EVERYONE)
    root_alone("/home")


def test_public_folder_of_elin():
    public = "/home/elin/public"
    for folder in (public, public + "/talks"):
        only(EVERYONE, listing, folder)
        assert {u for u in EVERYONE if can_add(u, folder)} == {"elin"}
    for path in kept(public):
        only(EVERYONE, read, path)
        only(("elin",), write, path)
        only((), runs, path)
    only(("elin",), listing, "/home/elin")
    only(("elin",), listing, "/home/elin/letters")
    only(("elin",), reach, "/home/elin/letters/to-bank.txt")
