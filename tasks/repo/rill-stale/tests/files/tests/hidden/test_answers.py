"""Results are always those of a runtime that has remembered nothing."""

import pytest

from node_process import js

SETUP = """
const { Runtime, HIGH, MEDIUM, LOW } = rill;
const runtime = new Runtime();
const input = runtime.input("in", { initial: 0 });
const ran = [];
const query = (name, compute, options) => runtime.query(name, (...args) => {
  ran.push([name, ...args].join(" "));
  return compute(...args);
}, options);
const attempt = (get) => {
  try { return get(); } catch (problem) { return `${problem.name}: ${problem.message}`; }
};
const kind = (get) => {
  try { return get(); } catch (problem) { return problem.name; }
};
const take = () => ran.splice(0);
"""


def run(body, data=None):
    return js(SETUP + body, data)


# Dependencies

def test_dependencies_are_those_of_the_last_execution():
    assert run("""
      const pick = query("pick", () => (input.get("left") ? input.get("a") : input.get("b")));
      input.set("left", 1); input.set("a", 6); input.set("b", 6);
      const out = [pick.get()];
      input.set("left", 0);
      out.push(pick.get());
      input.set("b", 11);
      out.push(pick.get());
      take();
      input.set("a", 12);
      out.push(pick.get(), take());
      return out;
    """) == [6, 6, 11, 11, []]


def test_dependencies_of_an_equal_result_several_times():
    assert run("""
      const size = query("size", () => {
        let sum = 0;
        for (let i = 0; i < input.get("n"); i += 1) sum += input.get(`v${i}`);
        return sum;
      });
      const out = [size.get()];
      for (let n = 1; n < 5; n += 1) {
        input.set("n", n);
        out.push(size.get());
        input.set(`v${n - 1}`, n);
        out.push(size.get());
        input.set(`v${n - 1}`, 0);
        out.push(size.get());
      }
      return out;
    """) == [0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0]


def test_dependencies_are_looked_at_in_the_order_of_their_first_reads():
    assert run("""
      const left = query("left", () => input.get("a") * 10);
      const both = query("both", () => {
        if (input.get("on") === 0) return -1;
        return left.get() + input.get("on");
      });
      input.set("on", 2); input.set("a", 3);
      const out = [both.get(), take()];
      input.set("on", 0);
      input.set("a", 4);
      out.push(both.get(), take());
      return out;
    """) == [32, ["both", "left"], -1, ["both"]]


def test_what_would_not_be_read_cannot_fail():
    assert run("""
      const root = query("root", (n) => {
        if (n < 0) throw new RangeError("negative");
        return n;
      });
      const guarded = query("guarded", () => (input.get("x") < 0 ? "none" : root.get(input.get("x")) + input.get("x")));
      input.set("x", 4);
      const out = [guarded.get()];
      input.set("x", -4);
      out.push(attempt(() => guarded.get()));
      return out;
    """) == [8, "none"]


# What is thrown

def test_a_caught_error_is_a_dependency():
    assert run("""
      const ratio = query("ratio", (a, b) => {
        if (input.get(b) === 0) throw new RangeError("division");
        return input.get(a) / input.get(b);
      });
      const safe = query("safe", (a, b) => attempt(() => ratio.get(a, b)));
      input.set("x", 8);
      const out = [safe.get("x", "y")];
      input.set("y", 2);
      out.push(safe.get("x", "y"));
      input.set("y", 0);
      out.push(safe.get("x", "y"));
      input.set("y", 4);
      out.push(safe.get("x", "y"));
      return out;
    """) == ["RangeError: division", 4, "RangeError: division", 2]


def test_an_error_that_is_passed_on_goes_away():
    assert run("""
      const low = query("low", () => {
        if (input.get("a") > 3) throw new TypeError(`too many: ${input.get("a")}`);
        return input.get("a");
      });
      const middle = query("middle", () => low.get() + 1);
      const high = query("high", () => middle.get() + 1);
      input.set("a", 5);
      const out = [attempt(() => high.get()), attempt(() => middle.get())];
      input.set("a", 2);
      out.push(attempt(() => high.get()), attempt(() => low.get()));
      input.set("a", 6);
      out.push(attempt(() => high.get()), attempt(() => high.get()));
      input.set("a", 7);
      out.push(attempt(() => high.get()));
      return out;
    """) == ["TypeError: too many: 5"] * 2 + [4, 2] + ["TypeError: too many: 6"] * 2 + ["TypeError: too many: 7"]


