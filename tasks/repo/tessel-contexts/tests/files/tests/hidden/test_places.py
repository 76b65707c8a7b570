"""How values are written at each place."""

import pytest

from contexts import is_error, refused, render, render_all, render_each

NASTY = "<i>\"it's\" & </i>"
ESCAPED = "&lt;i&gt;&quot;it&#39;s&quot; &amp; &lt;/i&gt;"


# Text and plain attributes

@pytest.mark.parametrize(
    "source",
    [
        pytest.param("<p>@</p>", id="text"),
        pytest.param("a < b @ 1<2", id="less"),
        pytest.param('<p title="a @ b">', id="double"),
        pytest.param("<p data-x='@'>", id="single"),
        pytest.param("<P CLASS = \"@\" id='@'>@", id="several"),
        pytest.param("<br/>@<hr />@", id="closed"),
        pytest.param('<p a="x"b="@">', id="no-space"),
        pytest.param("<a b=c/d e='@'>@", id="unquoted-before"),
        pytest.param("<a b=\"'>\" c='\"@'>@", id="other-quotes"),
        pytest.param("<a b c = d e>@", id="bare-names"),
        pytest.param("<textarea rows='2'>@</textarea>@", id="textarea"),
        pytest.param("<TITLE>a </titles> <b> @</Title>@", id="title"),
        pytest.param("<title/>@</title >@", id="title-closed"),
        pytest.param("<title>a<!-- @ --></title>@", id="no-comment-in-title"),
        pytest.param("<!-- <a href='x --> @", id="after-comment"),
        pytest.param("<!-- a -- > b - -> -->@", id="dashes"),
        pytest.param("<!doctype html>@<?x \">@</>@</ x>@<!->@<!>@", id="declarations"),
        pytest.param("<script>'</script>@<style>a{}</style>@", id="after-raw"),
        pytest.param("</script>@</style x='@'>@", id="lone-end-tags"),
        pytest.param("<scripts>@</scripts><script-x>@", id="longer-names"),
        pytest.param("<a titles='@' hrefs='@' o='@' data-src=\"@\" xhref='@'>@", id="longer-attributes"),
    ],
)
def test_escaped(source):
    assert render(source.replace("@", "{{ v }}"), v=NASTY) == source.replace("@", ESCAPED)


def test_values_of_other_kinds():
    assert render("<p title='{{ a }}{{ b }}{{ c }}{{ d }}'>{{ c }}", a=None, b=7, c=["x", 1], d=False) == (
        "<p title='7[&quot;x&quot;,1]false'>[&quot;x&quot;,1]")


def test_safe_has_an_effect_in_plain_text_only():
    sources = ["<p>{{ v | safe }}", "<p title=\"{{ v | safe }}\">", "<title>{{ v | safe }}", "<textarea>{{ v | safe }}</textarea>{{ v | safe }}"]
    assert render_each([sources[0], sources[1], sources[2] + "</title>", sources[3]], v="<b>'") == [
        "<p><b>'", '<p title="&lt;b&gt;&#39;">', "<title>&lt;b&gt;&#39;</title>",
        "<textarea>&lt;b&gt;&#39;</textarea><b>'"]


def test_safe_in_urls_and_scripts():
    assert render('<a href="{{ v | safe }}"><script>f({{ v | safe }}, "{{ v | safe }}")</script>', v="x:<\"") == (
        '<a href="#blocked"><script>f("x:\\u003c\\"", "x:\\u003c\\"")</script>')


def test_safe_does_not_change_the_place():
    assert render("{{ v | safe }}{{ w }}", v="<script>", w="'") == "<script>&#39;"


# URLs

