"""What works already, and must go on working: rules of docs/model.md, formulas, commands."""

import pytest

from node_process import command, js, sheet
from test_answers import run


# Little is computed

def test_executed_once_in_a_revision():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2);
      const sum = query("sum", () => twice.get("a") + twice.get("b") + twice.get("a"));
      const out = [sum.get(), sum.get(), twice.get("b"), take().length];
      input.set("c", 1);
      out.push(sum.get(), take().length);
      input.set("b", 1);
      out.push(sum.get(), take());
      return out;
    """) == [0, 0, 0, 3, 0, 0, 2, ["twice b", "sum"]]


def test_an_equal_result_stops_the_change():
    assert run("""
      const half = query("half", () => ({ n: Math.floor(input.get("a") / 2), list: [1] }));
      const text = query("text", () => JSON.stringify(half.get()));
      input.set("a", 4);
      const out = [text.get(), take()];
      input.set("a", 5);
      out.push(text.get(), take());
      input.set("a", 6);
      out.push(text.get(), take());
      return out;
    """) == ['{"n":2,"list":[1]}', ["text", "half"], '{"n":2,"list":[1]}', ["half"],
             '{"n":3,"list":[1]}', ["half", "text"]]


def test_an_equal_result_stops_the_change_time_and_again():
    assert run("""
      const sign = query("sign", () => Math.sign(input.get("a")));
      const text = query("text", () => `sign ${sign.get()}`);
      const out = [];
      for (const value of [3, 4, 5, 6, -1, -2, -3]) {
        input.set("a", value);
        text.get();
        out.push(take().join());
      }
      return out;
    """) == ["text,sign", "sign", "sign", "sign", "sign,text", "sign", "sign"]


def test_a_set_value_that_is_equal_changes_nothing():
    assert run("""
      const twice = query("twice", () => input.get("a").n * 2);
      input.set("a", { n: 2 });
      const before = [twice.get(), runtime.revision];
      input.set("a", { n: 2 });
      take();
      return [before[0], twice.get(), runtime.revision - before[1], take()];
    """) == [4, 4, 0, []]


def test_no_more_dependencies_are_looked_at_than_needed():
    assert run("""
      const part = query("part", (key) => input.get(key));
      const all = query("all", () => part.get("a") + part.get("b") + part.get("c"));
      all.get();
      take();
      input.set("a", 1);
      input.set("c", 1);
      return [all.get(), take()];
    """) == [2, ["part a", "all", "part c"]]


def test_counts():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2);
      const sum = query("sum", () => twice.get("a") + twice.get("b"));
      sum.get();
      const out = [runtime.takeStats()];
      input.set("z", 3);
      sum.get();
      out.push(runtime.takeStats());
      sum.get();
      out.push(runtime.takeStats());
      return out;
    """) == [{"executed": 3, "validated": 0, "skipped": 0}, {"executed": 0, "validated": 3, "skipped": 0},
             {"executed": 0, "validated": 0, "skipped": 0}]


def test_durable_results_are_skipped():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2);
      const sum = query("sum", () => twice.get("a") + twice.get("b"));
      input.set("a", 3, { durability: HIGH });
      input.set("b", 4, { durability: HIGH });
      const out = [sum.get()];
      runtime.takeStats();
      for (const durability of [LOW, MEDIUM, LOW]) {
        input.set("z", `${out.length}`, { durability });
        out.push(sum.get());
      }
      return [...out, runtime.takeStats()];
    """) == [14, 14, 14, 14, {"executed": 0, "validated": 0, "skipped": 3}]


def test_the_least_durable_dependency_decides():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2);
      const sum = query("sum", () => twice.get("a") + twice.get("b"));
      input.set("a", 3, { durability: HIGH });
      input.set("b", 4, { durability: MEDIUM });
      input.set("y", 7, { durability: MEDIUM });
      const out = [sum.get()];
      runtime.takeStats();
      input.set("z", 1);
      out.push(sum.get(), runtime.takeStats().skipped);
      input.set("y", 8, { durability: MEDIUM });
      out.push(sum.get(), runtime.takeStats());
      return out;
    """) == [14, 14, 1, 14, {"executed": 0, "validated": 2, "skipped": 1}]