def test_an_error_while_dependencies_are_looked_at_reaches_the_reader():
    assert run("""
      const low = query("low", () => {
        if (input.get("a") === 1) throw new RangeError("one");
        return input.get("a");
      });
      const safe = query("safe", () => {
        try { return low.get(); } catch { return "caught"; }
      });
      const top = query("top", () => `<${safe.get()}>`);
      const out = [top.get()];
      input.set("a", 1);
      out.push(attempt(() => top.get()));
      input.set("a", 2);
      out.push(attempt(() => top.get()));
      return out;
    """) == ["<0>", "<caught>", "<2>"]


def test_an_error_is_executed_once():
    assert run("""
      const low = query("low", () => { throw new RangeError(`no ${input.get("a")}`); });
      const high = query("high", () => low.get());
      const out = [attempt(() => high.get()), attempt(() => high.get()), attempt(() => low.get()), take()];
      input.set("z", 1);
      out.push(attempt(() => high.get()), take());
      input.set("a", 1);
      out.push(attempt(() => high.get()), take().sort());
      return out;
    """) == [*["RangeError: no 0"] * 3, ["high", "low"], "RangeError: no 0", [], "RangeError: no 1", ["high", "low"]]


# Cycles

LINKS = """
// "b c" reads b and adds c; "b?" reads b but catches its errors.
const links = runtime.input("links", { initial: "" });
const walk = query("walk", (name) => {
  let sum = 1;
  for (const link of links.get(name).split(" ").filter(Boolean)) {
    if (!link.endsWith("?")) sum += walk.get(link);
    else try { sum += walk.get(link.slice(0, -1)); } catch { sum += 100; }
  }
  return sum;
});
const all = (names) => [...names].map((name) => kind(() => walk.get(name)));
"""


@pytest.mark.parametrize("first", ["p", "q", "r"])
def test_a_cycle_is_broken_anywhere(first):
    assert run(LINKS + """
      const out = [];
      for (const cut of "pqr") {
        links.set("p", "q"); links.set("q", "r"); links.set("r", "p");
        out.push(all(data + "pqr").slice(1));
        links.set(cut, "");
        out.push(all(data + "pqr").slice(1));
      }
      return out;
    """, first) == [["CycleError"] * 3, [1, 3, 2], ["CycleError"] * 3, [2, 1, 3], ["CycleError"] * 3, [3, 2, 1]]


@pytest.mark.parametrize("order", ["mno", "nom", "omn", "onm"])
def test_catching_does_not_help_on_a_cycle(order):
    assert run(LINKS + """
      links.set("m", "n?"); links.set("n", "z o?"); links.set("o", "m?");
      const out = Object.fromEntries([...data].map((name) => [name, all(name)[0]]));
      links.set("o", "");
      return [out, all("mno")];
    """, order) == [{"m": "CycleError", "n": "CycleError", "o": "CycleError"}, [4, 3, 1]]


@pytest.mark.parametrize("order", ["xyab", "abxy", "yxba", "byax"])
def test_outside_of_a_cycle_it_is_an_error_like_others(order):
    assert run(LINKS + """
      links.set("a", "b"); links.set("b", "a?"); links.set("x", "a?"); links.set("y", "z b");
      const shown = () => Object.entries(Object.fromEntries([...data].map((name) => [name, all(name)[0]]))).sort();
      const out = [shown()];
      links.set("a", "z z");
      out.push(shown());
      links.set("a", "b");
      out.push(shown());
      return out.map((entries) => entries.map(([, value]) => value));
    """, order) == [["CycleError", "CycleError", 101, "CycleError"], [3, 4, 4, 6],
                    ["CycleError", "CycleError", 101, "CycleError"]]


@pytest.mark.parametrize("order", ["ijk", "ikj", "jik", "jki", "kij", "kji"])
def test_a_query_on_a_cycle_reads_nothing_further(order):
    assert run(LINKS + """
      links.set("i", "j? k?"); links.set("j", "k"); links.set("k", "j? i?");
      const shown = Object.fromEntries([...data].map((name) => [name, all(name)[0]]));
      return ["i", "j", "k"].map((name) => shown[name]);
    """, order) == [201, "CycleError", "CycleError"]


