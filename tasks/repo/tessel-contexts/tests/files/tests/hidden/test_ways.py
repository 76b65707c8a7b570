"""Branches, loops and included templates."""

import pytest

from contexts import is_error, refused, render, render_all, render_each


def each(source, *values, **data):
    """The outputs with `a` set to each of the values."""
    return render_all(*[{"source": source, "data": {**data, "a": value}} for value in values])


# if

@pytest.mark.parametrize(
    "source, outputs",
    [
        pytest.param("{% if a %}<b>{{ v }}</b>{% end %}{{ v }}", ["<b>&lt;</b>&lt;", "&lt;"], id="text"),
        pytest.param("<input{% if a %} checked{% end %}>", ["<input checked>", "<input>"], id="name"),
        pytest.param("<input {% if a %}checked{% end %}>{{ v }}", ["<input checked>&lt;", "<input >&lt;"], id="name-after-space"),
        pytest.param("<input type=text{% if a %} size=3{% else %} x{% end %} value='{{ v }}'>",
                     ["<input type=text size=3 value='&lt;'>", "<input type=text x value='&lt;'>"], id="unquoted"),
        pytest.param("<p{% if a %} title='{{ v }}'{% end %}/>{{ v }}", ["<p title='&lt;'/>&lt;", "<p/>&lt;"], id="attribute"),
        pytest.param("<p {% if a %}title='{{ v }}' {% end %}>", ["<p title='&lt;' >", "<p >"], id="attribute-and-space"),
        pytest.param("<p class='x{% if a %} {{ v }}{% end %}'>", ["<p class='x &lt;'>", "<p class='x'>"], id="in-value"),
        pytest.param("{% if a %}<h1{% else %}<p{% end %} id='{{ v }}'>", ["<h1 id='&lt;'>", "<p id='&lt;'>"], id="names"),
        pytest.param("<p {% if a %}title=\"{% else %}alt=\"{% end %}{{ v }}\">", ['<p title="&lt;">', '<p alt="&lt;">'], id="plain-values"),
        pytest.param("<a {% if a %}href='{% else %}src='{% end %}{{ v }}'>", ["<a href='%3C'>", "<a src='%3C'>"], id="url-values"),
        pytest.param("<script>x = {% if a %}'{{ v }}'{% else %}{{ v }}{% end %};</script>",
                     ["<script>x = '\\u003c';</script>", '<script>x = "\\u003c";</script>'], id="script"),
        pytest.param("<!-- {% if a %}x{% end %} -->{{ v }}", ["<!-- x -->&lt;", "<!--  -->&lt;"], id="comment"),
        pytest.param("{% if a %}<style>x</style>{% else %}<title>{{ v }}</title>{% end %}{{ v }}",
                     ["<style>x</style>&lt;", "<title>&lt;</title>&lt;"], id="elements"),
        pytest.param("<p{% if a %}{% if v %} x{% end %}{% end %}\n>", ["<p x\n>", "<p\n>"], id="nested"),
    ],
)
def test_alike(source, outputs):
    assert each(source, True, False, v="<") == outputs


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{% if a %}<p>{% else %}<p{% end %}>", id="in-and-out"),
        pytest.param("{% if a %}<title>{% end %}</title>", id="title"),
        pytest.param("{% if a %}<p{% else %}<script{% end %}></script>", id="script-name"),
        pytest.param("{% if a %}<title {% else %}<textarea {% end %}></title></textarea>", id="title-textarea"),
        pytest.param("<p {% if a %}title='{% else %}href='{% end %}'>", id="kinds"),
        pytest.param("<p {% if a %}title='{% else %}style='{% end %}'>", id="refused-kind"),
        pytest.param("<a {% if a %}href='{% else %}href=\"{% end %}'\">", id="quotes"),
        pytest.param("<p title='{% if a %}'{% end %}'>", id="closed"),
        pytest.param("<script>{% if a %}'{% end %}'</script>", id="script-text"),
        pytest.param("<script>{% if a %}// x{% end %}\n</script>", id="script-comment"),
        pytest.param("<script>{% if a %}'{% else %}\"{% end %}'\"</script>", id="script-quotes"),
        pytest.param("<!-- {% if a %}-->{% end %}-->", id="comment"),
        pytest.param("{% if a %}{% elif b %}<!x{% else %}{% end %}>", id="declaration"),
        pytest.param("<style>{% if a %}</style>{% end %}</style>", id="style"),
    ],
)
def test_not_alike(source):
    text = "x\n y" + source
    at = text.index("{% if")
    assert is_error(render(text, a=True), 2, at - text.index("\n"))


