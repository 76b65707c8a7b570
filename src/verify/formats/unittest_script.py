"""Runs a script that runs unittest by itself, and tells what became of each test.

    python3 script.py FD FOLDER -- SCRIPT [ARGUMENT ...]
    python3 script.py FD FOLDER -- -m MODULE [ARGUMENT ...]

FD is an open descriptor; the script is run in FOLDER as the interpreter itself would
run it. Whatever it makes of unittest's runners and results: a suite that is run is
noticed where unittest starts it, and the result that it was given is listened to. Lines
are those of `reporter.py`, with these differences: each suite that runs brings a line of
what it collected, with the first line of each test's docstring, which is what runners
print as its name,

    {"collected": [ID, ...], "spelled": [TEXT, ...]}

and {"closed": NUMBER_OF_RECORDS} comes when the script has ended, however it did, but
not where the process was ended instead. Suites inside of tests are the tests' own
affair. A suite that a module runs while it is imported is refused: who can be imported
is not who decides what is run. Python 3.6 to 3.13, standard library only.
"""

import os
import runpy
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lines import says, writer  # noqa: E402
from reporter import Reporter, name_of  # noqa: E402

# A module of the work tree may have this name; `reporter` has freed the other.
del sys.path[0], sys.modules["reporter"]

HEARD = (
    "startTest",
    "stopTest",
    "addSuccess",
    "addError",
    "addFailure",
    "addSkip",
    "addExpectedFailure",
    "addUnexpectedSuccess",
    "addSubTest",
)
IMPORTS = "<frozen importlib._bootstrap"


class Suites:
    """What runs, one suite after the other."""

    def __init__(self, emit):
        self.emit = emit
        self.own = os.getpid()
        self.running = False
        self.written = 0

    def outermost(self, result):
        """Whether a suite that begins with this result is none inside of a test, nor
        one in a worker of the script's, whose results come back to this process."""
        return result is not None and not self.running and os.getpid() == self.own

    def run(self, test, result, run):
        self.running = True
        try:
            if importing():
                self.emit([("refused", "a suite ran while a module was imported")])
                return run()
            return self.told(test, result, run)
        finally:
            self.running = False

    def told(self, test, result, run):
        """Runs what the test is or has, and tells of it."""
        ids = {id(one): (one,) + name_of(one) for one in flatten(test)}
        known = [(name, first_line(one)) for one, name, above in ids.values() if not above]
        collected, spelled = [name for name, _ in known], [line for _, line in known]
        self.emit([("collected", collected), ("spelled", spelled)])
        reporter = Reporter(self.emit, ids, describe=says)
        unlisten = listen(result, reporter)
        try:
            return run()
        finally:
            unlisten()
            self.written += reporter.written

    def hook(self, kind, name):
        """Notices a suite where this method of unittest's starts it."""
        method = getattr(kind, name)
        suites = self

        def noticed(test, result=None, *rest, **named):
            if not suites.outermost(result):
                return method(test, result, *rest, **named)
            return suites.run(test, result, lambda: method(test, result, *rest, **named))

        noticed.__name__, noticed.__qualname__ = method.__name__, method.__qualname__
        setattr(kind, name, noticed)


def importing():
    """Whether a module is being imported that this would return to."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTS):
            return True
        frame = frame.f_back
    return False


def flatten(test):
    """Tests of a suite, of suites in it, or the test itself."""
    if not isinstance(test, unittest.BaseTestSuite):
        yield test
        return
    for item in test:
        for inner in flatten(item):
            yield inner


def first_line(test):
    try:
        return str(test.shortDescription() or "")
    except Exception:
        return ""


def listen(result, reporter):
    """Tells the reporter what the result is told, until what it returns is called. Of
    the result itself, not of its class: classes need not call what they come from."""
    own = vars(result)
    before = {name: own[name] for name in HEARD if name in own}
    for name in HEARD:
        method = getattr(result, name, None)
        if method is not None:
            own[name] = relay(getattr(reporter, name), method)

    def unlisten():
        for name in HEARD:
            own.pop(name, None)
        own.update(before)

    return unlisten


def relay(tell, method):
    def told(*what, **named):
        tell(*what, **named)
        return method(*what, **named)

    return told


def start(words):
    """Runs the script or module that these words name, as `python3 WORDS` does: its
    folder stands in `sys.path` where this file's did."""
    module = words[0] == "-m"
    if os.path.abspath(sys.path[0]) == os.path.dirname(os.path.abspath(__file__)):
        sys.path[0] = os.getcwd() if module else os.path.dirname(os.path.realpath(words[0]))
    sys.argv[:] = words[1:] if module else words
    if module:
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")


def main(arguments):
    descriptor, folder, words = int(arguments[0]), arguments[1], arguments[3:]
    os.set_inheritable(descriptor, False)
    os.chdir(folder)
    emit = writer(descriptor)
    suites = Suites(emit)
    suites.hook(unittest.BaseTestSuite, "__call__")
    suites.hook(unittest.TestSuite, "run")
    suites.hook(unittest.TestCase, "run")
    try:
        start(words)
    finally:
        emit([("closed", suites.written)])


if __name__ == "__main__":
    main(sys.argv[1:])
