"""What works already, and must go on working: the language, and the other modes."""

import subprocess

import pytest

from contexts import is_error, render, render_all
from node_process import ROOT, SECONDS, js

PAGE = "<a href=\"{{ v }}\" {{ v }}><script>{{ v }}</script>{{ v | safe }}<!-- {{ v }}"
VALUE = "javascript:'<&>'"
AS_HTML = "javascript:&#39;&lt;&amp;&gt;&#39;"


def test_mode_html():
    assert render(PAGE, mode="html", v=VALUE) == (
        f"<a href=\"{AS_HTML}\" {AS_HTML}><script>{AS_HTML}</script>{VALUE}<!-- {AS_HTML}")


def test_mode_none():
    assert render(PAGE, mode="none", v=VALUE) == PAGE.replace("{{ v }}", VALUE).replace("{{ v | safe }}", VALUE)


def test_html_is_the_default():
    assert js("return new Engine().renderString('<p {{ v }}>', { v: '<' });") == "<p &lt;>"


def test_no_such_mode():
    assert js("""
      const names = [];
      for (const autoescape of ["xml", "", "toString"]) {
        try { new Engine({ autoescape }); } catch (problem) { names.push(problem.name); }
      }
      return names;
    """) == ["RangeError"] * 3


@pytest.mark.parametrize(
    "source, output",
    [
        pytest.param("{{ a.b[1] }}{{ a['b'][0] }}", "21", id="paths"),
        pytest.param("{{ n > 2 and not z or 'x' }}", "true", id="operators"),
        pytest.param("{{ t | upper | trim }}|{{ a.b | join('-') }}", "X Y|1-2", id="filters"),
        pytest.param("{{ nothing | default(n) }}{{ a.b | length }}{{ a.b | last }}", "322", id="more-filters"),
        pytest.param("{% if z %}1{% elif n == 3 %}2{% else %}3{% end %}", "2", id="if"),
        pytest.param("{% for x in a.b %}{{ loop.index }}{{ x }}{% if not loop.last %},{% end %}{% end %}", "11,22", id="for"),
        pytest.param("{% for x in nothing %}x{% else %}none{% end %}", "none", id="for-else"),
        pytest.param("{% set q = n %}{{ q }}{# {{ q }} #}", "3", id="set"),
        pytest.param("a {{- n -}} b {%- if n -%} c {%- end %} d", "a3bc d", id="white-space"),
        pytest.param("{% raw %}{{ n }}{% endraw %}", "{{ n }}", id="raw"),
        pytest.param("{{ a }}", "{&quot;b&quot;:[1,2]}", id="json"),
        pytest.param("{{ h | safe }}{{ h }}", "<b>&lt;b&gt;", id="safe"),
    ],
)
def test_language(source, output):
    assert render(source, mode="html", a={"b": [1, 2]}, n=3, z=0, t=" x y", h="<b>") == output


def test_includes():
    templates = {"page": "{% for n in l %}{% include 'part' %}{% end %}<p {% include 'part' %}", "part": "[{{ n }}"}
    assert render_all({"name": "page", "templates": templates, "data": {"l": ["<", 1], "n": 2}}, mode="html") == ["[&lt;[1<p [2"]


def test_includes_that_are_not_reached_may_be_missing():
    item = {"name": "page", "templates": {"page": "{% if a %}\n{% include 'part' %}{% end %}"}}
    assert render_all(item, {**item, "data": {"a": 1}}, {"compile": "page", "templates": item["templates"]}, mode="html") == [
        "", {"template": "page", "line": 2, "column": 1}, ["compiled"]]


def test_too_many_includes():
    assert is_error(render_all({"name": "a", "templates": {"a": " {% include 'a' %}"}}, mode="html")[0], 1, 2, "a")


def test_positions():
    results = render_all({"source": "\n  {{ a | nope }}"}, {"source": "a{% if %}"}, {"source": "{% end %}"}, {"source": "x\n{{ a"},
                         {"name": "p", "templates": {"p": "{% include 'q' %}", "q": "  {{ % }}"}}, {"compile": "r"}, mode="html")
    assert results == [
        {"template": None, "line": 2, "column": 3}, {"template": None, "line": 1, "column": 2},
        {"template": None, "line": 1, "column": 1}, {"template": None, "line": 2, "column": 1},
        {"template": "q", "line": 1, "column": 3}, {"template": "r", "line": 1, "column": 1}]


def test_templates_are_asked_for_once():
    assert js("""
      const asked = [];
      const templates = (name) => { asked.push(name); return name === "a" ? "{% include 'b' %}" : "B{{ v }}"; };
      const engine = new Engine({ templates });
      engine.compile("a");
      return [engine.render("a", { v: 1 }), engine.render("a", { v: 2 }), engine.render("b", { v: 3 }), asked];
    """) == ["B1", "B2", "B3", ["a", "b"]]


def test_own_filters():
    assert js("""
      const engine = new Engine({ filters: { wrap: (value, by) => `<${value}${by}>` } });
      return engine.renderString("{{ 1 | wrap(2) }}{{ 1 | wrap(2) | safe }}");
    """) == "&lt;12&gt;<12>"


def test_the_program(tmp_path):
    (tmp_path / "page.html").write_text("<p {{ u }}>{% include \"part\" %}</p>")
    (tmp_path / "part.html").write_text("{{ u }}")

    def program(*args):
        done = subprocess.run(["node", "bin/tessel.js", *args], cwd=ROOT, input='{"u": "<"}', capture_output=True,
                              text=True, timeout=SECONDS)
        return done.returncode, done.stdout

    assert program(tmp_path, "page") == (0, "<p &lt;>&lt;</p>")
    assert program("--autoescape", "none", tmp_path, "page") == (0, "<p <><</p>")
    assert program("--autoescape", "other", tmp_path, "page") == (2, "")
    assert program(tmp_path, "nothing") == (1, "")