def test_nothing_may_go_on():
    bad = [
        "<h{% if a %}1{% end %}>", "<p{% if a %}{% end %}x>", "<p cl{% if a %}{% end %}ass='x'>", "<p {% if a %}id{% end %}='x'>",
        "<p {% if a %}id {% end %}='x'>", "<p {% if a %}id {% end %} ='x'>", "<p a=b{% if a %}c{% end %}>", "<p a=b{% if a %} c{% end %}d>",
        "<p{% if a %} b='c' {% end %}d>", "<p {% if a %}b{% end %}{% if a %}c{% end %}>", "<p {% if a %}b{% else %} {% end %}c>",
        "<p =a>", "<p a='b'{% if a %} c{% end %}d='e'>", "<p{% for x in y %}{% end %}q>",
        "<p a{% if a %}{% if a %}{% end %}b{% end %}>", "<p a=b{% if a %} {% elif b %}{% else %} {% end %}c>",
    ]
    assert refused(bad) == bad


def test_something_may_go_on():
    good = [
        "<p {% if a %}b{% end %} c>", "<p {% if a %} b='c'{% else %}{% end %}d>", "<p a='b'{% if a %}{% end %}c>",
        "<p {% if a %}b {% end %}c>", "<p a=b{% if a %} c{% end %}/>", "<p a {% if a %}{% end %}b>", "<br{% if a %}{% end %}/>",
        "<p {% if a %}b{% end %}{% if a %} c{% end %}{% for x in y %} {% end %} d>",
    ]
    assert refused(good) == []


PIECES = {
    "less": "a <", "less-slash": "</", "mark": "<!", "mark-dash": "<!-", "dash": "<!-- -", "dashes": "<!-- --",
    "value": "<p a=", "value-after-space": "<p a = ", "title-less": "<title><", "title-end": "<title></",
    "style-end": "<style></styl", "script-end": "<script></script", "script-slash": "<script>/",
    "script-star": "<script>/* *", "script-text": "<script>'\\", "script-template": "<script>`\\",
}


@pytest.mark.parametrize("before", PIECES.values(), ids=PIECES)
def test_tags_must_not_stand_within_pieces(before):
    tags = ["{% if a %}{% end %}", "{% for a in b %}{% end %}", '{% include "x" %}']
    results = render_all(*[{"source": f"{before}{tag}", "templates": {"x": ""}} for tag in tags])
    assert results == [{"template": None, "line": 1, "column": len(before) + 1}] * 3


@pytest.mark.parametrize("piece", ["<", "</", "<!-"], ids=["less", "less-slash", "mark-dash"])
def test_parts_must_not_end_within_pieces(piece):
    results = render_all(
        {"source": f"{{% if a %}}{piece}{{% else %}}{piece}{{% end %}} "},
        {"source": f"{{% for x in a %}}b{{% else %}}{piece}{{% end %}} "},
        {"source": '{% include "x" %} ', "templates": {"x": f"a{piece}"}},
    )
    assert [is_error(result) for result in results] == [True] * 3


# Parts of URLs

