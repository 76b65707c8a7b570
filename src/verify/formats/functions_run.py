"""Runs plain test functions of files, and tells what became of each of them.

    python3 run.py FD FOLDER FILE...

FD is an open descriptor. Each FILE, below FOLDER, is run as a module of its package, if
it has one, with FOLDER in front of `sys.path`; then its functions `test_*` are called in
the order of their lines, as runners do which projects without pytest bring along (sympy's
`bin/test` among them). Without files all `test_*.py` below FOLDER are run. Lines, in this
order for each file:

    {"collected": [ID, ...], "spelled": [NAME, ...]}
    {"id": ID, "state": STATE, "ms": N, "message": TEXT}     as each test ends

and {"closed": NUMBER_OF_RECORDS} at the end. An ID is FILE::FUNCTION, a NAME what the
function is called where that is not the same. A record with "above": true stands for
all tests of the file that is its id: it could not be run, is skipped or `disabled`, or
its `setup_module` or `teardown_module` failed.

What a test is said to be depends on what it raises, by the name of the exception's class:
Skipped, SkipTest, XFail and XPass are what they say; a function with a true `_slow` is not
called. Whatever else is raised, an exit included, fails the test. DeprecationWarnings that
the package under test gives while a test runs are raised. Python 3.6 to 3.13, standard
library only; all that writes a record is bound before a test is run.
"""

import importlib
import importlib.util
import inspect
import os
import random
import re
import sys
import time
import types
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lines import describe, says, writer  # noqa: E402

# A module of the work tree may have this name.
del sys.path[0], sys.modules["lines"]

LONGEST = 2000
SAID = {"Skipped": "skipped", "SkipTest": "skipped", "XFail": "xfailed", "XPass": "xpassed"}


class Records:
    """What is told, and whether any of it is bad."""

    def __init__(self, emit):
        self.emit = emit
        self.written = 0
        self.bad = False

    def collected(self, tests):
        self.emit([("collected", [test for test, _ in tests]), ("spelled", [name for _, name in tests])])

    def tell(self, name, state, began, message, above=False):
        ms = int((clock() - began) * 1000)
        pairs = [("id", name), ("state", state), ("ms", ms), ("message", message[:LONGEST])]
        self.emit(pairs + [("above", True)] if above else pairs)
        self.written += 1
        self.bad = self.bad or state in ("failed", "error")


clock = time.monotonic


def outcome(err):
    """What an exception makes of the test that raised it, and what it says."""
    names = [kind.__name__ for kind in err[0].__mro__]
    for name in names:
        if name in SAID:
            return SAID[name], says(err)
    failed = "AssertionError" in names or "Failed" in names
    return ("failed" if failed else "error"), describe(err)


def attempt(call):
    """State and message of a call; whatever it raises ends here."""
    try:
        back = call()
    except BaseException:
        return outcome(sys.exc_info())
    if inspect.iscoroutine(back):
        back.close()
        return "error", "it is a coroutine, which nobody awaits"
    return "passed", ""


class File:
    """A file of tests, and the module that it is run as."""

    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, name)
        self.package, stem = package_of(folder, name)
        self.full_name = self.package + "." + stem if self.package else stem
        self.module = types.ModuleType(self.full_name)

    def run(self):
        """Runs the file anew, whoever may have imported it before."""
        if self.package:
            importlib.import_module(self.package)
        spec = importlib.util.spec_from_file_location(self.full_name, self.path)
        self.module = importlib.util.module_from_spec(spec)
        # What has no package must not take the place of a module that others mean.
        if self.package or self.full_name not in sys.modules:
            sys.modules[self.full_name] = self.module
        code = spec.loader.source_to_code(spec.loader.get_data(self.path), self.path)
        exec(code, vars(self.module))

    def tests(self):
        """(name, function) of what the file itself defines, by their lines."""
        found = []
        for name, value in list(vars(self.module).items()):
            if name.startswith("test_") and isinstance(value, (types.FunctionType, types.MethodType)):
                code = innermost(value)
                if code is not None and code.co_filename == self.path:
                    found.append((code.co_firstlineno, name, value))
        found.sort(key=lambda row: row[0])
        return [(name, value) for _, name, value in found]

    def around(self, name):
        """Calls a function of the module's that stands around its tests, if it has one."""
        function = vars(self.module).get(name)
        if not isinstance(function, types.FunctionType):
            return "passed", ""
        given = [self.module] if function.__code__.co_argcount else []
        return attempt(lambda: function(*given))


def package_of(folder, name):
    """The package of a file, empty where it has none, and the name of its module."""
    parts = os.path.normpath(name)[:-3].split(os.sep)
    above, stem = parts[:-1], parts[-1]
    own = []
    while above and os.path.isfile(os.path.join(folder, *(above + ["__init__.py"]))):
        own.insert(0, above.pop())
    # A package below a folder that is none cannot be imported from FOLDER.
    return ("" if above else ".".join(own)), stem


def innermost(function):
    """The code of what decorators were put around."""
    for _ in range(100):
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    return getattr(function, "__code__", None)


def call(function):
    """Calls a test; one that yields gives (function, argument, ...) to be called."""
    if not inspect.isgeneratorfunction(function):
        return function()
    for given in function():
        inner, arguments = (given, ()) if callable(given) else (given[0], given[1:])
        inner(*arguments)


def run_test(file, function, seed=random.seed):
    if getattr(function, "_slow", False):
        return "skipped", "slow"
    with warnings.catch_warnings():
        if file.package:
            root = file.package.split(".")[0]
            # Of the package, but not of the test: its own warnings are nobody's fault.
            raised = r"(?!%s$)%s(\.|$)" % (re.escape(file.full_name), re.escape(root))
            warnings.filterwarnings("error", "", DeprecationWarning, module=raised)
        seed(0)
        return attempt(lambda: call(function))


def forget(package):
    """What an earlier file left in the caches of a package that can clear them."""
    cache = sys.modules.get(package.split(".")[0] + ".core.cache")
    clear = getattr(cache, "clear_cache", None)
    if clear is not None:
        attempt(clear)


def run_file(file, records):
    began = clock()
    random.seed(0)
    state, message = attempt(file.run)
    forget(file.package)
    tests = [(file.name + "::" + name, function) for name, function in file.tests()]
    records.collected([(test, spelled(test, function)) for test, function in tests])
    if state == "passed" and vars(file.module).get("disabled", False):
        state, message = "skipped", "it is disabled"
    if state == "passed":
        state, message = file.around("setup_module")
    if state != "passed":
        records.tell(file.name, state, began, message, True)
        return
    for test, function in tests:
        began = clock()
        state, message = run_test(file, function)
        records.tell(test, state, began, message)
    began = clock()
    state, message = file.around("teardown_module")
    if state != "passed":
        records.tell(file.name, state, began, message, True)


def spelled(test, function):
    name = getattr(function, "__name__", "")
    return "" if test.endswith("::" + name) else name


def discover(folder):
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("test_") and name.endswith(".py"):
                yield os.path.relpath(os.path.join(where, name), folder)


def main(arguments):
    descriptor, folder, files = int(arguments[0]), os.path.abspath(arguments[1]), arguments[2:]
    os.set_inheritable(descriptor, False)
    records = Records(writer(descriptor))
    os.chdir(folder)
    if os.path.abspath(sys.path[0]) == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.path.insert(0, folder)
    for name in files or discover(folder):
        run_file(File(folder, os.path.normpath(name)), records)
    records.emit([("closed", records.written)])
    return 1 if records.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
