"""Runs unittest's tests and writes one JSON line per record to a file descriptor.

    python3 reporter.py FD FOLDER [TARGET ...]

FD is an open descriptor, FOLDER the folder that the tests run in. A TARGET is a
file below FOLDER, a folder that tests are discovered in, or a dotted name; none
means discovery in FOLDER. Lines, in this order:

    {"collected": [ID, ...]}
    {"id": ID, "state": STATE, "ms": N, "message": TEXT}     as each test ends
    {"closed": NUMBER_OF_RECORDS}

A record with "above": true stands for every test whose id begins with its own (a
module that was not imported, a class or module fixture); one with "of": ID is a
subtest that failed. Python 3.6 to 3.13, standard library only. All that writes a
record is bound before a test module is imported (`lines.py`, beside this file).
"""

import importlib
import importlib.util
import os
import sys
import time
import unittest
from unittest.loader import _FailedTest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lines import describe, writer  # noqa: E402

# A module of the work tree may have this name.
del sys.path[0], sys.modules["lines"]

LONGEST = 2000
BADNESS = {"passed": 0, "xpassed": 1, "skipped": 2, "xfailed": 3, "failed": 5, "error": 6}


class Reporter(unittest.TestResult):
    """Keeps the worst state of the running test, and writes it when the test stops."""

    def __init__(self, emit, ids, clock=time.monotonic, describe=describe):
        super().__init__()
        self._emit = emit
        self._ids = ids
        self._clock = clock
        self._describe = describe
        self._badness = dict(BADNESS)
        self._test = None
        self._state = None
        self._message = ""
        self._began = 0.0
        self.written = 0
        self.bad = False

    def startTest(self, test):
        super().startTest(test)
        self._begin(test)

    def _begin(self, test):
        self._test, self._state, self._message = test, None, ""
        self._began = self._clock()

    def stopTest(self, test):
        super().stopTest(test)
        state, message = self._state, self._message
        if state is None or test is not self._test:
            state, message = "error", "it ended without a result"
        ms = int((self._clock() - self._began) * 1000)
        name, above = self._name(test)
        self._record(name, state, ms, message, above)
        self._test = self._state = None

    def addSuccess(self, test):
        self._add(test, "passed", "")

    def addError(self, test, err):
        self._add(test, "error", self._text(err))

    def addFailure(self, test, err):
        self._add(test, "failed", self._text(err))

    def addSkip(self, test, reason):
        self._add(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self._add(test, "xfailed", self._text(err))

    def addUnexpectedSuccess(self, test):
        self._add(test, "xpassed", "it should have failed")

    def addSubTest(self, test, subtest, err):
        if err is None:
            return
        failed = issubclass(err[0], test.failureException)
        state, message = ("failed" if failed else "error"), self._text(err)
        name = self._name(test)[0]
        described = subtest.id()
        self._record(described, state, 0, message, False, of=name)
        self._add(test, state, message)

    def _add(self, test, state, message):
        test = getattr(test, "test_case", test)
        known = self._ids.get(id(test))
        if test is not self._test and known and known[0] is test:
            # Python 3.12.1 skips tests that it has not started.
            self._begin(test)
        if test is self._test:
            if self._state is None or self._badness[state] > self._badness[self._state]:
                self._state, self._message = state, message
            return
        # A fixture of a class or module: unittest starts no test for it.
        name = test.id()
        if name.endswith(")") and " (" in name:
            name = name[name.index(" (") + 2:-1]
        self._record(name, state, 0, message, True)

    def _record(self, name, state, ms, message, above, of=None):
        pairs = [("id", name), ("state", state), ("ms", ms), ("message", str(message)[:LONGEST])]
        if above:
            pairs.append(("above", True))
        if of is not None:
            pairs.append(("of", of))
        self._emit(pairs)
        self.written += 1
        self.bad = self.bad or state in ("failed", "error", "xpassed")

    def _name(self, test):
        known = self._ids.get(id(test))
        return known[1:] if known else name_of(test)

    def _text(self, err):
        return self._describe(err)


def name_of(test):
    """The id of a test, and whether it stands for a module that was not imported."""
    kind = type(test)
    if isinstance(test, _FailedTest) or (
        kind.__module__ == "unittest.loader" and kind.__name__ == "ModuleSkipped"
    ):
        return test._testMethodName, True
    return test.id(), False


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            for test in flatten(item):
                yield test
        else:
            yield item


def load(loader, folder, target):
    """The tests of a target, and why they could not be loaded."""
    path = os.path.join(folder, target)
    if not target or os.path.isdir(path):
        package = os.path.isfile(os.path.join(path, "__init__.py"))
        return loader.discover(path, top_level_dir=folder if package else None)
    if target.endswith(".py"):
        name, rest = os.path.normpath(target)[:-3].replace(os.sep, "."), ""
        if not all(part.isidentifier() for part in name.split(".")):
            return loader.loadTestsFromModule(import_file(name, path))
    else:
        name, rest = split(target)
    # Not by the loader: it would call a module that fails by its last name only.
    module = importlib.import_module(name)
    if rest:
        suite = loader.loadTestsFromName(rest, module)
        for test in flatten(suite):
            if isinstance(test, _FailedTest):
                raise test._exception
        return suite
    return loader.loadTestsFromModule(module)


def split(target):
    """The module of a dotted name, and what is meant in it."""
    name, rest = target, ""
    while "." in name:
        try:
            found = importlib.util.find_spec(name) is not None
        except (ImportError, AttributeError, ValueError):
            found = False
        if found:
            break
        name, _, last = name.rpartition(".")
        rest = last + "." + rest if rest else last
    return name, rest


def import_file(name, path):
    """A module whose file has no module's name."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main(arguments):
    descriptor, folder, targets = int(arguments[0]), os.path.abspath(arguments[1]), arguments[2:]
    os.set_inheritable(descriptor, False)
    emit = writer(descriptor)
    run = unittest.TestSuite.run
    # As `python3 -m unittest` has it: the tests' folder first, not this file's.
    if os.path.abspath(sys.path[0]) == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.path.insert(0, folder)
    os.chdir(folder)
    suite, broken = unittest.TestSuite(), []
    for target in targets or [""]:
        try:
            suite.addTest(load(unittest.TestLoader(), folder, target))
        except unittest.SkipTest as skip:
            broken.append((target, "skipped", str(skip)))
        except BaseException:
            broken.append((target, "error", describe(sys.exc_info())))
    ids = {}
    for test in flatten(suite):
        ids[id(test)] = (test,) + name_of(test)
    emit([("collected", [name for _, name, above in ids.values() if not above])])
    result = Reporter(emit, ids)
    for target, state, message in broken:
        name = target[:-3] if target.endswith(".py") else target
        result._record(os.path.normpath(name).replace(os.sep, "."), state, 0, message, True)
    run(suite, result)
    emit([("closed", result.written)])
    return 1 if result.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