@pytest.mark.parametrize(
    "url, outputs",
    [
        pytest.param("/x{% if a %}?q={{ v }}{% end %}", ["/x?q=%2F%3A", "/x"], id="no-value-after"),
        pytest.param("/x{% if a %}?q={{ v }}{% end %}#{{ v }}", ["/x?q=%2F%3A#%2F%3A", "/x#%2F%3A"], id="certain-again"),
        pytest.param("{% if a %}/x/{% else %}y-{% end %}{{ v }}", ["/x//%3A", "y-/%3A"], id="both-path"),
        pytest.param("{% if a %}?{% else %}/z#{% end %}{{ v }}", ["?%2F%3A", "/z#%2F%3A"], id="both-query"),
        pytest.param("{% if a %}{{ v }}{% else %}/z{% end %}{{ v }}", ["/:/%3A", "/z/%3A"], id="whole-and-path"),
        pytest.param("{% if a %}http:{% else %}https:{% end %}//{{ v }}", ["http:///%3A", "https:///%3A"], id="schemes"),
        pytest.param("{% if a %}x{% end %}/{{ v }}", ["x//%3A", "//%3A"], id="maybe-nothing"),
        pytest.param("{% if a %} {% end %}{{ v }}", [" /:", "/:"], id="white-space"),
        pytest.param("http{% if a %}s{% end %}://{{ v }}", ["https:///%3A", "http:///%3A"], id="scheme-in-pieces"),
        pytest.param("{% if a %}javascript:x{% end %}", ["javascript:x", ""], id="no-value-at-all"),
    ],
)
def test_urls_alike(url, outputs):
    assert each(f'<a href="{url}">', True, False, v="/:") == [f'<a href="{output}">' for output in outputs]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("{% if a %}/x{% end %}{{ v }}", id="whole-or-path"),
        pytest.param("/x{% if a %}?y{% end %}{{ v }}", id="path-or-query"),
        pytest.param("{% if a %}?{% end %}{{ v }}", id="whole-or-query"),
        pytest.param("x{% if a %}y:{% else %}/{% end %}{{ v }}", id="refused-or-path"),
        pytest.param("{% if a %}java{% end %}script:{{ v }}", id="scheme-in-branches"),
        pytest.param("{% if a %}{{ v }}{% else %}http{% end %}:{{ v }}", id="value-or-scheme"),
        pytest.param("{% if a %}/x{% elif b %}?y{% end %}/{{ v }}", id="still-different"),
        pytest.param("{% if a %}ftp:{% end %}?{{ v }}", id="refused-or-query"),
    ],
)
def test_urls_not_alike(url):
    source = f'<a href="{url}">'
    assert is_error(render(source, a=True, v="x"), 1, source.rindex("{{ v") + 1)


# for

@pytest.mark.parametrize(
    "source, output",
    [
        pytest.param("{% for x in l %}<i title='{{ x }}'>{{ x }}</i>{% else %}none{% end %}{{ l[0] }}",
                     "<i title='&lt;'>&lt;</i><i title='2'>2</i>&lt;", id="text"),
        pytest.param("<p{% for x in l %} data-y='{{ x }}'{% end %}>", "<p data-y='&lt;' data-y='2'>", id="attributes"),
        pytest.param("<p {% for x in l %}data-y='{{ x }}' {% end %}>", "<p data-y='&lt;' data-y='2' >", id="attributes-and-space"),
        pytest.param("<script>[{% for x in l %}{{ x }},{% end %}]</script>", '<script>["\\u003c",2,]</script>', id="script"),
        pytest.param("<a href='/{% for x in l %}{{ x }}/{% end %}{{ l[0] }}'>", "<a href='/%3C/2/%3C'>", id="path"),
        pytest.param("<a href='{% for x in l %}/{{ x }}{% end %}'>", "<a href='/%3C/2'>", id="path-from-nothing"),
        pytest.param("<a href='?{% for x in l %}{{ x }}&amp;{% end %}'>", "<a href='?%3C&amp;2&amp;'>", id="query"),
        pytest.param("<a href='{% for x in l %}/x{% else %}/y{% end %}{{ l[0] }}'>", "<a href='/x/x%3C'>", id="else-path"),
        pytest.param("<a href='{% for x in l %}ab{% end %}?{{ l[0] }}'>", "<a href='abab?%3C'>", id="ends-query"),
        pytest.param("<p {% for x in l %} b{% end %} c>", "<p  b b c>", id="names"),
    ],
)
def test_loops(source, output):
    assert render(source, l=["<", 2]) == output


@pytest.mark.parametrize(
    "source, column",
    [
        pytest.param("ab{% for x in l %}<p {% end %}>", 3, id="tag"),
        pytest.param("<p a='{% for x in l %}'{% end %}'>", 7, id="value"),
        pytest.param("<script>{% for x in l %}'{% end %}'</script>", 9, id="script"),
        pytest.param("{% for x in l %}a{% else %}<!-- {% end %}-->", 1, id="else"),
        pytest.param("<a href='{% for x in l %}{{ x }}/{% end %}'>", 26, id="whole-then-path"),
        pytest.param("<a href='/{% for x in l %}{{ x }}?{% end %}'>", 27, id="path-then-query"),
        pytest.param("<a href='{% for x in l %}/x{% end %}{{ l }}'>", 37, id="after-whole-or-path"),
        pytest.param("<a href='{% for x in l %}{% for y in l %}{{ y }}{% end %}?{% end %}'>", 42, id="inner"),
    ],
)
def test_loops_that_do_not_fit(source, column):
    assert is_error(render(source, l=[1, 2]), 1, column)


