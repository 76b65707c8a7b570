"""Finds where a test says what it expects, and says something else there.

Standard input: {"seed": …, "files": {path: {"source": …, "tests": [name, …],
"picks": {name: index}, "must_fail": bool}}}, names as `Class::test`. Over the
descriptor that is the one argument comes {path: {"sites": {name: [kind, …]},
"source": …, "must_fail": name}}: every place of each test, and the source with the
picked ones altered, each by a fresh value of the same type and shape.

Only places that are reached whenever the test ends well are such places: none in a
branch, in a loop over what was computed, behind a `return`, or where an exception is
expected.
"""
import ast
import json
import os
import random
import sys

EQUAL = {
    "assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSetEqual",
    "assertSequenceEqual", "assertMultiLineEqual",
}
OPPOSITE = {
    "assertEqual": "assertNotEqual", "assertEquals": "assertNotEqual", "assertTrue": "assertFalse",
    "assertFalse": "assertTrue", "assertIn": "assertNotIn", "assertNotIn": "assertIn", "assertIs": "assertIsNot",
    "assertIsNone": "assertIsNotNone", "assertIsNotNone": "assertIsNone", "assertNotEqual": "assertEqual",
}
CHECKS = ("assert", "check", "compare", "ensure", "expect", "must", "same", "should", "verify")
EXPECTS = ("raises", "warns", "suppress", "deprecated_call", "assertRaises", "assertRaisesRegex", "assertWarns",
           "assertWarnsRegex", "assertLogs", "subTest")
# What makes values of literals; a value that it refuses is no comparison, and counts for nothing.
MAKERS = {"set", "frozenset", "dict", "list", "tuple", "Decimal", "Fraction", "approx", "date", "datetime", "timedelta",
          "time", "Path", "PurePosixPath", "OrderedDict", "bytes", "bytearray"}


