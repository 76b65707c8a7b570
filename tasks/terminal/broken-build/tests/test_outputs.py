import hashlib
import json
import os
import random
import re
import shutil
import subprocess

import pytest

SRC = "/src/quill"
HERE = os.path.dirname(os.path.abspath(__file__))
ENV = {"PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"), "HOME": "/tmp", "LC_ALL": "C"}
OBJECTS = ["build/obj/" + s + ".o" for s in
           "lib/core/num lib/core/stack lib/core/registry lib/core/vm lib/asm/lexer lib/asm/names lib/asm/assemble "
           "lib/builtins/math lib/builtins/text lib/builtins/fold src/main src/report".split()]
RESULTS = ["build/quill", "build/libqcore.so", "build/libqasm.a", "build/libqbuiltins.a", "build/gen/opcodes.h",
           "build/gen/opnames.inc"]


def make(tree, *args):
    return subprocess.run(["make", *args], cwd=tree, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=100)


def must(tree, *args):
    p = make(tree, *args)
    assert p.returncode == 0, "make %s: %s" % (" ".join(args), p.stdout[-3000:])
    return p


def copy(where):
    shutil.copytree(SRC, where, symlinks=True)
    return where


_tree = []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("quill")


@pytest.fixture
def built(place):
    """A function that gives the one built tree: what fails in it fails in the test."""
    def get():
        if not _tree:
            _tree.append(copy(str(place / "tree")))
            must(_tree[0], "clean")
        must(_tree[0], "-j4")
        return _tree[0]
    return get


class edited:
    """A changed file, put back afterwards."""

    def __init__(self, tree, name, change):
        self.path, self.change = os.path.join(tree, name), change

    def __enter__(self):
        with open(self.path) as f:
            self.text = f.read()
        new = self.change(self.text)
        assert new != self.text
        with open(self.path, "w") as f:
            f.write(new)

    def __exit__(self, *_):
        with open(self.path, "w") as f:
            f.write(self.text)


def stamps(tree, names=OBJECTS):
    return {n: os.stat(os.path.join(tree, n)).st_mtime_ns for n in names}


def remade(tree, before):
    return {n for n, t in stamps(tree, before).items() if t != before[n]}


def quill(tree, program, *args, cwd="/"):
    path = os.path.join(os.path.dirname(tree), "p.q")
    with open(path, "w") as f:
        f.write(program)
    p = subprocess.run([tree + "/build/quill", *args, path], cwd=cwd, env={}, capture_output=True, timeout=20)
    return p.returncode, p.stdout.decode(), p.stderr.decode().replace(path, "FILE")


def test_sources_kept():
    with open(HERE + "/sources.json") as f:
        for name, digest in json.load(f).items():
            with open(os.path.join(SRC, name), "rb") as g:
                assert hashlib.sha256(g.read()).hexdigest() == digest, name


