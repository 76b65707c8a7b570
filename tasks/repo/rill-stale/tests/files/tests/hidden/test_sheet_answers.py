"""The same for sheets, with a model that computes everything anew."""

import random

import pytest

from node_process import command, sheet


def test_issue_cycle_broken_elsewhere():
    assert command("set B2 =B3*2; set B3 =B4-1; set B4 =B2; get B2 B3 B4; set B3 8; get B2 B3 B4") == [
        *["#CYCLE!"] * 3, "16", "8", "16"]


def test_one_more_argument():
    assert sheet("set A1 3; set A2 4; set A3 5; set C1 =SUM(A1); get C1; set C1 =SUM(A1,A2); get C1;"
                 " set C1 =SUM(A1,A2,A3,1); get C1; set C1 =MAX(A1,A3); get C1; set C1 =MAX(A1,A3,9); get C1") == [
        "3", "7", "13", "5", "9"]


def test_the_other_branch_of_equal_values():
    assert sheet("set A1 1; set B1 20; set C1 20; set D1 =IF(A1=1,B1,C1); get D1; set A1 2; get D1; set C1 21; get D1;"
                 " set A1 1; get D1; set B1 22; get D1") == ["20", "20", "21", "20", "22"]


def test_fixed_no_more():
    assert sheet("fix A1 3; fix A2 =A1*A1; fix A3 =A2+1; get A3; set A1 4; get A3 A2; fix A1 5; set A1 5; get A3;"
                 " set A1 6; get A3; set A2 =A1; get A3") == ["10", "17", "16", "26", "37", "7"]


def test_fixed_cells_that_come_to_read_others():
    assert sheet("fix A1 0; set A2 30; fix A3 =IF(A1>0,A2,30); fix A4 =A3*2; fix A5 =A4-1; get A5; fix A1 1; get A5;"
                 " set A2 31; get A5 A4") == ["59", "59", "61", "62"]


def test_turned_around():
    assert sheet("set F1 1; set A1 =IF(F1>0,B1+F1,50); set B1 2; get A1; set F1 0; set B1 =A1*2; get A1 B1;"
                 " set B1 3; set F1 4; get B1 A1") == ["3", "50", "100", "3", "7"]


def test_caught_cycles():
    assert command("set A1 =IFERROR(B1,1); set B1 =IFERROR(A1,2); set C1 =IFERROR(B1,3); get C1 B1 A1; set A1 9; get A1 B1 C1") == [
        "3", "#CYCLE!", "#CYCLE!", "9", "9", "9"]


def test_limited():
    assert sheet("limit 1; set A1 2; set A2 =A1*3; set A3 =A2+A1; get A3; set A1 5; get A2 A3; get A1; set A1 6; get A2 A3 A1") == [
        "8", "15", "20", "5", "18", "24", "6"]


def test_batched():
    assert sheet("set A1 1; set A2 =A1+B1; get A2; begin; set A1 2; get A2; set B1 7; get A2; end; get A2") == [
        "1", "2", "9", "9"]


# In general

class OnCycle(Exception):
    pass


class Model:
    """Cells as trees; `value` computes one, with whatever it needs, from nothing."""

    def __init__(self):
        self.trees = {}

    def answer(self, cell):
        self.known, self.stack = {}, []
        try:
            return show(self.value(cell))
        except OnCycle:
            return "#CYCLE!"

    def value(self, cell):
        if self.stack and self.stack[-1][1]:
            raise OnCycle
        if cell not in self.known:
            names = [name for name, _ in self.stack]
            if cell in names:
                for frame in self.stack[names.index(cell):]:
                    frame[1] = True
                raise OnCycle
            frame = [cell, False]
            self.stack.append(frame)
            try:
                self.known[cell] = self.evaluate(self.trees.get(cell, ("value", None)))
            except OnCycle:
                self.known[cell] = OnCycle
            self.stack.pop()
            if frame[1]:
                self.known[cell] = OnCycle
        if self.known[cell] is OnCycle:
            raise OnCycle
        return self.known[cell]

    def evaluate(self, tree):
        kind, *parts = tree
        if kind == "value":
            return parts[0]
        if kind == "ref":
            return self.value(parts[0])
        if kind == "sum":
            values = [self.evaluate(part) for part in parts]
            errors = [value for value in values if isinstance(value, str)]
            return errors[0] if errors else sum(value for value in values if value is not None)
        if kind == "if":
            value = self.evaluate(parts[0])
            return value if isinstance(value, str) else self.evaluate(parts[2] if (value or 0) > parts[1] else parts[3])
        if kind == "iferror":
            try:
                value = self.evaluate(parts[0])
            except OnCycle:
                value = "#CYCLE!"
            return self.evaluate(parts[1]) if isinstance(value, str) else value
        left = self.evaluate(parts[0])
        if isinstance(left, str):
            return left
        right = self.evaluate(parts[1])
        if isinstance(right, str):
            return right
        left, right = left or 0, right or 0
        if kind == "/":
            return "#DIV/0!" if right == 0 else left // right
        return left + right if kind == "+" else left - right