def name_of(node):
    """The last name of what is called or used."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class File:
    def __init__(self, source, tests):
        self.source = source.encode("utf-8")
        self.starts = [0]
        for line in self.source.split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.tree = ast.parse(source)
        self.constants = self.assigned_once(self.tree.body)
        self.helpers = {node.name for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.helpers = {name for name in self.helpers if name.lstrip("_").startswith(CHECKS)}
        # All but the tests themselves: helpers, fixtures, decorators.
        self.outside = [
            part for node in self.tree.body
            for part in (node.decorator_list if getattr(node, "name", "").startswith(("test", "Test")) else [node])
        ]
        self.sites = {}
        wanted = set(tests)
        for name, function in self.functions(self.tree.body, ""):
            if name in wanted:
                self.sites[name] = Test(self, function).sites()

    def span(self, node):
        return (self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset)

    def functions(self, body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from self.functions(node.body, prefix + node.name + "::")
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield prefix + node.name, node

    @staticmethod
    def assigned_once(body):
        """Names to which these statements give one value, once."""
        values, twice = {}, set()
        for node in body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            for target in targets:
                if isinstance(target, ast.Name) and node.value is not None:
                    twice.update({target.id} & set(values))
                    values[target.id] = node.value
        stored = {}
        for node in body:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    stored[inner.id] = stored.get(inner.id, 0) + 1
        return {name: value for name, value in values.items() if name not in twice and stored.get(name) == 1}


class Test:
    def __init__(self, file, function):
        self.file = file
        self.function = function
        self.locals = file.assigned_once(function.body)
        self.cases = self.parameters()

    def parameters(self):
        """What each parameter is in each case, where all of that is written out."""
        cases = {}
        for decorator in self.function.decorator_list:
            if not (isinstance(decorator, ast.Call) and name_of(decorator) == "parametrize" and len(decorator.args) >= 2):
                continue
            names, values = decorator.args[:2]
            if isinstance(names, ast.Constant) and isinstance(names.value, str):
                names = [name.strip() for name in names.value.split(",") if name.strip()]
            elif isinstance(names, (ast.List, ast.Tuple)):
                names = [name.value for name in names.elts if isinstance(name, ast.Constant)]
            else:
                continue
            if isinstance(values, ast.Name):
                values = self.file.constants.get(values.id) if loads([self.file.tree], values.id) == 1 else None
            if not isinstance(values, (ast.List, ast.Tuple)):
                continue
            for place, name in enumerate(names):
                found = []
                for case in values.elts:
                    if isinstance(case, ast.Call) and name_of(case) == "param":
                        row = case.args
                    elif len(names) == 1:
                        row = [case]
                    else:
                        row = getattr(case, "elts", [])
                    found.append(row[place] if place < len(row) else None)
                if found and all(value is not None and leaves(value) for value in found):
                    cases[name] = found
        return cases

    def sites(self):
        """(kind, [leaf, …] or a span with its replacement), the telling ones first."""
        altered, negated = [], []
        for statement in self.reached(self.function.body):
            sides = equal_sides(statement)
            if sides:
                for one, other in (sides, sides[::-1]):
                    found = self.expected(one)
                    if found and not leaves(other):
                        altered.append(("altered", found))
                        break
            found = self.given(statement)
            if found:
                altered.append(("helper", found))
            opposite = self.opposite(statement)
            if opposite:
                negated.append(("must_fail", opposite))
        return sorted(altered, key=lambda site: site[0] == "helper")[:8] + negated[:4]

    def given(self, statement):
        """What a statement gives to a helper of this file that checks something; mostly an expected value."""
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in self.file.helpers:
            for argument in reversed(call.args):
                found = self.expected(argument)
                if found:
                    return found
        return None

    def expected(self, node):
        """For each case the leaves of an expected value."""
        if isinstance(node, ast.Name):
            # What is used elsewhere too may be what the test gives, and no expectation.
            if loads(self.function.body, node.id) != 1:
                return None
            if node.id in self.cases:
                return [leaves(value) for value in self.cases[node.id]]
            known = self.locals.get(node.id)
            if known is None and not loads(self.file.outside, node.id):
                known = self.file.constants.get(node.id)
            arguments = [argument.arg for argument in self.function.args.args]
            node = known if known is not None and node.id not in arguments else node
        found = leaves(node)
        return [found] if found else None

    def opposite(self, statement):
        if isinstance(statement, ast.Assert):
            start, end = self.file.span(statement.test)
            old = self.file.source[start:end].decode("utf-8")
            return start, end, "not (%s)" % old
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in OPPOSITE:
            start, end = self.file.span(call.func)
            return end - len(call.func.attr), end, OPPOSITE[call.func.attr]
        return None

    def reached(self, body):
        for statement in body:
            if isinstance(statement, (ast.With, ast.AsyncWith)):
                if any(name_of(item.context_expr) in EXPECTS for item in statement.items):
                    continue
                yield from self.reached(statement.body)
            elif isinstance(statement, ast.For) and written_out(statement.iter) and not leaves_early(statement):
                yield from self.reached(statement.body)
            if leaves_early(statement):
                return
            yield statement


def loads(nodes, name):
    """How often a name is used."""
    inner = (inner for node in nodes for inner in ast.walk(node))
    return sum(isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load) for one in inner)


def written_out(node):
    return isinstance(node, (ast.List, ast.Tuple)) and bool(node.elts) and not any(isinstance(e, ast.Starred) for e in node.elts)


def leaves_early(statement):
    for node in ast.walk(statement):
        if isinstance(node, (ast.Return, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(node, ast.Call) and name_of(node) in ("skip", "xfail", "fail", "skipTest", "exit", "importorskip"):
            return True
    return False


def equal_sides(statement):
    """The two sides of a statement that holds where they are equal."""
    if isinstance(statement, ast.Assert):
        test = statement.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            return test.left, test.comparators[0]
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and name_of(call) in EQUAL and len(call.args) >= 2:
        return call.args[0], call.args[1]
    return None


def leaves(node):
    """The constants that a value written out is made of; nothing where it is computed."""
    if isinstance(node, ast.Constant):
        kinds = (int, float, str, bytes)
        return [node] if isinstance(node.value, kinds) and node.value not in ("", b"") else []
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        parts = node.elts
    elif isinstance(node, ast.Dict):
        parts = node.values
        if any(key is None for key in node.keys):
            return []
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        parts = [node.operand]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
        return (leaves(node.left) or leaves(node.right)) if is_written(node.left) and is_written(node.right) else []
    elif isinstance(node, ast.Call) and name_of(node) in MAKERS and not node.keywords:
        parts = node.args
    else:
        return []
    if not all(is_written(part) for part in parts):
        return []
    return [leaf for part in parts for leaf in leaves(part)]


def is_written(node):
    empty = isinstance(node, ast.Constant) or isinstance(node, (ast.List, ast.Tuple)) and not node.elts
    return empty or isinstance(node, ast.Dict) and not node.keys or bool(leaves(node))


def other(value, draw):
    """A fresh value of the same type and shape, far enough away to be no rounding."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        digits = len(str(abs(value)))
        low = 10 ** (digits - 1) if digits > 1 else 0
        while True:
            fresh = draw.randint(low, 10 ** digits - 1)
            if fresh != abs(value):
                return fresh if value >= 0 else -fresh
    if isinstance(value, float):
        return round(value * draw.uniform(1.3, 1.9), 6) if value and abs(value) < 1e300 else draw.uniform(1.0, 9.0)
    if isinstance(value, bytes):
        place = draw.randrange(len(value))
        return value[:place] + bytes([(value[place] + draw.randint(1, 255)) % 256]) + value[place + 1:]
    places = [place for place, letter in enumerate(value) if letter.isalnum() and letter.isascii()]
    place = draw.choice(places) if places else draw.randrange(len(value))
    old = value[place]
    kinds = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    kind = next((kind for kind in kinds if old in kind), kinds[1])
    fresh = draw.choice([letter for letter in kind if letter != old])
    return value[:place] + fresh + value[place + 1:]