def test_parallel_build(tmp_path):
    trees = [copy(str(tmp_path / n)) for n in ("one", "two")]
    for some in (trees, trees[:1]):
        running = [subprocess.Popen("make clean && make -j4", shell=True, cwd=t, env=ENV, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for t in some]
        outs = [p.communicate(timeout=100)[0].decode(errors="replace") for p in running]
        for t, p, o in zip(some, running, outs):
            assert p.returncode == 0, o[-3000:]
            for n in RESULTS + OBJECTS:
                assert os.path.isfile(os.path.join(t, n)), n
    same = [open(t + "/build/gen/" + n).read() for n in ("opcodes.h", "opnames.inc") for t in trees]
    assert same[0] == same[1] and same[2] == same[3]


def test_single_targets_on_a_clean_tree(tmp_path):
    tree = copy(str(tmp_path / "t"))
    for n in ("build/obj/lib/core/vm.o", "build/gen/opnames.inc", "build/gen/opcodes.h", "build/libqasm.a",
              "build/obj/src/report.o"):
        must(tree, "clean")
        must(tree, n)
        assert os.path.isfile(os.path.join(tree, n)), n


def test_clean_leaves_nothing(built, tmp_path):
    def files(tree):
        return {os.path.relpath(os.path.join(d, f), tree) for d, _, fs in os.walk(tree) for f in fs}
    tree = copy(str(tmp_path / "t"))
    must(tree, "clean")
    clean = files(tree)
    assert not [f for f in clean if f.endswith((".o", ".a", ".so", ".d", ".inc", ".tmp")) or f.startswith("build/")]
    after = str(tmp_path / "u")
    shutil.copytree(built(), after, symlinks=True)
    must(after, "clean")
    assert files(after) == clean
    must(after, "clean")


def test_examples(built):
    tree = built()
    p = must(tree, "check")
    assert "FAILED" not in p.stdout
    names = [n[:-2] for n in os.listdir(tree + "/examples") if n.endswith(".q")]
    assert len(names) == 4
    for n in names:
        with open(tree + "/examples/%s.q" % n) as f, open(tree + "/examples/%s.out" % n) as g:
            assert quill(tree, f.read()) == (0, g.read(), "")


def test_check_notices_failures(built):
    tree = built()
    must(tree, "check")
    with edited(tree, "examples/words.out", lambda s: s.replace("15", "16")):
        assert make(tree, "check").returncode != 0
    with edited(tree, "examples/collatz.q", lambda s: s + "  drop\n"):     # right output, then an error
        assert make(tree, "check").returncode != 0
    must(tree, "check")


class Machine:
    """What README.md says, in short."""

    def __init__(self, rnd):
        self.rnd, self.code, self.stack, self.out = rnd, [], [], []

    def emit(self, line):
        self.code.append(line)

    def number(self):
        n = self.rnd.choice((0, 1, -1, self.rnd.randrange(-50, 50), self.rnd.randrange(-10**6, 10**6)))
        self.emit(self.rnd.choice(("push %d", "push-int %d")) % n)
        self.stack.append(n)

    def text(self):
        s = "".join(self.rnd.choice("abcXYZ 09-;") for _ in range(self.rnd.randrange(0, 12)))
        self.emit('text "%s" ; "note"' % s)
        self.stack.append(s)

    def step(self):
        r, st = self.rnd, self.stack
        if len(st) < 2 or r.random() < .25 and len(st) < 40:
            self.number() if r.random() < .7 else self.text()
            return
        a, b = st[-2], st[-1]
        if r.random() < .15:
            op = r.choice(("dup", "drop", "swap", "over", "print", "emit", "eq"))
            self.emit(op)
            if op == "dup":
                st.append(b)
            elif op == "over":
                st.append(a)
            elif op == "swap":
                st[-2:] = [b, a]
            elif op == "eq":
                st[-2:] = [int(type(a) is type(b) and a == b)]
            else:
                st.pop()
                if op != "drop":
                    self.out.append(b)
            return
        if isinstance(a, int) and isinstance(b, int):
            op = r.choice(("add", "sub", "mul", "div", "mod", "lt", "call gcd"))
            if op in ("div", "mod") and b == 0:
                op = "add"
            if op == "mul" and abs(a * b) > 2**40:
                op = "mod" if b else "sub"
            x = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "div": lambda: a // b,
                 "mod": lambda: a % b, "lt": lambda: int(a < b), "call gcd": lambda: __import__("math").gcd(a, b)}[op]()
            self.emit(op)
            st[-2:] = [x]
        elif isinstance(a, str) and isinstance(b, str):
            self.emit("call concat")
            st[-2:] = [(a + b)[:120]]
        elif isinstance(b, str):
            op = r.choice(("upper", "length", "reverse"))
            self.emit("call " + op)
            st[-1] = {"upper": b.upper(), "length": len(b), "reverse": b[::-1]}[op]
        else:
            n = r.randrange(0, 4)
            self.emit("drop")
            self.emit("push %d" % n)
            self.emit("call repeat")
            st[-2:] = [(a * n)[:120]]

    def program(self, steps):
        for _ in range(steps):
            self.step()
        self.emit("print-all")
        self.out += self.stack
        return "\n".join(self.code) + "\n", "".join("%s\n" % x for x in self.out)


def test_fresh_programs(built):
    tree = built()
    for seed in range(25):
        program, want = Machine(random.Random(seed)).program(150)
        assert quill(tree, program) == (0, want, "")
    rnd = random.Random(77)
    for _ in range(5):
        n, m = rnd.randrange(100, 10**9), rnd.randrange(2, 60)
        loop = ("push %d\nstore 3\npush 0\nstore 4\nloop: load 4\npush %d\nlt\njump-zero out\nload 3\npush 31\nmul\nload 4\n"
                "add\npush 1000003\nmod\nstore 3\nload 4\npush 1\nadd\nstore 4\ngoto loop\nout: load 3\nprint\n" % (n, m))
        for i in range(m):
            n = (n * 31 + i) % 1000003
        assert quill(tree, loop) == (0, "%d\n" % n, "")
        big = rnd.randrange(10**10, 9 * 10**18)
        a = [rnd.randrange(-999, 999) for _ in range(9)]
        push = "".join("push %d\n" % x for x in a)
        assert quill(tree, "push %d\ncall isqrt\nprint\n%scall sum\nprint\n%scall max\nprint\n%scall min\ncall abs\nprint\n"
                     "push 3\npush 5\ncall pow\nnot\nprint\n" % (big, push, push, push)) == \
            (0, "%d\n%d\n%d\n%d\n0\n" % (__import__("math").isqrt(big), sum(a), max(a), abs(min(a))), "")