def test_a_body_must_be_right_from_its_end():
    bad = ["<p {% for x in l %}b{% end %}>", "<p {% for x in l %}b='c' d{% end %}>", "<p a=b{% for x in l %}{% if x %} {% end %}c{% end %}>",
           "<a href='{% for x in l %}a{% end %}:{{ l }}'>", "<a href='http{% for x in l %}s{% end %}://{{ l }}'>"]
    good = ["<p {% for x in l %}b {% end %}>", "<p {% for x in l %}b='c'{% end %}>", "<p a=b{% for x in l %}{% if x %} {% end %} c{% end %}>",
            "<a href='{% for x in l %}a{% end %}:'>", "<a href='http{% for x in l %}s{% end %}://'>"]
    assert refused(bad) == bad
    assert refused(good) == []


# include

def test_one_template_at_several_places():
    page = ('{% include "v" %}<a href="{% include "v" %}/{% include "v" %}?{% include "v" %}" title=\'{% include "v" %}\'>'
            '<script>f({% include "v" %}, "{% include "v" %}")</script><title>{% include "v" %}</title>{% include "v" %}')
    result, again = render_all(*[{"name": "page", "templates": {"page": page, "v": "{{ v }}"}, "data": {"v": "x:'/"}}] * 2)
    assert result == again == (
        'x:&#39;/<a href="#blocked/x%3A%27/?x%3A%27%2F" title=\'x:&#39;/\'>'
        '<script>f("x:\'/", "x:\\\'\\/")</script><title>x:&#39;/</title>x:&#39;/')


def test_the_place_goes_on_after_an_include():
    templates = {
        "page": '{% include "open" %}{{ v }}{% include "close" %}{{ v }}',
        "open": "<p>{{ v }}<a {% if v %}x{% end %} href='{% include \"scheme\" %}",
        "scheme": "tel:",
        "close": "?{{ v }}'>",
    }
    assert render_all({"name": "page", "templates": templates, "data": {"v": "/&"}}) == ["<p>/&amp;<a x href='tel:/%26?%2F%26'>/&amp;"]


def test_names_are_complete_at_an_include():
    templates = {"x": "b", "y": " b", "z": "", "attr": "b='{{ v }}'"}
    sources = ["<p{% include 'y' %}>", "<p {% include 'x' %}>", "<p {% include 'x' %}{% include 'y' %}>", "<p {% include 'attr' %}c>",
               "<p{% include 'x' %}>", "<p {% include 'x' %}{% include 'x' %}>", "<p a{% include 'z' %}b>", "<p {% include 'x' %}='c'>"]
    results = render_all(*[{"source": source, "templates": templates, "data": {"v": "<"}} for source in sources])
    assert results[:4] == ["<p b>", "<p b>", "<p b b>", "<p b='&lt;'c>"]
    assert [is_error(result) for result in results[4:]] == [True] * 4


def test_errors_within_included_templates():
    results = render_all(
        {"name": "a", "templates": {"a": "{% if false %}{% include 'b' %}{% end %}", "b": "x\n<p {{ v }}>"}},
        {"compile": "a", "templates": {"a": "<p title='{% include \"b\" %}'>{% include 'b' %}", "b": "<p {{ v }}>"}},
        {"compile": "a", "templates": {"a": "\n {% include 'b' %}"}},
        {"compile": "a", "templates": {"a": "{% include 'b' %}", "b": "\n{% if false %}{% include 'c' %}{% end %}"}},
        {"source": "\n<style>{% include 'b' %}</style>", "templates": {"b": "a{}{{ v }}"}},
    )
    assert is_error(results[0], 2, 4, "b")
    assert is_error(results[1], 1, 4, "b")
    assert is_error(results[2], 2, 2, "a")
    assert is_error(results[3], 2, 15, "b")
    assert is_error(results[4], 1, 4, "b")