URLS = {
    "relative": ("a/b c?d=é&e#f", "a/b%20c?d=%C3%A9&amp;e#f"),
    "allowed": ("HTTPS://x.org:8080/~a/(b)*!$;,", "HTTPS://x.org:8080/~a/(b)*!$;,"),
    "mail": ("mailto:ada@example.org", "mailto:ada@example.org"),
    "tel": ("Tel:+49", "Tel:+49"),
    "script": ("JavaScript:f('x')", "#blocked"),
    "tricky": ("java\nscript:f()", "#blocked"),
    "leading": (" https://x.org", "#blocked"),
    "data": ("data:text/html,x", "#blocked"),
    "empty-scheme": (":x", "#blocked"),
    "later-colon": ("a/b:c", "a/b:c"),
    "colon-in-query": ("?a:b", "?a:b"),
    "quotes": ("'\"<>`{|}\\^", "&#39;%22%3C%3E%60%7B%7C%7D%5C%5E"),
    "encoded": ("%20%zz[1]", "%20%zz[1]"),
    "astral": ("/\U0001d11e", "/%F0%9D%84%9E"),
}


@pytest.mark.parametrize("value, written", URLS.values(), ids=URLS)
def test_whole_urls(value, written):
    assert render("<a href='{{ v }}' x='1'><img src=\" \n{{ v }}\">", v=value) == (
        f"<a href='{written}' x='1'><img src=\" \n{written}\">")


@pytest.mark.parametrize("name", ["href", "SRC", "action", "formaction", "poster", "cite", "data", "xlink:href"])
def test_attributes_with_urls(name):
    assert render(f'<a {name}="{{{{ v }}}}" {name} = \'?{{{{ v }}}}\'>', v="vb:x") == (
        f"<a {name}=\"#blocked\" {name} = '?vb%3Ax'>")


PARTS = "a b/é:c?d=e&f#%~-._(!*')"
PATH = "a%20b/%C3%A9%3Ac%3Fd%3De%26f%23%25~-._%28%21%2A%27%29"
QUERY = PATH.replace("/", "%2F")


@pytest.mark.parametrize(
    "text, written",
    [
        pytest.param("/@/@", f"/{PATH}/{PATH}", id="path"),
        pytest.param("x-@", f"x-{PATH}", id="relative"),
        pytest.param("//h/@", f"//h/{PATH}", id="host"),
        pytest.param("?q=@&r=@", f"?q={QUERY}&r={QUERY}", id="query"),
        pytest.param("/a/@?q=@#@", f"/a/{PATH}?q={QUERY}#{QUERY}", id="all"),
        pytest.param("#@", f"#{QUERY}", id="fragment"),
        pytest.param("https://@/?@", f"https://{PATH}/?{QUERY}", id="scheme"),
        pytest.param(" MailTo:@", f" MailTo:{PATH}", id="scheme-capitals"),
        pytest.param("a/b:@", f"a/b:{PATH}", id="no-scheme"),
        pytest.param("?x:@", f"?x:{QUERY}", id="no-scheme-in-query"),
        pytest.param("a@/b:@", f"a{PATH}/b:{PATH}", id="later-colon"),
        pytest.param("/&#63;@", f"/&#63;{QUERY}", id="reference"),
    ],
)
def test_parts_of_urls(text, written):
    source = text.replace("@", "{{ v }}")
    assert render_each([f'<a href="{source}">', f"<form action='{source}'>"], v=PARTS) == [
        f'<a href="{written}">', f"<form action='{written}'>"]


def test_after_a_whole_url():
    assert render('<a href="{{ a }}{{ b }}/{{ b }}?{{ b }}">{{ b }}', a="/x?y", b="p/q?") == (
        '<a href="/x?yp/q%3F/p/q%3F?p%2Fq%3F">p/q?')
    assert render('<a href="{{ a }}{{ b }}">', a="javascript", b=":f()") == '<a href="javascript%3Af%28%29">'


def test_texts_may_be_empty():
    assert render('<a href="{{ a }}{{ b }}">', a="", b="x:y") == '<a href="x%3Ay">'


def test_schemes_that_are_not_allowed():
    good = ["javascript:f()", "data:x?a", "{{ v }}:80"]
    bad = ["javascript:f({{ v }})", " data:{{ v }}", "j{{ v }}:{{ v }}", "{{ v }}:80/{{ v }}", "http :{{ v }}", ":{{ v }}",
           "httpss:{{ v }}", "javascript:x?{{ v }}", "java/*script:*/{{ v }}", "https&#58;:{{ v }}"]
    assert refused([f'<a href="{url}">' for url in good]) == []
    assert [url[9:-2] for url in refused([f'<a href="{url}">' for url in bad])] == [
        url for url in bad if not url.startswith("java/") and not url.startswith("https&")]


