"""Runs pytest as `python -m pytest` does, and tells what became of each test, a JSON
object a line, over a descriptor that nobody else has.

    run.py DESCRIPTOR [ARGUMENT...]        (standard input: digests of hidden files)

Everything that it needs is imported before anything that is not the runner's own can
be, the working directory included: a file there that is named like a module of the
runner is none. What shares a process with it could still imitate it; so it also tells
which parts of the runner were other ones at the end, which plug-ins came up, and which
hidden files were not as they had been laid.
"""
import sys

del sys.path[0]

import hashlib  # noqa: E402
import importlib  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pkgutil  # noqa: E402
import site  # noqa: E402
import types  # noqa: E402
import unittest  # noqa: E402

MESSAGE = 2000


def import_runner(folder):
    """pytest, with all its parts; of the folder only where it is nowhere else."""
    try:
        import pytest
    except ImportError:
        if site.ENABLE_USER_SITE is False:
            sys.path.append(site.getusersitepackages())
        sys.path.append(folder)
        import pytest
    import _pytest

    for module in pkgutil.iter_modules(_pytest.__path__):
        if module.name == "pytester_assertions":
            continue  # the runner rewrites it as it is imported, and warns where it was
        try:
            importlib.import_module("_pytest." + module.name)
        except Exception:  # a part for what is not installed here
            pass
    return pytest


class Channel:
    """Lines to the helper. What it needs is bound here and not looked up later."""

    def __init__(self, descriptor, dumps=json.dumps, write=os.write, inheritable=os.set_inheritable):
        inheritable(descriptor, False)
        count = [0]

        def tell(**what):
            what["n"] = count[0]
            count[0] += 1
            line = dumps(what).encode("utf-8", "backslashreplace") + b"\n"
            while line:
                line = line[write(descriptor, line):]

        self.tell = tell


def functions(module):
    """(name, function) of a module's functions and of its classes' methods."""
    for name, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType):
            yield name, value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for inner, method in list(vars(value).items()):
                if isinstance(method, (staticmethod, classmethod)):
                    method = method.__func__
                elif isinstance(method, property):
                    method = method.fget
                if isinstance(method, types.FunctionType):
                    yield "%s.%s" % (name, inner), method


class Runner:
    """The runner's own parts, as they were before any test was collected."""

    ROOTS = ("_pytest", "pytest", "pluggy", "unittest")

    def __init__(self):
        self.parts = {}
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] in self.ROOTS and isinstance(module, types.ModuleType):
                for inner, function in functions(module):
                    self.parts[name, inner] = function, function.__code__, function.__defaults__

    def changed(self):
        """Names of parts that are others now."""
        found = []
        for name in sorted({name for name, _ in self.parts}):
            module = sys.modules.get(name)
            now = dict(functions(module)) if isinstance(module, types.ModuleType) else {}
            for (owner, inner), (function, code, defaults) in self.parts.items():
                if owner != name:
                    continue
                there = now.get(inner)
                if there is not function or there.__code__ is not code or there.__defaults__ is not defaults:
                    found.append("%s.%s" % (name, inner))
        return found