def test_durable_inputs_may_change():
    assert run("""
      const twice = query("twice", () => input.get("a") * 2);
      const out = [];
      for (const value of [1, 2, 3]) {
        input.set("a", value, { durability: HIGH });
        out.push(twice.get());
      }
      return out;
    """) == [2, 4, 6]


def test_an_error_is_remembered():
    assert run("""
      const checked = query("checked", () => {
        if (input.get("a") > 1) throw new RangeError(`a is ${input.get("a")}`);
        return "good";
      });
      input.set("a", 2);
      const out = [attempt(() => checked.get()), attempt(() => checked.get())];
      input.set("b", 2);
      out.push(attempt(() => checked.get()), take().length);
      input.set("a", 1);
      out.push(attempt(() => checked.get()), take().length);
      return out;
    """) == ["RangeError: a is 2"] * 3 + [1, "good", 1]


# Limits

def test_values_used_last_are_kept():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2, { limit: 3 });
      for (const key of "abcad") twice.get(key);
      take();
      for (const key of "acdb") twice.get(key);
      return take();
    """) == ["twice b"]


def test_a_dropped_value_is_known_to_be_good():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2, { limit: 1 });
      const more = query("more", (key) => twice.get(key) + 1);
      more.get("a");
      twice.get("b");
      input.set("z", 1);
      take();
      return [more.get("a"), take()];
    """) == [1, []]


def test_computing_a_dropped_value_again_is_no_change():
    assert run("""
      const list = query("list", (key) => [input.get(key), {}], { limit: 1, equal: Object.is });
      const more = query("more", (key) => list.get(key)[0] + 1);
      more.get("a");
      list.get("b");
      input.set("z", 1);
      list.get("a");
      take();
      return [more.get("a"), take()];
    """) == [1, []]


