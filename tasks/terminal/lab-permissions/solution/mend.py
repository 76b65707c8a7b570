"""Sets owners, groups and modes by the rules; never follows a link."""
import grp
import os
import pwd
import shutil
import stat

LAB = "/srv/lab"
PROJECTS = LAB + "/projects"
ALLOWED = {"/usr/bin/" + n for n in "chfn chsh gpasswd mount newgrp passwd su umount chage expiry".split()} | {
    "/usr/sbin/unix_chkpwd", "/usr/local/bin/beamctl"}


def uid(name):
    return pwd.getpwnam(name).pw_uid


def gid(name):
    return grp.getgrnam(name).gr_gid


def walk(top):
    """The path itself and all below it, links not followed."""
    yield top
    for folder, dirs, files in os.walk(top):
        for name in dirs + files:
            yield os.path.join(folder, name)


def put(path, owner=None, group=None, mode=None):
    os.chown(path, -1 if owner is None else uid(owner), -1 if group is None else gid(group), follow_symlinks=False)
    if mode is not None and not os.path.islink(path):
        os.chmod(path, mode)        # after chown, which takes set-id bits away


def kind(path):
    st = os.lstat(path)
    return stat.S_ISDIR(st.st_mode), st.st_mode & 0o100


def machine():
    for folder, dirs, files in os.walk("/"):
        if folder == "/":
            dirs[:] = [d for d in dirs if d not in ("proc", "sys", "dev", "solution", "tests", "logs")]
        for name in dirs + files:
            yield os.path.join(folder, name)


# 7: those who left, before the other rules name owners
users, groups = {p.pw_uid for p in pwd.getpwall()}, {g.gr_gid for g in grp.getgrall()}
for path in machine():
    st = os.lstat(path)
    if st.st_uid not in users:
        os.chown(path, uid("hana"), -1, follow_symlinks=False)
    if st.st_gid not in groups:
        os.chown(path, -1, gid("stewards"), follow_symlinks=False)

# 5: the key and its copies
with open("/etc/beam/beam.key", "rb") as f:
    key = f.read()
for path in machine():
    st = os.lstat(path)
    if stat.S_ISREG(st.st_mode) and st.st_size == len(key) and path != "/etc/beam/beam.key":
        with open(path, "rb") as f:
            copy = f.read() == key
        if copy:
            os.unlink(path)
for path in walk("/etc/beam"):
    put(path, "root", "root", 0o755 if os.path.isdir(path) else 0o644)
put("/etc/beam/beam.key", "root", "beamd", 0o640)
for path in walk("/var/log/beam"):
    put(path, "beamd", "beamlog", 0o2750 if os.path.isdir(path) else 0o640)

# 6: set-uid and set-gid
for path in machine():
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode) and mode & 0o6000 and path not in ALLOWED:
        os.chmod(path, mode & 0o1777)
put("/usr/local/bin/beamctl", "root", "beamlog", 0o2755)

# 8: jobs, before the teams' files change
os.makedirs("/opt/lab/jobs", exist_ok=True)
os.unlink("/opt/lab/bin/sync-raw")
report = PROJECTS + "/acoustics/work/report/"
for source in (PROJECTS + "/optics/work/tools/sync-raw", report + "weekly.sh", report + "weekly.conf"):
    target = "/opt/lab/jobs/" + os.path.basename(source)
    shutil.copyfile(source, target)
for path in walk("/opt/lab"):
    put(path, "root", "root", 0o644 if path.endswith(".conf") or path.endswith("settings.sh") else 0o755)
with open("/etc/cron.d/lab") as f:
    table = f.read()
table = table.replace("    sync-raw ", "    /opt/lab/jobs/sync-raw ").replace(report + "weekly.sh", "/opt/lab/jobs/weekly.sh")
with open("/etc/cron.d/lab", "w") as f:
    f.write(table)
put("/etc/cron.d/lab", "root", "root", 0o644)
put("/var/lib/lab", "root", "root", 0o755)
put("/var/lib/lab/index.txt", "indexd", "root", 0o644)

# 1 and 2: teams and their links
for path in (LAB, PROJECTS):
    put(path, "root", "root", 0o755)
for team in ("optics", "acoustics"):
    top = "%s/%s" % (PROJECTS, team)
    leaving = [p for p in walk(top) if os.path.islink(p) and not os.path.realpath(p).startswith(top + "/")]
    for path in leaving:
        os.unlink(path)
    for part in ("work", "published", "raw"):
        for path in walk("%s/%s" % (top, part)):
            folder, runs = kind(path)
            if part == "raw":
                put(path, "intake", team, 0o2750 if folder else 0o750 if runs else 0o640)
            else:
                mode = 0o2770 if folder else 0o770 if runs else 0o660
                if part == "published":
                    mode |= 0o5 if folder or runs else 0o4
                put(path, None, team, mode)
    put(top, "root", team, 0o2751)

# 3 and 4
for path in walk(LAB + "/exchange"):
    folder, runs = kind(path)
    put(path, mode=0o755 if folder or runs else 0o644)
put(LAB + "/exchange", "root", "root", 0o1777)
for path in walk(LAB + "/inbox"):
    put(path, group="stewards", mode=0o640)
put(LAB + "/inbox", "hana", "stewards", 0o3773)

# 9: homes
put("/home", "root", "root", 0o755)
for name in os.listdir("/home"):
    owner, group = ("hana", "stewards") if name == "ivo" else (name, name)
    for path in walk("/home/" + name):
        folder, runs = kind(path)
        mode = 0o700 if folder or runs else 0o600
        if (path + "/").startswith("/home/elin/public/"):
            mode |= 0o55 if folder or runs else 0o44
        put(path, owner, group, mode)
os.chmod("/home/elin", 0o711)
