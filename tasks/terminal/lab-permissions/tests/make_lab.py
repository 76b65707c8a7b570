"""The files of the lab's machine: what lies where, whose it is, and its mode."""
import os
import random
import sys

# uid and gid of each user; people have groups of their own
USERS = {"ada": 1101, "ben": 1102, "dov": 1103, "elin": 1104, "fay": 1105, "gus": 1106, "hana": 1107,
         "intake": 811, "indexd": 812, "beamd": 813}
GROUPS = {"optics": 1201, "acoustics": 1202, "stewards": 1203, "interns": 1204}
MEMBERS = {"optics": "ada ben fay", "acoustics": "dov elin fay", "stewards": "hana", "interns": "gus", "beamd": "gus hana"}
IVO, GONE = 1043, 1099          # a user and a group that are no more
IDS = {"root": 0, "nobody": 65534, "ivo": IVO, "gone": GONE, **GROUPS, **USERS}
WORDS = "prism lens mirror grating slit lamp filter cavity echo tone wave pulse chirp hum node horn drum reed pipe bell".split()
PROJECTS = "/srv/lab/projects"


def lab(seed):
    """[(path, kind, owner, group, mode, content or target)], parents before what lies in them"""
    rnd = random.Random("lab-%s" % seed)
    out = []

    def text(n=6):
        return "".join("%s %s %08x\n" % (rnd.choice(WORDS), rnd.choice(WORDS), rnd.getrandbits(32)) for _ in range(n))

    def d(path, owner, group, mode):
        out.append((path, "d", owner, group, mode, None))

    def f(path, owner, group, mode, content=None):
        out.append((path, "f", owner, group, mode, text() if content is None else content))

    def link(path, target, owner="root", group="root"):
        out.append((path, "l", owner, group, 0o777, target))

    key = "-----BEGIN BEAM KEY-----\n%s\n-----END BEAM KEY-----\n" % "".join(
        rnd.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(180))

    d("/srv/lab", "root", "root", 0o755)
    d(PROJECTS, "root", "root", 0o777)

    # optics: where most went wrong
    o = PROJECTS + "/optics"
    d(o, "ada", "optics", 0o775)
    d(o + "/work", "ada", "ada", 0o755)
    f(o + "/work/plan.txt", "ada", "ada", 0o644)
    f(o + "/work/-rf notes.txt", "ben", "ben", 0o600)
    f(o + "/work/two words\nand a line.txt", "fay", "acoustics", 0o646)
    d(o + "/work/runs", "ben", "optics", 0o2755)
    for year in (2023, 2024, 2025):
        d(o + "/work/runs/%d" % year, rnd.choice(("ben", "fay")), "optics", rnd.choice((0o755, 0o2750, 0o700)))
        for n in range(3):
            f(o + "/work/runs/%d/run-%02d.dat" % (year, n), rnd.choice(("ada", "ben", "fay")),
              rnd.choice(("optics", "users", "interns")), rnd.choice((0o640, 0o444, 0o600, 0o664)))
    d(o + "/work/runs/2024/deep", "fay", "fay", 0o1777)
    f(o + "/work/runs/2024/deep/fit.py", "fay", "fay", 0o755, "#!/usr/bin/python3\nprint('fit %d')\n" % rnd.randrange(999))
    f(o + "/work/runs/2024/deep/model.bin", "fay", "fay", 0o654)
    d(o + "/work/ivo", "ivo", "gone", 0o700)
    f(o + "/work/ivo/thesis.tex", "ivo", "gone", 0o600)
    f(o + "/work/ivo/build", "ivo", "gone", 0o700, "#!/bin/sh\necho built %d\n" % rnd.randrange(999))
    d(o + "/work/old", "ben", "optics", 0o2770)
    f(o + "/work/old/key.txt", "ben", "optics", 0o664, key)
    f(o + "/work/old/key-2019.txt", "ben", "optics", 0o664, key.replace("2", "7"))
    d(o + "/work/tools", "fay", "optics", 0o2775)
    f(o + "/work/tools/peek", "ben", "optics", 0o6755, "#!/bin/sh\nexec cat \"$@\"\n")
    f(o + "/work/tools/sync-raw", "fay", "optics", 0o775, """#!/bin/sh
# sync-raw --team TEAM: notes how many raw files there are
[ "$1" = --team ] || exit 2
n=$(find "%s/$2/raw" -type f | wc -l)
echo "$2: $((n)) raw files, mark %d" > /var/lib/lab/synced
""" % (PROJECTS, rnd.randrange(10**6)))
    d(o + "/published", "root", "root", 0o700)
    f(o + "/published/atlas.txt", "ada", "optics", 0o640)
    d(o + "/published/tables", "fay", "fay", 0o2750)
    f(o + "/published/tables/lines.csv", "fay", "fay", 0o600)
    f(o + "/published/tables/convert", "fay", "fay", 0o744, "#!/bin/sh\necho convert %d\n" % rnd.randrange(999))
    d(o + "/raw", "intake", "intake", 0o777)
    d(o + "/raw/2025-03", "intake", "intake", 0o755)
    for n in range(4):
        f(o + "/raw/2025-03/frame-%d.raw" % n, rnd.choice(("intake", "intake", "ben")), rnd.choice(("intake", "optics")),
          rnd.choice((0o644, 0o600, 0o666)))
    f(o + "/raw/lost.raw", "ivo", "gone", 0o600)
    link(o + "/work/latest", "runs/2025", "ada", "ada")
    link(o + "/work/atlas", o + "/published/atlas.txt", "ben", "ben")
    link(o + "/work/runs/back", "../../../optics/work/plan.txt", "fay", "optics")
    link(o + "/work/next", "runs/2031", "ivo", "gone")
    link(o + "/work/accounts", "/etc/shadow", "ben", "optics")
    link(o + "/work/runs/neighbours", "../../../acoustics/work", "fay", "optics")
    link(o + "/work/hop", "runs/hop", "fay", "optics")
    link(o + "/work/runs/hop", "/usr/share/lab/constants.txt", "fay", "optics")
    link(o + "/published/mirror", "/srv/mirror/that/was", "ada", "optics")
    link(o + "/published/home", "../../../../../home/ada", "ada", "optics")

    # acoustics: nearly right
    a = PROJECTS + "/acoustics"
    d(a, "root", "acoustics", 0o2751)
    d(a + "/work", "root", "acoustics", 0o2770)
    f(a + "/work/plan.txt", "dov", "acoustics", 0o660)
    d(a + "/work/halls", "elin", "acoustics", 0o3770)
    f(a + "/work/halls/small.txt", "elin", "acoustics", 0o660)
    f(a + "/work/halls/large.txt", "dov", "acoustics", 0o640)
    d(a + "/work/report", "dov", "acoustics", 0o2770)
    f(a + "/work/report/weekly.sh", "dov", "acoustics", 0o770, """#!/bin/sh
# weekly.sh FILE: the weekly report
. "$(dirname "$0")/weekly.conf"
echo "$title: $(cat %s/work/halls/*.txt | wc -l) lines" > "$1"
""" % a)
    f(a + "/work/report/weekly.conf", "elin", "acoustics", 0o660, "title='week of halls %d'\n" % rnd.randrange(10**6))
    d(a + "/published", "root", "acoustics", 0o2775)
    f(a + "/published/rooms.txt", "dov", "acoustics", 0o664)
    d(a + "/published/2024", "elin", "acoustics", 0o2775)
    f(a + "/published/2024/decay.csv", "elin", "acoustics", 0o664)
    f(a + "/published/2024/plot", "elin", "acoustics", 0o764, "#!/bin/sh\necho plot %d\n" % rnd.randrange(999))
    d(a + "/raw", "intake", "acoustics", 0o2750)
    f(a + "/raw/hall-1.raw", "intake", "acoustics", 0o640)
    link(a + "/work/current", "halls/small.txt", "elin", "acoustics")
    link(a + "/published/key", "/etc/beam/beam.key", "elin", "acoustics")
    d("/usr/share/lab", "root", "root", 0o755)
    f("/usr/share/lab/constants.txt", "root", "root", 0o644)

    x = "/srv/lab/exchange"
    d(x, "root", "root", 0o777)
    f(x + "/menu.txt", "gus", "gus", 0o666)
    f(x + "/keys.txt", "dov", "acoustics", 0o660)
    f(x + "/quote.txt", "ben", "ben", 0o600)
    f(x + "/ivo-notes.txt", "ivo", "gone", 0o640)
    d(x + "/kits", "ben", "optics", 0o2777)
    f(x + "/kits/list.txt", "ben", "optics", 0o664)
    f(x + "/kits/lent.txt", "ben", "optics", 0o660)
    i = "/srv/lab/inbox"
    d(i, "root", "root", 0o755)
    f(i + "/wish.txt", "gus", "gus", 0o644)
    f(i + "/complaint.txt", "dov", "dov", 0o600)

    d("/etc/beam", "root", "beamd", 0o775)
    f("/etc/beam/beam.key", "root", "beamd", 0o660, key)
    f("/etc/beam/beam.conf", "beamd", "beamd", 0o640, "listen 9300\nkey /etc/beam/beam.key\n# %08x\n" % rnd.getrandbits(32))
    d("/var/log/beam", "beamd", "beamd", 0o2750)
    f("/var/log/beam/beam.log", "beamd", "beamd", 0o640)
    f("/var/log/beam/beam.log.1", "beamd", "beamd", 0o640)
    f("/var/backups/beam.key.0", "root", "root", 0o600, key.replace("A", "B"))
    f("/var/backups/beam.key.1", "root", "root", 0o644, key)
    d("/var/spool/lab", "root", "root", 0o755)
    f("/var/spool/lab/17.job", "ivo", "interns", 0o640)
    f("/var/spool/lab/18.job", "ada", "gone", 0o640)
    f("/var/spool/lab/19.job", "gus", "gus", 0o600)
    f("/var/spool/lab/spare", "ben", "ben", 0o600, key)
    d("/var/tmp/.cache", "gus", "gus", 0o755)

    d("/opt/lab", "root", "root", 0o755)
    d("/opt/lab/bin", "root", "interns", 0o775)
    link("/opt/lab/bin/sync-raw", o + "/work/tools/sync-raw")
    d("/opt/lab/nightly", "gus", "root", 0o755)
    f("/opt/lab/nightly/rotate.sh", "root", "root", 0o757, """#!/bin/sh
# rotate.sh FOLDER DAYS
. /opt/lab/nightly/settings.sh
echo "$mark $1 $2" > "$state/rotated"
""")
    f("/opt/lab/nightly/settings.sh", "root", "interns", 0o664, "mark=rotated-%d\nstate=/var/lib/lab\n" % rnd.randrange(10**6))
    d("/opt/lab/index", "root", "root", 0o750)
    f("/opt/lab/index/index.sh", "root", "root", 0o744, """#!/bin/sh
# the index of what is published
for team in optics acoustics; do
    find %s/$team/published -type f
done | sort > /var/lib/lab/index.txt
""" % PROJECTS)
    f("/etc/cron.d/lab", "root", "interns", 0o664, """# jobs of the lab
SHELL=/bin/sh
PATH=/opt/lab/bin:/usr/local/bin:/usr/bin:/bin

10 2 * * *    root    /opt/lab/nightly/rotate.sh /var/log/beam 7
*/5 * * * *   root    sync-raw --team optics
45 3 * * *    indexd  /opt/lab/index/index.sh
0 6 * * 1     root    %s/work/report/weekly.sh /var/lib/lab/weekly.txt
""" % a)
    d("/var/lib/lab", "root", "root", 0o777)
    f("/var/lib/lab/index.txt", "root", "root", 0o644, "")

    def home(user, mode, files, owner=None, group=None):
        owner, group = owner or user, group or user
        d("/home/" + user, owner, group, mode)
        for name, who, grp, m in files:
            path = "/home/%s/%s" % (user, name)
            if name.endswith("/"):
                d(path[:-1], who, grp, m)
            else:
                f(path, who, grp, m, "#!/bin/sh\necho %d\n" % rnd.randrange(999) if name.startswith("bin/") else None)
    home("ada", 0o700, ((".ssh/", "root", "root", 0o755), (".ssh/authorized_keys", "root", "root", 0o664),
                        (".profile", "ada", "ada", 0o644)))
    home("ben", 0o755, (("diary.txt", "ben", "optics", 0o644), ("bin/", "ben", "ben", 0o775), ("bin/go", "ben", "ben", 0o755)))
    home("dov", 0o750, (("todo.txt", "dov", "dov", 0o640), ("draft.txt", "elin", "elin", 0o644)), group="acoustics")
    home("elin", 0o755, ((".profile", "elin", "elin", 0o644), ("letters/", "elin", "elin", 0o755),
                         ("letters/to-bank.txt", "elin", "elin", 0o666), ("public/", "elin", "elin", 0o700),
                         ("public/cv.txt", "elin", "elin", 0o600), ("public/talks/", "elin", "elin", 0o777),
                         ("public/talks/2024.txt", "elin", "elin", 0o664)))
    home("fay", 0o711, ((".ssh/", "fay", "fay", 0o777), (".ssh/authorized_keys", "fay", "fay", 0o600)))
    home("gus", 0o777, (("game.sav", "gus", "interns", 0o666),))
    home("hana", 0o700, (("budget.txt", "hana", "hana", 0o600),))
    home("ivo", 0o755, (("thesis.pdf", "ivo", "gone", 0o644), ("bin/", "ivo", "gone", 0o755), ("bin/run", "ivo", "gone", 0o755),
                        ("lent.txt", "ada", "gone", 0o664)), group="gone")
    link("/home/ivo/share", "/srv/lab/exchange", "ivo", "gone")
    return out