def show(value):
    return "" if value is None else str(value)


def text(tree):
    kind, *parts = tree
    if kind in ("value", "ref"):
        return str(parts[0])
    if kind == "sum":
        return f"SUM({','.join(map(text, parts))})"
    if kind == "if":
        return f"IF({text(parts[0])}>{parts[1]},{text(parts[2])},{text(parts[3])})"
    if kind == "iferror":
        return f"IFERROR({text(parts[0])},{text(parts[1])})"
    return f"({text(parts[0])}{kind}{text(parts[1])})"


CELLS = ["A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2"]


class Writer:
    """A random script for the program, and what it should print."""

    def __init__(self, seed, durable=False, limit=None, batches=False, backwards=0.25):
        self.random = random.Random(seed)
        self.durable, self.batches, self.backwards = durable, batches, backwards
        self.model, self.open = Model(), False
        self.lines, self.expected = [f"limit {limit}"] if limit else [], []

    def ref(self, cell):
        index = CELLS.index(cell)
        if index == 0 or self.random.random() < self.backwards:
            return ("ref", self.random.choice(CELLS))
        return ("ref", CELLS[self.random.randrange(index)])

    def number(self):
        return ("value", self.random.randrange(4))

    def tree(self, cell):
        dice = self.random.random()
        ref = lambda: self.ref(cell)
        if dice < 0.35 or cell == "A1":
            return self.number()
        if dice < 0.50:
            return (self.random.choice("+-"), ref(), self.number())
        if dice < 0.60:
            return ("sum", *[ref() for _ in range(self.random.randrange(1, 4))])
        if dice < 0.82:
            return ("if", ref(), self.random.randrange(3), ref(), self.random.choice([self.number(), ref()]))
        if dice < 0.88:
            return ("+", ("/", same := ref(), same), ref())
        return ("iferror", ref(), self.random.choice([self.number(), ref()]))

    def write(self):
        cell = self.random.choice(CELLS)
        tree = self.model.trees[cell] = self.tree(cell)
        shown = text(tree) if tree[0] == "value" else "=" + text(tree)
        self.lines.append(f"{'fix' if self.durable and self.random.random() < 0.7 else 'set'} {cell} {shown}")

    def ask(self, *cells):
        self.lines.append("get " + " ".join(cells))
        self.expected += [self.model.answer(cell) for cell in cells]

    def script(self, steps):
        for _ in range(steps):
            dice = self.random.random()
            if dice < 0.5:
                self.write()
            elif dice < 0.9 or not self.batches:
                self.ask(*self.random.sample(CELLS, self.random.choice([1, 1, 2, 8])))
            else:
                self.lines.append("end" if self.open else "begin")
                self.open = not self.open
        if self.open:
            self.lines.append("end")
        self.ask(*CELLS)
        return self.lines, self.expected


@pytest.mark.parametrize(
    "seed, options",
    [
        pytest.param(11, {"backwards": 0}, id="without-cycles"),
        pytest.param(12, {}, id="plain"),
        pytest.param(13, {"backwards": 0.6}, id="many-cycles"),
        pytest.param(14, {"durable": True, "backwards": 0}, id="durable"),
        pytest.param(15, {"durable": True}, id="durable-cycles"),
        pytest.param(16, {"limit": 2, "backwards": 0}, id="limited"),
        pytest.param(17, {"limit": 3}, id="limited-cycles"),
        pytest.param(18, {"batches": True}, id="batches"),
        pytest.param(19, {"batches": True, "durable": True, "limit": 4}, id="all-together"),
    ],
)
def test_any_sheet(seed, options):
    lines, expected = Writer(seed, **options).script(1500)
    assert sheet(*lines) == expected