def test_a_cycle_is_as_durable_as_its_least_durable_query():
    assert run(LINKS + """
      for (const first of "pq") {
        links.set("q", "p", { durability: HIGH });
        links.set("x", "q?", { durability: HIGH });
        links.set("p", "q");
        ran.push(all(first + "x")[1]);
        links.set("p", "");
        ran.push(...all("xqp"));
      }
      return take().filter((item) => typeof item !== "string");
    """) == [101, 3, 2, 1, 101, 3, 2, 1]


def test_a_cycle_and_a_limit():
    assert run(LINKS + """
      walk.setLimit(2);
      links.set("m", "n?"); links.set("n", "m");
      const out = [all("mnzm"), all("nmzn")];
      links.set("n", "z");
      out.push(all("mnzm"));
      return out;
    """) == [["CycleError", "CycleError", 1, "CycleError"]] * 2 + [[3, 2, 1, 3]]


def test_a_cycle_that_is_formed_later():
    assert run(LINKS + """
      links.set("s", "t"); links.set("t", "u"); links.set("v", "s?");
      const out = [all("vstu")];
      links.set("u", "s?");
      out.push(all("stuv"));
      links.set("u", "");
      out.push(all("vuts"));
      links.set("u", "t");
      out.push(all("vstu"));
      return out;
    """) == [[4, 3, 2, 1], ["CycleError"] * 3 + [101], [4, 1, 2, 3], [101] + ["CycleError"] * 3]


def test_a_turned_around_link_is_no_cycle():
    assert run(LINKS + """
      const chosen = query("chosen", () => (input.get("flip") ? walk.get("g") : walk.get("g") + input.get("flip")));
      const back = query("back", () => (input.get("flip") ? chosen.get() : 5));
      const front = query("front", () => (input.get("flip") ? 1 : back.get() + input.get("flip")));
      const ends = query("ends", () => back.get() + front.get());
      const out = [ends.get(), front.get(), back.get()];
      input.set("flip", 1);
      out.push(kind(() => front.get()), kind(() => back.get()), kind(() => ends.get()));
      return out;
    """) == [10, 5, 5, 1, 1, 2]


def test_two_that_swap_who_reads_whom():
    assert run("""
      const ab = runtime.query("ab", (name) => {
        const other = name === "a" ? "b" : "a";
        if (input.get("first") === name) return 1;
        return ab.get(other) + (input.get("first") === name ? 0 : 1);
      });
      const out = [];
      for (const first of ["a", "b", "a", "b"]) {
        input.set("first", first);
        out.push(kind(() => ab.get("a")), kind(() => ab.get("b")));
      }
      return out;
    """) == [1, 2, 2, 1, 1, 2, 2, 1]


# Equality

@pytest.mark.parametrize(
    "before, after",
    [
        pytest.param([1, 2], [1, 2, 3], id="longer"),
        pytest.param([], [0], id="from-nothing"),
        pytest.param({"k": [[1], ["x"]]}, {"k": [[1, 5], ["x"]]}, id="nested"),
    ],
)
def test_longer_arrays_are_others(before, after):
    assert run("""
      const list = query("list", () => input.get("a"));
      const text = query("text", () => JSON.stringify(list.get()));
      input.set("a", data[0]);
      const out = [text.get()];
      input.set("a", data[1]);
      out.push(text.get());
      return [out.map((item) => JSON.parse(item)), rill.equal(data[0], data[1]), rill.equal(data[1], data[0])];
    """, [before, after]) == [[before, after], False, False]


# Durability

def test_an_input_becomes_less_durable():
    assert run("""
      const twice = query("twice", () => input.get("a") * 2);
      const more = query("more", () => twice.get() + 1);
      input.set("a", 4, { durability: HIGH });
      const out = [more.get()];
      input.set("a", 6, { durability: LOW });
      out.push(more.get());
      input.set("a", 7, { durability: MEDIUM });
      out.push(more.get());
      input.set("a", 8);
      out.push(more.get());
      return out;
    """) == [9, 13, 15, 17]


def test_an_input_becomes_less_durable_with_the_same_value():
    assert run("""
      const twice = query("twice", () => input.get("a") * 2);
      const more = query("more", () => twice.get() + 1);
      input.set("a", 4, { durability: HIGH });
      const out = [more.get()];
      input.set("a", 4, { durability: LOW });
      out.push(more.get());
      input.set("a", 5);
      out.push(more.get(), twice.get());
      return out;
    """) == [9, 9, 11, 10]