class Reporter:
    """States of tests, worst of their phases."""

    def __init__(self, channel, hidden, folder):
        self.tell = channel.tell
        self.hidden = hidden
        self.folder = folder
        self.open = {}
        self.closed = set()
        self.raised = {}
        self.runner = None
        self.plugins = None

    def files_that_changed(self):
        changed = []
        for path, digest in self.hidden.items():
            try:
                with open(os.path.join(self.folder, path), "rb") as file:
                    if hashlib.sha256(file.read()).hexdigest() == digest:
                        continue
            except OSError:
                pass
            changed.append(path)
        return changed

    def named_plugins(self, manager):
        named = {}
        for name, plugin in manager.list_name_plugin():
            if plugin is None or plugin is self:
                continue
            where = getattr(plugin, "__file__", None) or getattr(type(plugin), "__module__", "")
            named[str(name)] = str(where)
        return named

    def pytest_sessionstart(self, session):
        self.runner = Runner()
        where = os.path.dirname(os.path.realpath(sys.modules["_pytest"].__file__))
        self.tell(event="started", runner=where, plugins=self.named_plugins(session.config.pluginmanager))

    def pytest_collection_finish(self, session):
        self.tell(event="collected", ids=[item.nodeid for item in session.items], changed=self.files_that_changed())

    def pytest_collectreport(self, report):
        if not report.passed:
            state = "skipped" if report.skipped else "error"
            self.tell(event="record", id=report.nodeid, state=state, ms=0, message=message_of(report), collecting=True)

    def pytest_runtest_logreport(self, report):
        test = self.open.setdefault(report.nodeid, {"state": None, "ms": 0, "message": ""})
        test["ms"] += int(getattr(report, "duration", 0) * 1000)
        state = state_of(report)
        if state and WORST.index(state) > WORST.index(test["state"] or "passed") or not test["state"] and state:
            test["state"] = state
            test["message"] = message_of(report) if state != "passed" else ""
        if report.when == "call":
            raised = self.raised.get(report.nodeid)
            if raised and report.outcome == "passed" and not hasattr(report, "wasxfail"):
                test["contradicts"] = "it raised %s and is reported as passed" % raised
        if report.when == "teardown":
            self.close(report.nodeid)

    def close(self, nodeid):
        test = self.open.pop(nodeid)
        if test["state"]:
            self.tell(event="record", id=nodeid, **test)

    def pytest_sessionfinish(self, session, exitstatus):
        for nodeid in list(self.open):
            self.open[nodeid]["state"] = "error"
            self.close(nodeid)
        self.tell(
            event="finished",
            exit=int(exitstatus),
            patched=self.runner.changed() if self.runner else [],
            plugins=self.named_plugins(session.config.pluginmanager),
            changed=self.files_that_changed(),
        )


WORST = ["passed", "xfailed", "xpassed", "skipped", "failed", "error"]


def state_of(report):
    """What this phase alone makes of the test; none where it says nothing."""
    expected = hasattr(report, "wasxfail")
    if report.failed:
        return "failed" if report.when == "call" else "error"
    if report.skipped:
        return "xfailed" if expected else "skipped"
    if report.passed and report.when == "call":
        return "xpassed" if expected else "passed"
    return None


def message_of(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    if crash is not None:
        return str(crash.message)[:MESSAGE]
    long = report.longrepr
    if isinstance(long, tuple) and len(long) == 3:
        return str(long[2])[:MESSAGE]
    lines = [line.strip() for line in str(long or "").splitlines() if line.strip()]
    told = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (told or lines or [""])[-1][:MESSAGE]


def outermost(pytest, reporter):
    """Sees whether a test raised, whatever a report says later."""

    class Outermost:
        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_call(self, item):
            reporter.raised.pop(item.nodeid, None)
            outcome = yield
            error = outcome.excinfo
            if error and not issubclass(error[0], quiet):
                reporter.raised[item.nodeid] = error[0].__name__

    quiet = (pytest.skip.Exception, pytest.xfail.Exception)
    return Outermost()


def main(arguments):
    descriptor, folder = int(arguments[0]), os.getcwd()
    hidden = json.loads(sys.stdin.read() or "{}")
    channel = Channel(descriptor)
    pytest = import_runner(folder)
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    sys.argv[:] = [os.path.join(os.path.dirname(pytest.__file__), "__main__.py")] + arguments[1:]
    if importlib.util.find_spec("xdist") and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        arguments.append("-n0")  # tests that run in other processes are told of by them
    reporter = Reporter(channel, hidden, folder)
    status = int(pytest.main(arguments[1:], plugins=[reporter, outermost(pytest, reporter)]))
    channel.tell(event="closed", exit=status)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