def written(value, before):
    """A literal; what stood between two names stays apart from them."""
    text = repr(value)
    return " " + text if before.isalnum() else text


def altered(file, picks, draw):
    edits = {}
    for name, index in picks.items():
        kind, what = file.sites[name][index]
        if kind == "must_fail":
            start, end, text = what
            edits[start, end] = text
            continue
        for found in what:
            leaf = draw.choice(found)
            start, end = file.span(leaf)
            before = file.source[start - 1:start].decode("utf-8", "replace")
            edits[start, end] = written(other(leaf.value, draw), before)
    source, last = file.source, len(file.source) + 1
    for (start, end), text in sorted(edits.items(), reverse=True):
        if end > last:
            raise ValueError("two places overlap")
        source, last = source[:start] + text.encode("utf-8") + source[end:], start
    return source.decode("utf-8")


def must_fail(file, draw):
    """A test that fails whatever it is about, with a name and a look like the others'."""
    names = [name for name, _ in file.functions(file.tree.body, "") if name.startswith("test_")]
    words = sorted({word for name in names for word in name.split("_")[1:] if word.isalpha()}) or ["case", "value", "more"]
    while True:
        name = "test_" + "_".join(draw.choice(words) for _ in range(draw.randint(2, 3)))
        if name not in names:
            break
    a = draw.randint(2, 90)
    b = a + draw.randint(1, 9)
    return name, "\n\ndef %s():\n    %s = %d\n    assert %s == %d\n" % (name, "found", a, "found", b)


def main():
    asked = json.load(sys.stdin)
    draw = random.Random(asked["seed"])
    answer = {}
    for path in sorted(asked["files"]):
        wanted = asked["files"][path]
        try:
            file = File(wanted["source"], wanted["tests"])
            source = altered(file, wanted.get("picks", {}), draw)
            one = {"sites": {name: [kind for kind, _ in sites] for name, sites in file.sites.items()}, "source": source}
            if wanted.get("must_fail"):
                one["must_fail"], text = must_fail(file, draw)
                one["source"] = source.rstrip("\n") + text
            ast.parse(one["source"])
            answer[path] = one
        except (SyntaxError, ValueError, AttributeError, KeyError, IndexError, RecursionError) as error:
            answer[path] = {"sites": {}, "source": wanted["source"], "error": str(error)[:300]}
    text = json.dumps(answer).encode("ascii")
    while text:
        text = text[os.write(int(sys.argv[1]), text):]


if __name__ == "__main__":
    main()