def test_a_lower_limit_drops_values():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2);
      for (const key of "abc") twice.get(key);
      twice.setLimit(2);
      take();
      for (const key of "cba") twice.get(key);
      return take();
    """) == ["twice a"]


# Cycles, batches, use

def test_a_cycle_names_its_path():
    assert run("""
      const next = query("next", (n) => next.get((n + 1) % 3));
      try { next.get(1); } catch (problem) {
        return [problem instanceof rill.CycleError, problem.message, problem.path];
      }
    """) == [True, "a query depends on itself", ["next(1)", "next(2)", "next(0)", "next(1)"]]


def test_a_cycle_broken_where_it_is_asked():
    assert run("""
      const links = runtime.input("links", { initial: null });
      const depth = query("depth", (name) => (links.get(name) ? depth.get(links.get(name)) + 1 : 0));
      links.set("a", "a");
      const out = [kind(() => depth.get("a"))];
      links.set("a", null);
      out.push(kind(() => depth.get("a")));
      return out;
    """) == ["CycleError", 0]


def test_a_query_sets_no_input():
    assert run("""
      const bad = query("bad", () => input.set("a", 5));
      const out = [kind(() => bad.get()), input.get("a")];
      input.set("a", 6);
      out.push(input.get("a"));
      return out;
    """) == ["UsageError", 0, 6]


def test_a_batch_is_one_revision():
    assert run("""
      const sum = query("sum", () => input.get("a") + input.get("b"));
      sum.get();
      const before = runtime.revision;
      const given = runtime.batch(() => {
        input.set("a", 1);
        runtime.batch(() => input.set("b", 2));
        input.set("c", 3);
        return "given";
      });
      return [given, runtime.revision - before, sum.get()];
    """) == ["given", 1, 3]


def test_a_failed_batch_keeps_what_was_set():
    assert run("""
      const twice = query("twice", () => input.get("a") * 2);
      const out = [kind(() => runtime.batch(() => { input.set("a", 4); throw new TypeError("x"); })), twice.get()];
      input.set("a", 5);
      out.push(twice.get());
      return out;
    """) == ["TypeError", 8, 10]


def test_arguments():
    assert run("""
      const text = query("text", (...args) => JSON.stringify(args));
      const out = [text.get("x", 1), text.get("x,1"), text.get("x", "1"), text.get(null), text.get(), take().length];
      return [...out, kind(() => text.get([])), kind(() => text.get(Infinity))];
    """) == ['["x",1]', '["x,1"]', '["x","1"]', "[null]", "[]", 5, "TypeError", "TypeError"]


@pytest.mark.parametrize(
    "left, right, same",
    [
        pytest.param("NaN", "NaN", True, id="nan"),
        pytest.param("[1, [2, 3]]", "[1, [2, 3]]", True, id="arrays"),
        pytest.param("[1, 2]", "[1]", False, id="shorter"),
        pytest.param("[1, 2]", "[2, 1]", False, id="order"),
        pytest.param("{ a: 1, b: [2] }", "{ b: [2], a: 1 }", True, id="objects"),
        pytest.param("{ a: 1 }", "{ a: 1, b: 1 }", False, id="more-keys"),
        pytest.param("{ a: undefined }", "{ b: undefined }", False, id="other-keys"),
        pytest.param("new Map([[1, [2]]])", "new Map([[1, [2]]])", True, id="maps"),
        pytest.param("new Set([1])", "new Set([1, 2])", False, id="sets"),
        pytest.param("new Date(7)", "new Date(7)", True, id="dates"),
        pytest.param("[]", "{}", False, id="kinds"),
    ],
)
def test_equality(left, right, same):
    assert js(f"return rill.equal({left}, {right});") is same


# Sheets

@pytest.mark.parametrize(
    "formula, shown",
    [
        pytest.param("=2+3*4-6/3", "12", id="precedence"),
        pytest.param("=-(2-5)*2", "6", id="negate"),
        pytest.param('="a""b"&1', 'a"b1', id="text"),
        pytest.param("=SUM(A1:B2)+COUNT(B2:A1)", "14", id="ranges"),
        pytest.param("=MAX(A1:B2,3)-MIN(A1:A2)", "3", id="extremes"),
        pytest.param("=IF(A1>=5,A1,A2)", "5", id="if"),
        pytest.param('=IFERROR(1/A9,"none")', "none", id="iferror"),
        pytest.param("=1/(A1-5)", "#DIV/0!", id="division"),
        pytest.param("=A1+(", "#SYNTAX!", id="syntax"),
        pytest.param("=FOO(1)", "#NAME?", id="name"),
        pytest.param('=A1*"x"', "#VALUE!", id="value"),
        pytest.param("=A1<>A2", "TRUE", id="compare"),
    ],
)
def test_formulas(formula, shown):
    assert sheet("set A1 5; set A2 2; set B1 x; set B2 4", f"set C3 {formula}", "get C3") == [shown]


def test_changes():
    assert command("set A1 2; set A2 =A1*10; set A3 =A2+A1; get A3; set A1 3; get A3; clear A1; get A3 A1; set A2 1; get A3") == [
        "22", "33", "0", "", "1"]


def test_errors_as_values_go_away():
    assert sheet("set A1 =1/B1; set A2 =A1+1; set A3 =IFERROR(A2,8); get A2 A3; set B1 1; get A2 A3") == [
        "#DIV/0!", "8", "2", "2"]


def test_cycles_of_cells():
    assert sheet("set A1 =A2; set A2 =A3; set A3 =A1+1; set B1 =IFERROR(A3,4); get A1 A2 A3 B1") == [
        *["#CYCLE!"] * 3, "4"]


def test_blanks_compute_nothing_again():
    assert sheet("set A1 2; set A2 =A1+1; set A3 =A2; get A3; stats; set A2 = A1  + 1; get A3; stats") == [
        "3", "executed 6 validated 0 skipped 0", "3", "executed 1 validated 5 skipped 0"]


def test_fixed_cells_are_skipped():
    assert sheet("fix A1 2; fix A2 =A1+1; get A2; stats; set B1 1; get A2; stats") == [
        "3", "executed 4 validated 0 skipped 0", "3", "executed 0 validated 0 skipped 1"]


def test_graph():
    assert command("set A1 1; set A2 =A1+A1; set A3 =A2; get A3; graph A3") == [
        "2", 'value("A3")', '  tree("A3")', '    raw("A3")', '  value("A2")', '    tree("A2")', '      raw("A2")',
        '    value("A1") x2', '      tree("A1")', '        raw("A1")']


def test_bad_commands():
    assert command("set A1 1; get A1; what", status=2) == ["1"]
    assert command("get A0", status=2) == []