def test_the_same_value_less_durable_and_nobody_asks_in_between():
    assert run("""
      const twice = query("twice", () => input.get("a") * 2);
      input.set("a", 4, { durability: HIGH });
      const out = [twice.get()];
      input.set("a", 4, { durability: MEDIUM });
      input.set("a", 4, { durability: LOW });
      input.set("a", 3);
      out.push(twice.get());
      return out;
    """) == [8, 6]


def test_a_query_becomes_less_durable():
    assert run("""
      const pick = query("pick", () => (input.get("which") ? input.get("soft") : input.get("hard")));
      const twice = query("twice", () => pick.get() * 2);
      const more = query("more", () => twice.get() + 1);
      input.set("which", 0, { durability: HIGH });
      input.set("hard", 5, { durability: HIGH });
      input.set("which", 2, { durability: HIGH });
      input.set("which", 0, { durability: HIGH });
      input.set("soft", 5);
      const out = [more.get()];
      input.set("which", 1, { durability: HIGH });
      out.push(more.get());
      input.set("soft", 6);
      out.push(more.get(), twice.get(), pick.get());
      return out;
    """) == [11, 11, 13, 12, 6]


def test_a_query_becomes_less_durable_deep_below():
    assert run("""
      const bottom = query("bottom", () => (input.get("on") ? input.get("soft") * 0 + 1 : 1));
      const layer = query("layer", (n) => (n === 0 ? bottom.get() : layer.get(n - 1) + 1));
      const sign = query("sign", () => (input.get("on") ? input.get("soft") : 7));
      const top = query("top", () => layer.get(4) + sign.get());
      input.set("on", 0, { durability: MEDIUM });
      input.set("soft", 7);
      input.set("on", 1, { durability: MEDIUM });
      input.set("on", 0, { durability: MEDIUM });
      const out = [top.get()];
      input.set("on", 1, { durability: MEDIUM });
      out.push(top.get());
      input.set("soft", 9);
      out.push(top.get());
      input.set("soft", 10);
      out.push(top.get());
      return out;
    """) == [12, 12, 14, 15]


# Limits

def test_a_dropped_value_that_changes():
    assert run("""
      const twice = query("twice", (key) => input.get(key) * 2, { limit: 1 });
      const more = query("more", (key) => twice.get(key) + 1);
      input.set("a", 1); input.set("b", 10);
      const out = [more.get("a"), twice.get("b")];
      input.set("a", 2);
      out.push(twice.get("a"), more.get("a"));
      twice.get("b");
      input.set("a", 3);
      out.push(more.get("a"), twice.get("b"), twice.get("a"));
      return out;
    """) == [3, 20, 4, 5, 7, 20, 6]


def test_a_value_that_is_dropped_while_its_dependencies_are_looked_at():
    assert run("""
      const far = query("far", (key) => (key === "end" ? input.get("e") : input.get(key)), { limit: 2 });
      const near = query("near", () => far.get("x") + far.get("y") + far.get("end") * 0);
      const chain = runtime.query("chain", (n) => (n === 0 ? input.get("e") % 2 : chain.get(n - 1) + 0), { limit: 2 });
      input.set("x", 1); input.set("y", 2);
      const out = [near.get(), chain.get(6)];
      input.set("e", 2);
      out.push(near.get(), chain.get(6), chain.get(3));
      input.set("e", 4);
      out.push(chain.get(6), chain.get(5), chain.get(0));
      return out;
    """) == [3, 0, 3, 0, 0, 0, 0, 0]


def test_a_kept_value_is_never_lost_on_the_way():
    assert run("""
      const part = query("part", (key) => {
        if (key === "top") return part.get("m") * 0 + 5;
        if (key === "m") return (part.get("l"), part.get("k"), input.get("z") * 0);
        return input.get(key);
      }, { limit: 1 });
      const out = [part.get("top")];
      for (const z of [1, 2, 3]) {
        input.set("z", z);
        out.push(part.get("top"));
      }
      return out;
    """) == [5, 5, 5, 5]


# Batches

def test_asked_within_a_batch():
    assert run("""
      const sum = query("sum", () => input.get("a") + input.get("b"));
      const out = [sum.get()];
      runtime.batch(() => {
        input.set("a", 1);
        out.push(sum.get());
        input.set("b", 10);
        out.push(sum.get());
        runtime.batch(() => {
          input.set("a", 2);
          out.push(sum.get());
        });
        input.set("b", 20);
      });
      out.push(sum.get());
      return out;
    """) == [0, 1, 11, 12, 22]