KEY_COPIES = (PROJECTS + "/optics/work/old/key.txt", "/var/backups/beam.key.1", "/var/spool/lab/spare")
# {path: (made from, owner, group, mode)}
PROGRAMS = {"/usr/local/bin/beamctl": ("/usr/bin/tail", "root", "beamd", 0o6755),
            "/usr/local/bin/labprint": ("/usr/bin/cat", "root", "root", 0o4755),
            "/usr/local/bin/labq": ("/usr/bin/head", "gus", "staff", 0o2711),
            "/var/tmp/.cache/x": ("/usr/bin/dash", "root", "root", 0o4755)}


def main(seed):
    for path, kind, owner, group, mode, what in lab(seed):
        if kind == "d":
            os.makedirs(path, exist_ok=True)
        elif kind == "l":
            os.symlink(what, path)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(what)
        os.chown(path, IDS[owner], IDS.get(group, 100 if group == "users" else 50), follow_symlinks=False)
        if kind != "l":
            os.chmod(path, mode)
    for path, (source, owner, group, mode) in PROGRAMS.items():
        with open(source, "rb") as i, open(path, "wb") as o:
            o.write(i.read())
        os.chown(path, IDS[owner], 50 if group == "staff" else IDS[group])
        os.chmod(path, mode)
    os.chmod("/usr/bin/tac", 0o4755)


if __name__ == "__main__":
    main(sys.argv[1])