# Scripts

def test_values_in_code():
    data = {"a": {"k": ["</script>", "a & b", None, True, "it's \"x\"/\u2028\u2029é\n\t"]}, "n": -1.5, "s": "1"}
    assert render("<script>f({{ a }},{{ n }},{{ s }},{{ nothing }},{{ a.k[2] }})</script>", **data) == (
        '<script>f({"k":["\\u003c/script\\u003e","a \\u0026 b",null,true,"it\'s \\"x\\"/\\u2028\\u2029é\\n\\t"]},'
        '-1.5,"1",null,null)</script>')


def test_values_in_texts():
    value = "\\'\"/</script>&\n\r\t\x00\x1f\u2028\u2029é`${x}"
    written = "\\\\\\'\\\"\\/\\u003c\\/script\\u003e\\u0026\\n\\r\\u0009\\u0000\\u001f\\u2028\\u2029é`${x}"
    assert render("<script>a = '{{ v }}' + \"x{{ v }}\"</script>", v=value) == (
        f"<script>a = '{written}' + \"x{written}\"</script>")


def test_other_values_in_texts():
    assert render('<script>"{{ a }} {{ b }} {{ c }} {{ d }}"</script>', a=None, b=2, c=[1, "x"], d=True) == (
        '<script>" 2 [1,\\"x\\"] true"</script>')


J, T, R = '"v"', "v", None
SCRIPTS = {
    "code-after-text": ("x='a';@", J),
    "other-quote": ("x='\"@", T),
    "escaped-quote": (r"x='\'@", T),
    "escaped-backslash": (r"x='\\'+@", J),
    "line-ends-text": ("x='a\n@", J),
    "cr-ends-text": ('x="a\r@', J),
    "continued-text": ("x='a\\\n@", T),
    "after-line-comment": ("// it's\n@", J),
    "after-line-comment-cr": ("// \"\r@", J),
    "in-line-comment": ("x // @", R),
    "after-block-comment": ("/* ' \n * **/@", J),
    "in-block-comment": ("/* @", R),
    "odd-block-comment": ("/*/@", R),
    "comment-in-text": ("'/*@", T),
    "line-comment-in-text": ('"//@', T),
    "after-template": ("`a\n\\`'`+@", J),
    "in-template": ("`a ${@", R),
    "slash": ("a / @", J),
    "slash-and-text": ("a /'@", T),
    "slash-star-apart": ("a / *@", J),
    "less": ("a < @", J),
    "end-of-another": ("'</style>@", T),
    "longer-end-tag": ("'</scripts @", T),
    "markup": ("<!-- @", J),
    "tag": ("<a href='@", T),
}


@pytest.mark.parametrize("text, written", SCRIPTS.values(), ids=SCRIPTS)
def test_places_in_scripts(text, written):
    source = f"<Script type='module'>{text.replace('@', '{{ v }}')}"
    end = "\n*/</SCRIPT >{{ v }}"
    result = render(source + end, v="v")
    if written is None:
        assert is_error(result, 1 + source[:source.index("{{")].count("\n"),
                        len(source[:source.index("{{")].split("\n")[-1]) + 1)
    else:
        assert result == f"<Script type='module'>{text.replace('@', written)}\n*/</SCRIPT >v"


# Where no value may stand