def test_listing_names_and_aliases(built):
    tree = built()
    p = subprocess.run([tree + "/build/quill", "--builtins"], env={}, cwd="/", capture_output=True, text=True)
    assert p.stdout.split() == sorted("gcd pow isqrt abs upper length concat repeat reverse sum max min".split())
    p = subprocess.run([tree + "/build/quill", "--version"], env={}, cwd="/", capture_output=True, text=True)
    assert p.stdout == "quill 0.4.1\n"
    ops = [line.split()[1:] for line in open(tree + "/defs/opcodes.def") if re.match("op ", line)]
    alias = dict(line.split()[1:] for line in open(tree + "/defs/opcodes.def") if line.startswith("alias "))
    operand = {"int": "12", "str": '"a b"', "label": "here", "slot": "5", "name": "gcd", "-": ""}
    shown = {"int": " 12", "str": " (3)", "label": " 0", "slot": " 5", "name": " gcd", "-": ""}
    kind, number = dict(ops), {n: i for i, (n, _) in enumerate(ops)}
    lines, want = ["here:"], []
    for name in list(kind) + list(alias):
        real = alias.get(name, name)
        lines.append("%s %s" % (name, operand[kind[real]]))
        want.append("%04d %02d %s%s" % (len(want), number[real], real, shown[kind[real]]))
    assert quill(tree, "\n".join(lines) + "\n", "-d") == (0, "\n".join(want) + "\n", "")


def test_errors_from_elsewhere(built, tmp_path):
    tree = built()
    for program, line, text in (("push 1\npush 0\ndiv\n", 3, "E03 division by zero"), ("\nadd\n", 2, "E02 stack underflow"),
                                ("call nothing\n", 1, "E06 no such builtin"), ("jmp nowhere\n", 1, "E10 unknown or repeated label"),
                                ("x: jmp x\n", 1, "E07 too many steps"), ("load 16\n", 1, "E08 no such slot"),
                                ("push 7\nfrob\n", 2, "E09 syntax error")):
        assert quill(tree, program, cwd=str(tmp_path)) == (3, "", "quill: FILE:%d: %s\n" % (line, text))
    with edited(tree, "data/messages.txt", lambda s: s.replace("no such slot", "slot unknown")):
        assert quill(tree, "store 99\n") == (3, "", "quill: FILE:1: E08 slot unknown\n")


