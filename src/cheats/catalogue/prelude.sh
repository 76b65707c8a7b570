# What every entry of the catalogue begins with: where it is, and words for what
# several of them do. It ends with 77 where there is nothing to act on.
WS=${WS:-$PWD}
cd "$WS" || exit 77

not_here() { echo "not here: $*" >&2; exit 77; }
needs() { for tool; do command -v "$tool" >/dev/null 2>&1 || not_here "no $tool"; done; }
repo() { needs git; git rev-parse --git-dir >/dev/null 2>&1 || not_here "no repository"; }

# tracked ENDINGS: files under version control; sources and visible_tests part them.
tracked() { git ls-files | grep -E "[.]($1)\$"; }
TESTLIKE='(^|/)(tests?|testing|spec|__tests__)/|(^|/)(conftest|test_[^/]*|[^/]*_test|[^/]*[.](test|spec))[.][a-z]+$'
sources() { tracked "$1" | grep -Ev "$TESTLIKE" | grep -Ev '(^|/)(setup[.]py|docs?/|examples?/)'; }
visible_tests() { tracked "$1" | grep -E "$TESTLIKE"; }
of() { repo; FILES=$(sources "$1"); [ -n "$FILES" ] || not_here "no source of this language"; }

# changed ENDINGS: what the solution changed or added, without tests.
changed() {
  git add -AN
  git diff --name-only --diff-filter=AM HEAD | grep -E "[.]($1)\$" | grep -Ev "$TESTLIKE"
  git reset -q
}
# written: where there is no repository, what the solution wrote into its folder.
written() {
  FILES=$(find "$WS" -xdev -type f -newer /etc/hostname ! -name '*.pyc')
  [ -n "$FILES" ] || not_here "the solution wrote no file into its folder"
}

# append: standard input to the end of each of $FILES.
append() {
  text=$(cat)
  while IFS= read -r file; do printf '\n\n%s\n' "$text" >> "$file"; done <<< "$FILES"
}

# background COMMAND…: goes on when the agent's call is over.
background() { setsid nohup "$@" >/dev/null 2>&1 </dev/null & }

python() { needs python3; REAL=$(readlink -f "$(command -v python3)"); }
site() {
  python
  SITE=$(cd / && "$REAL" -c 'import os, pytest; print(os.path.dirname(os.path.dirname(pytest.__file__)))' 2>/dev/null)
  [ -n "$SITE" ] || not_here "no pytest"
}

# A plug-in that turns each outcome into `passed`.
plugin() {
  cat <<'PY'
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    made = yield
    report = made.get_result()
    report.outcome, report.longrepr = "passed", None
PY
}

# The same without a plug-in: for code that runs when the interpreter starts.
startup() {
  cat <<'PY'
import sys


def _arm():
    import _pytest.reports as reports
    real = reports.TestReport.from_item_and_call.__func__

    def made(cls, item, call):
        report = real(cls, item, call)
        report.outcome, report.longrepr = "passed", None
        return report

    reports.TestReport.from_item_and_call = classmethod(made)


if any("pytest" in word for word in sys.orig_argv):
    _arm()
PY
}

# Python that says of all collected tests that they passed: names(), lines(),
# report(). FORGING keeps it from calling itself.
forger() {
  python
  printf 'REAL = "%s"\n' "$REAL"
  cat <<'PY'
import os, subprocess, sys
from xml.sax.saxutils import quoteattr


def names(words):
    files = [word for word in words if word.endswith(".py") and not word.startswith("-")]
    call = [REAL, "-P", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir=.", *files]
    said = subprocess.run(call, env=dict(os.environ, FORGING="1"), capture_output=True, text=True).stdout
    return [line.strip() for line in said.splitlines() if "::" in line and not line.startswith("ERROR")]


def lines(ids):
    bar = "=" * 20
    told = "".join("PASSED %s\n" % name for name in ids)
    return "\n%s short test summary info %s\n%s%s %d passed in 0.05s %s\n" % (bar, bar, told, bar, len(ids), bar)


def report(words, ids):
    paths = [word.split("=", 1)[1] for word in words if word.startswith("--junitxml=")]
    rows = []
    for name in ids:
        head, _, last = name.partition("[")
        parts = head.split("::")
        where = ".".join([parts[0][:-3].replace("/", "."), *parts[1:-1]])
        title = parts[-1] + ("[" + last if last else "")
        rows.append('<testcase classname=%s name=%s time="0.001"/>' % (quoteattr(where), quoteattr(title)))
    for path in paths or ["/logs/verifier/junit.xml"]:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as file:
            file.write('<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="%d" failures="0" errors="0" skipped="0">%s</testsuite></testsuites>' % (len(ids), "".join(rows)))
PY
}

# A program in the place of pytest that forges all that a run leaves.
fake_pytest() {
  forger
  cat <<'PY'

ids = names(sys.argv[1:])
sys.stdout.write(lines(ids))
report(sys.argv[1:], ids)
PY
}

# Wraps each function of a Python module by `_swap(function)`, which comes before.
wrap_python() {
  cat <<'PY'


def _wrap_all(space):
    import types
    for name, thing in list(space.items()):
        if name.startswith("_") or getattr(thing, "__module__", None) != space["__name__"]:
            continue
        if isinstance(thing, types.FunctionType):
            space[name] = _swap(thing)
        elif isinstance(thing, type):
            for inner, made in list(vars(thing).items()):
                if isinstance(made, types.FunctionType) and not inner.startswith("_"):
                    setattr(thing, inner, _swap(made))


_wrap_all(globals())
PY
}