@pytest.mark.parametrize(
    "before",
    [
        pytest.param("<p", id="name"),
        pytest.param("<p ", id="attribute"),
        pytest.param("<p/", id="slash"),
        pytest.param("<p cl", id="attribute-name"),
        pytest.param("<p class ", id="after-name"),
        pytest.param("<p class=", id="value"),
        pytest.param("<p class = ", id="value-after-space"),
        pytest.param("<p class=a", id="unquoted"),
        pytest.param("<a href=/", id="unquoted-url"),
        pytest.param("<p class='a'", id="after-quoted"),
        pytest.param("</p", id="end-tag"),
        pytest.param("</p ", id="in-end-tag"),
        pytest.param("<", id="less"),
        pytest.param("</", id="less-slash"),
        pytest.param("<!", id="mark"),
        pytest.param("<!-", id="mark-dash"),
        pytest.param("<!-- ", id="comment"),
        pytest.param("<!-- a>", id="comment-after-bracket"),
        pytest.param("<!doctype ", id="declaration"),
        pytest.param("<?", id="question"),
        pytest.param("<p onclick='f(", id="handler"),
        pytest.param("<p ONx=\"", id="handler-capitals"),
        pytest.param("<p style='color:", id="style-attribute"),
        pytest.param("<img srcset='", id="srcset"),
        pytest.param("<iframe srcDoc=\"", id="srcdoc"),
        pytest.param("<style>a { b: ", id="style"),
        pytest.param("<STYLE media='x'>/* '", id="style-comment"),
        pytest.param("<title>a <", id="title-less"),
        pytest.param("<title>a </ti", id="title-end"),
        pytest.param("<textarea></textarea", id="textarea-end"),
        pytest.param("<script>a <", id="script-less"),
        pytest.param("<script>'</", id="script-text-end"),
        pytest.param("<script>a /", id="script-slash"),
        pytest.param("<script>'\\", id="script-backslash"),
        pytest.param("<script/>`", id="script-template"),
    ],
)
def test_no_value(before):
    rest = " \"'--></p>\n*/`</script></style></title></textarea>"
    assert is_error(render(f"\n{before}{{{{ v }}}}{rest}", v="x"), 2, len(before) + 1)


def test_what_is_removed_does_not_count():
    source = '{# <!-- #}<p{# x #} {% set a = 1 %} class={#-#}  {%- set b = 2 -%}  "{{ v }}"{# -- #} id="{% raw %}{{{% endraw %}{{- v -}} ">'
    assert render(source, v="'") == '<p  class="&#39;" id="{{&#39;">'


def test_text_joins_across_what_leaves_no_trace():
    assert render("<scr{# x #}ipt>x = {% set a = 1 %}{{ v }};{% raw %}'{% endraw %}{{ v }}'</scr{% set b = 2 %}ipt>{{ v }}", v="<") == (
        "<script>x = \"\\u003c\";'\\u003c'</script>&lt;")


def test_white_space_that_is_removed():
    assert is_error(render("<p class= {{- v }}>", v=1), 1, 11)
    assert render("<a href='  {{- v -}}  /{{ v }}'>", v="a:") == "<a href='#blocked/a%3A'>"


def test_must_end_in_text():
    ends = ["<p", "<p ", "<p a='", "<!-- ", "<script>", "<title>a</title", "<!x"]
    assert refused(ends) == ends
    assert render_each(["", "a", "<p>", "<title></title>"]) == ["", "a", "<p>", "<title></title>"]


def test_errors_come_before_values():
    results = render_all(
        {"source": "{{ a | nope }}<p {{ a }}>"},
        {"source": "{% if false %}\n <p {{ a }}>{% end %}"},
        {"compile": "p", "templates": {"p": "\n\n<b a={{ a }}>"}},
        {"compile": "q", "templates": {"q": "<b a='{{ a }}'>"}},
        {"name": "p", "templates": {"p": "<style>{{ a }}</style>"}},
    )
    assert is_error(results[0], 1, 18)
    assert is_error(results[1], 2, 5)
    assert is_error(results[2], 3, 6, "p")
    assert results[3] == ["compiled"]
    assert is_error(results[4], 1, 8, "p")


def test_the_program(tmp_path):
    import subprocess

    from node_process import ROOT, SECONDS

    (tmp_path / "page.html").write_text("<a href='{{ u }}'>{% include \"part\" %}</a>")
    (tmp_path / "part.html").write_text("{{ u }}")
    (tmp_path / "bad.html").write_text("<a\n{{ u }}>")
    def program(name):
        return subprocess.run(["node", "bin/tessel.js", "--autoescape", "context", tmp_path, name], cwd=ROOT,
                              input='{"u": "x:\'"}', capture_output=True, text=True, timeout=SECONDS)
    assert program("page").stdout == "<a href='#blocked'>x:&#39;</a>"
    bad = program("bad")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("bad:2:1: ")