def test_symbols(built):
    tree = built()
    nm = subprocess.run(["nm", "-D", "--defined-only", tree + "/build/libqcore.so"], capture_output=True, text=True, check=True)
    got = {line.split()[-1].split("@")[0] for line in nm.stdout.splitlines() if line.split()[-2] in "TtWw"}
    want = set()
    for h in ("vm.h", "registry.h"):
        with open(tree + "/include/quill/" + h) as f:
            want |= set(re.findall(r"^[a-z][^()#\n]*?\b(q_\w+)\(", f.read(), re.M))
    assert len(want) == 15
    assert got == want
    dyn = subprocess.run(["readelf", "-d", tree + "/build/quill"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"NEEDED.*libqcore\.so", dyn)
    exe = subprocess.run(["nm", "--defined-only", tree + "/build/quill"], capture_output=True, text=True, check=True).stdout
    assert not re.search(r" T q_run\b", exe)


def test_nothing_to_do(built):
    tree = built()
    before = stamps(tree, OBJECTS + RESULTS)
    assert make(tree, "-q").returncode == 0
    must(tree)
    must(tree, "-j4", "all")
    assert not remade(tree, before)


def test_limits_header(built):
    tree = built()
    ten = "".join("push %d\n" % i for i in range(10)) + "call sum\nprint\n"
    long = 'text "0123456789"\npush 9\ncall repeat\ndup\ncall length\nprint\nprint\n'
    assert quill(tree, ten) == (0, "45\n", "")
    assert quill(tree, long)[1] == "90\n" + "0123456789" * 9 + "\n"
    with edited(tree, "include/quill/limits.h", lambda s: s.replace("STACK_MAX 64", "STACK_MAX 8").replace("TEXT_MAX 120",
                                                                                                          "TEXT_MAX 33")):
        before = stamps(tree)
        assert make(tree, "-q").returncode == 1
        must(tree, "-j4")
        assert {n for n in OBJECTS if "report" not in n} == remade(tree, before)
        assert quill(tree, ten) == (3, "", "quill: FILE:9: E01 stack overflow\n")
        assert quill(tree, long) == (0, "33\n012345678901234567890123456789012\n", "")
        program, _ = Machine(random.Random(5)).program(4)
        assert quill(tree, program)[0] == 0
    must(tree, "-j4")
    assert quill(tree, ten) == (0, "45\n", "")


def test_small_headers(built):
    tree = built()
    for name, change, want in (
            ("include/quill/version.h", lambda s: s.replace("0.4.1", "0.4.2"), {"src/main"}),
            ("lib/asm/lexer.h", lambda s: s + "\n", {"lib/asm/lexer", "lib/asm/assemble"}),
            ("lib/core/internal.h", lambda s: s + "\n", {"lib/core/num", "lib/core/stack", "lib/core/vm"})):
        with edited(tree, name, change):
            before = stamps(tree)
            must(tree)
            assert remade(tree, before) == {"build/obj/%s.o" % n for n in want}
            assert make(tree, "-q").returncode == 0
            p = subprocess.run([tree + "/build/quill", "--version"], env={}, capture_output=True, text=True)
            assert p.stdout == ("quill 0.4.2\n" if "version" in name else "quill 0.4.1\n")
        must(tree)


def test_one_source(built):
    tree = built()
    cases = (("lib/builtins/math.c", lambda s: s.replace("n < 0 ? -n : n)", "n < 0 ? -n : n + 1)"), "push 4\ncall abs\nprint\n",
              "4\n", "5\n"),
             ("lib/asm/lexer.c", lambda s: s.replace("';'", "'#'"), "push 4 # note\nprint\n", None, "4\n"),
             ("lib/core/num.c", lambda s: s.replace("*out += b;", "*out += b + 100;"), "push -7\npush 3\nmod\nprint\n", "2\n", "102\n"))
    for name, change, program, old, new in cases:
        if old:
            assert quill(tree, program) == (0, old, "")
        with edited(tree, name, change):
            before = stamps(tree)
            must(tree, "-j4")
            assert remade(tree, before) == {"build/obj/" + name[:-2] + ".o"}
            assert quill(tree, program) == (0, new, "")
        must(tree)
    with edited(tree, "lib/core/core.map", lambda s: s + "\n"):
        assert make(tree, "-q").returncode == 1
        before = stamps(tree)
        must(tree)
        assert not remade(tree, before)


def test_instruction_set(built):
    tree = built()
    program = "no-op\nzz-top 20\nplus1 22\nadd\nemit\nput\n"

    def change(s):
        s = s.replace("op    push ", "op    no-op      -\nop    push ", 1)
        return s + "alias zz-top push\nalias  plus1\tpush\nalias a-first print-all\nalias put print-all\n"
    assert quill(tree, program) == (3, "", "quill: FILE:1: E09 syntax error\n")
    with edited(tree, "defs/opcodes.def", change):
        before = stamps(tree)
        must(tree, "-j4")
        assert remade(tree, before) == {"build/obj/lib/core/vm.o", "build/obj/lib/asm/names.o", "build/obj/lib/asm/assemble.o"}
        assert quill(tree, program) == (0, "42\n", "")
        assert quill(tree, "no-op\na-first\nzz-top 1\n", "-d")[1] == "0000 00 no-op\n0001 23 print-all\n0002 01 push 1\n"
        assert make(tree, "-q").returncode == 0
    must(tree, "-j4")
    assert quill(tree, program)[0] == 3
    with edited(tree, "tools/genops.sh", lambda s: s + "\n# the end\n"):
        assert make(tree, "-q").returncode == 1
    must(tree)


def test_bad_instruction_set(built):
    tree = built()
    for bad in ("opp  frob  -\n", "op  frob  number\n", "alias frob frobnicate\n", "op  swap  -\n", "alias dup drop\n",
                "alias frob goto\n"):
        with edited(tree, "defs/opcodes.def", lambda s: s + bad):
            p = make(tree, "-j4")
            assert p.returncode != 0, bad
            assert make(tree, "-q").returncode != 0, bad
            for n in ("opcodes.h", "opnames.inc"):
                path = tree + "/build/gen/" + n
                assert not os.path.exists(path) or "frob" not in open(path).read().lower(), bad
    must(tree, "-j4")
    assert quill(tree, "push 3\nemit\n") == (0, "3\n", "")