def test_a_part_may_be_right_at_one_place_only():
    templates = {"part": "<p {{ v }}", "good": "<p title='{% include 'part' %}'>", "bad": "{% include 'part' %}>"}
    results = render_all({"name": "good", "templates": templates, "data": {"v": '"'}}, {"compile": "part", "templates": templates},
                         {"compile": "bad", "templates": templates})
    assert results[0] == "<p title='<p &quot;'>"
    assert is_error(results[1], 1, 4, "part") and is_error(results[2], 1, 4, "part")


def test_templates_that_include_themselves():
    templates = {
        "tree": "<li title='{{ n.t }}'>{{ n.t }}{% for c in n.c %}{% set n = c %}{% include 'tree' %}{% end %}</li>",
        "attr": "<p title='{% include 'list' %}'>{% include 'list' %}",
        "list": "{{ n.t }}{% if n.c %}{% set n = n.c[0] %}{% include 'other' %}{% end %}",
        "other": "({% include 'list' %})",
    }
    data = {"n": {"t": "<", "c": [{"t": ">", "c": []}]}}
    assert render_all({"name": "tree", "templates": templates, "data": data}, {"name": "attr", "templates": templates, "data": data}) == [
        "<li title='&lt;'>&lt;<li title='&gt;'>&gt;</li></li>", "<p title='&lt;(&gt;)'>&lt;(&gt;)"]


def test_templates_that_include_themselves_and_end_elsewhere():
    results = render_all(
        {"compile": "a", "templates": {"a": "{% include 'b' %}'>", "b": "{% if x %}{% include 'b' %}{% else %}<p title='{% end %}"}},
        {"compile": "a", "templates": {"a": "<a href='{% include 'b' %}'>", "b": "{% if x %}{% include 'b' %}{% end %}/"}},
        {"compile": "a", "templates": {"a": "<script>{% include 'b' %}</script>", "b": "{% include 'c' %}'", "c": "{% if x %}{% include 'b' %}{% end %}"}},
        {"compile": "a", "templates": {"a": "<a href='/{% include 'b' %}'>", "b": "{% if x %}{% include 'b' %}{% end %}/{{ v }}"}},
        {"compile": "a", "templates": {"a": "{% include 'b' %}", "b": "<p>{% if x %}<title>{% include 'c' %}</title>{% end %}", "c": "{% if y %}{% include 'd' %}{% end %}{{ v }}", "d": "<p>{% include 'c' %}</b>"}},
    )
    assert [is_error(result) for result in results] == [True, True, True, False, False]


def test_after_an_error_the_engine_can_be_used():
    from node_process import js

    assert js("""
      const engine = new Engine({ autoescape: "context", templates: {
        a: "{% include 'b' %}<p {{ v }}>", b: "{{ v }}{% if x %}{% include 'c' %}{% end %}", c: "{% if y %}{% include 'a' %}{% end %}",
        d: "{{ v }}", o: "{% include 'x' %}", x: "{% include 'y' %}<p {{ v }}>", y: "{% if y %}{% include 'x' %}{% end %}",
        z: "{% include 'y' %}" } });
      const attempt = (name) => {
        try { return engine.render(name, { v: "<", x: 1, y: 1 }); }
        catch (problem) { return [problem instanceof TemplateError, problem.template, problem.column]; }
      };
      return ["a", "d", "b", "c", "a", "d", "o", "z", "o", "z", "d"].map(attempt);
    """) == [[True, "a", 21], "&lt;", [True, "a", 21], [True, "a", 21], [True, "a", 21], "&lt;",
             *[[True, "x", 21]] * 4, "&lt;"]


def test_too_many_includes():
    result = render_all({"name": "a", "templates": {"a": "\n{% include 'a' %}"}})[0]
    assert is_error(result, 2, 1, "a")


def test_filters_of_ones_own_and_values_set_before():
    from node_process import js

    assert js("""
      const engine = new Engine({ autoescape: "context", filters: { wrap: (value) => `<${value}>` } });
      return engine.renderString("{% set x = v | wrap %}<p title='{{ x }}'>{{ v | wrap | safe }}{{ v | wrap }}<script>{{ x }}</script>", { v: 1 });
    """) == "<p title='&lt;1&gt;'><1>&lt;1&gt;<script>\"\\u003c1\\u003e\"</script>"
