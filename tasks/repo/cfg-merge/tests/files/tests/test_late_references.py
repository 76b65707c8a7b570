import os

import pytest

import strata
from strata import InterpolationError, MergeError, MissingKeyError, load_config
from strata.cli import main


@pytest.fixture
def load(tmp_path):
    """Load files of the given texts, in order, as layer1.conf, layer2.conf..."""

    def load(*texts, **options):
        paths = []
        for number, text in enumerate(texts, 1):
            path = tmp_path / f"layer{number}.conf"
            path.write_text(text)
            paths.append(path)
        return load_config(paths, **options)

    return load


def place(origin):
    return (os.path.basename(origin.source), origin.line)


def cycle_of(config, key):
    with pytest.raises(strata.InterpolationCycleError) as caught:
        config.get(key)
    assert isinstance(caught.value, InterpolationError)
    assert " -> ".join(caught.value.cycle) in str(caught.value)
    return caught.value.cycle


# Winning values

def test_override_changes_a_default():
    config = load_config(
        defaults={"paths": {"root": "/usr", "lib": "${paths.root}/lib"}},
        overrides=["paths.root=/opt"],
    )
    assert config.get("paths.lib") == "/opt/lib"
    assert config.to_dict() == {"paths": {"root": "/opt", "lib": "/opt/lib"}}


@pytest.mark.parametrize(
    "upper",
    [
        pytest.param({"env": {"APP_HOST": "web2"}}, id="environment"),
        pytest.param({"overrides": ["host=web2"]}, id="override"),
        pytest.param({"env": {"APP_HOST": "${other}"}, "overrides": ["other=web2"]}, id="both"),
    ],
)
def test_upper_layer_changes_a_file(load, upper):
    config = load('host = "web1"\nurl = "http://${host}/"\nall = ["${url}", "${host}:1"]\n', **upper)
    assert config.get_str("url") == "http://web2/"
    assert config.get_list("all") == ["http://web2/", "web2:1"]


def test_key_known_only_above(load):
    config = load('url = "http://${server.host}/"\n', "[server]\nport = 1\n", 'server.host = "b"\n')
    assert config.get("url") == "http://b/"


def test_included_file_sees_the_including_one(tmp_path):
    (tmp_path / "common.conf").write_text('root = "/srv"\nlog = "${root}/${app}.log"\n')
    (tmp_path / "main.conf").write_text('include "common.conf"\napp = "shop"\nroot = "/data"\n')
    assert load_config([tmp_path / "main.conf"]).get("log") == "/data/shop.log"


def test_type_follows_the_winning_value(load):
    config = load('port = 80\nlisten = "${port}"\n', 'port = "http"\n')
    assert config.get_str("listen") == "http"
    config = load('port = "http"\nlisten = "${port}"\n', overrides=["port=[80, 443]"])
    assert config.get_list("listen") == [80, 443]


def test_default_gives_way_to_an_upper_layer(load):
    config = load('mode = "${env.name:-dev}"\n', '[env]\nname = "prod"\n')
    assert config.get("mode") == "prod"
    assert load('mode = "${env.name:-dev}"\n', "[env]\nn = 1\n").get("mode") == "dev"


def test_reference_sees_appended_items(load):
    config = load(
        'plugins = ["core"]\nenabled = "${plugins}"\n',
        'plugins += ["${extra}"]\nalso = "${plugins}"\n',
        'extra = "tls"\nplugins += ["gzip"]\n',
    )
    for key in ("plugins", "enabled", "also"):
        assert config.get(key) == ["core", "tls", "gzip"]


def test_appending_to_a_late_list(load):
    config = load('all = "${core}"\ncore = ["a"]\n', 'all += ["b"]\n', 'all += "${more}"\ncore += ["x"]\n',
                  'more = ["c"]\n')
    assert config.get("all") == ["a", "x", "b", "c"]
    assert config.get("core") == ["a", "x"]


def test_unset_above(load):
    config = load('a = "x"\nb = "${a:-none}"\nc = "${a}"\n', "unset a\n")
    assert config.get("b") == "none"
    with pytest.raises(InterpolationError):
        config.get("c")


def test_resolved_text_is_not_read_again(load):
    config = load('a = "$${b}"\nc = "${a}"\nd = "<${c}>"\n', "b = 1\n", 'e = "${d}$${x}"\n')
    assert config.to_dict() == {"a": "${b}", "c": "${b}", "d": "<${b}>", "e": "<${b}>${x}", "b": 1}


# A key that refers to itself

def test_itself_with_a_late_reference(load):
    config = load('path = "/bin:${home}/bin"\n', 'path = "${path}:${extra}"\n', 'path = "/first:${path}"\n',
                  'home = "/root"\nextra = "/opt"\n')
    assert config.get("path") == "/first:/bin:/root/bin:/opt"


def test_itself_over_an_include(tmp_path):
    (tmp_path / "common.conf").write_text('path = "/bin"\n')
    (tmp_path / "main.conf").write_text('include "common.conf"\npath = "${path}:/opt"\n')
    config = load_config([tmp_path / "main.conf"], overrides=["path=${path}:/x"])
    assert config.get("path") == "/bin:/opt:/x"


def test_itself_as_a_list(load):
    config = load("a = [1]\n", 'a = "${a}"\n', "a += [2]\n")
    assert config.get("a") == [1, 2]


def test_itself_with_nothing_below(load):
    config = load('a = "${a}:x"\nb = "${b:-y}:x"\n', 'c = "${a}"\n')
    assert cycle_of(config, "a") == ["a", "a"]
    assert cycle_of(config, "c") == ["a", "a"]
    assert config.get("b") == "y:x"


def test_itself_after_unset(load):
    config = load('a = "low"\nb = "low"\n', "unset a\nunset b\n", 'a = "${a}:x"\nb = "${b:-new}:x"\n')
    assert config.get("b") == "new:x"
    assert cycle_of(config, "a") == ["a", "a"]


def test_itself_in_a_section_view(load):
    config = load('[s]\npath = "/bin"\n', '[s]\npath = "${s.path}:/opt"\n')
    assert config.section("s").get("path") == "/bin:/opt"


# Reading

def test_bad_reference_harms_only_its_readers(load):
    config = load('[a]\nbad = "${nowhere}"\ngood = "${b}"\n', 'b = 1\nuser = "${a.bad}"\n')
    assert config.get("a.good") == 1
    assert config.has("a.bad") and config.keys() == ["a.bad", "a.good", "b", "user"]
    assert config.section("a").get("good") == 1
    for key in ("a.bad", "user"):
        with pytest.raises(InterpolationError) as caught:
            config.get(key)
        assert place(caught.value.origin) == ("layer1.conf", 2)
    for read in (config.get_str, config.explain):
        with pytest.raises(InterpolationError):
            read("a.bad")
    with pytest.raises(InterpolationError):
        config.to_dict()


def test_default_of_get_is_for_missing_keys(load):
    config = load('a = "${nowhere}"\n')
    assert config.get("b", 1) == 1
    with pytest.raises(InterpolationError):
        config.get("a", 1)
    with pytest.raises(InterpolationError):
        config.get_int("a", 1)
    with pytest.raises(MissingKeyError):
        config.get("b")


def test_overridden_value_is_not_looked_at(load):
    config = load('a = "${nowhere}"\nb = "${b}"\nc = "${"\n', 'a = "x"\nb = "y"\n', "c.d = 1\n")
    assert config.to_dict() == {"a": "x", "b": "y", "c": {"d": 1}}


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(('b = 1\na = "${b}"\n', "a += [2]\n"), id="to-a-number"),
        pytest.param(("a = [1]\n", 'b = "x"\na += "${b}"\n'), id="of-a-string"),
        pytest.param(("a.b = [1]\n", "a += [2]\n"), id="to-a-section"),
    ],
)
def test_append_without_lists(load, texts):
    with pytest.raises(MergeError):
        load(*texts).get("a")


# Cycles

@pytest.mark.parametrize(
    "key, cycle",
    [
        pytest.param("x", ["a.b", "c", "a.b"], id="from-outside"),
        pytest.param("a.b", ["a.b", "c", "a.b"], id="from-the-first"),
        pytest.param("c", ["c", "a.b", "c"], id="from-the-second"),
    ],
)
def test_cycle_over_layers(load, key, cycle):
    config = load('x = "<${a.b}>"\n[a]\nb = "${c}"\n', "c = 1\n", 'c = ["${a.b:-no}"]\n')
    assert cycle_of(config, key) == cycle


def test_cycle_through_appended_items(load):
    config = load('a = ["${b}"]\nb = "x"\n', 'a += ["y"]\n', 'b = "${c}"\nc = "${a}"\n')
    assert cycle_of(config, "c") == ["c", "a", "b", "c"]


def test_cycle_seen_from_a_section(load):
    config = load('[s]\na = "${s.b}"\nb = "1"\nok = "${t}"\n', 't = 5\ns.b = "${s.a}"\n')
    section = config.section("s")
    assert section.get("ok") == 5
    assert cycle_of(section, "b") == ["s.b", "s.a", "s.b"]


def test_upper_layer_breaks_a_cycle(load):
    config = load('a = "${b}"\nb = "${a}"\n', 'b = "x"\n')
    assert config.get("a") == "x"


def test_reading_goes_on_after_a_cycle(load):
    config = load('a = "${b}"\nb = "${c}${d}"\nd = "1"\ne = "${d}${d}"\n', 'c = "${b}"\n')
    for _ in range(2):
        assert cycle_of(config, "a") == ["b", "c", "b"]
        assert config.get("e") == "11"


def test_diamond_is_no_cycle(load):
    config = load('a = "${b}${c}${b}"\nb = "${d}"\nc = "${d}${b}"\nd = "x"\n')
    assert config.get("a") == "xxxx"


# Sections

def test_section_refers_to_the_whole(load):
    config = load('host = "a"\n[web.tls]\nname = "${host}:${web.port}"\n', "web.port = 1\n",
                  overrides=["host=b"])
    assert config.section("web").get("tls.name") == "b:1"
    assert config.section("web").section("tls").to_dict() == {"name": "b:1"}


# explain

def test_explain_references(load):
    config = load(
        'url = "http://${addr}${path:-/}?${host}${host}"\naddr = "${host}:${port}"\nport = 80\nhost = "a"\n',
        'host = "${names.web}"\n',
        env={"APP_NAMES__WEB": "web9"},
        overrides=["port=8080"],
    )
    url = config.explain("url")
    assert (url.key, url.value) == ("url", "http://web9:8080/?web9web9")
    assert place(url.origin) == ("layer1.conf", 1)
    assert [item.key for item in url.references] == ["addr", "host"]
    addr, host = url.references
    assert (addr.value, place(addr.origin)) == ("web9:8080", ("layer1.conf", 2))
    assert [item.key for item in addr.references] == ["host", "port"]
    assert (addr.references[1].value, str(addr.references[1].origin)) == (8080, "override:1")
    assert (host.value, place(host.origin)) == ("web9", ("layer2.conf", 1))
    assert [(str(item.origin), item.references) for item in host.references] == [("env:APP_NAMES__WEB", ())]


def test_explain_itself(load):
    config = load('path = "${root}/bin"\n', 'path = "${path}:/opt"\n', 'root = "/r"\n')
    path = config.explain("path")
    assert (path.value, place(path.origin)) == ("/r/bin:/opt", ("layer2.conf", 1))
    (below,) = path.references
    assert (below.key, below.value, place(below.origin)) == ("path", "/r/bin", ("layer1.conf", 1))
    assert [(item.key, item.value) for item in below.references] == [("root", "/r")]


def test_explain_appended(load):
    config = load('a = ["${x}"]\nx = 1\n', '\na += ["${y}", "${x}"]\n', "y = 2\n", "\n\na += [3]\n")
    found = config.explain("a")
    assert (found.value, place(found.origin)) == ([1, 2, 1, 3], ("layer4.conf", 3))
    assert [item.key for item in found.references] == ["x", "y"]


def test_explain_without_references(load):
    found = load("a = 1\n", "a = 2\n").explain("a")
    assert (found.value, found.references) == (2, ())


def test_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.conf").write_text(
        'label = "at ${url}"\n[srv]\nhost = "h"\n[srv.tls]\non = true\n')
    (tmp_path / "site.conf").write_text('url = "${srv.host}/${srv.tls.on}"\nbad = "${label}${bad}"\n')
    files = ["-f", "base.conf", "-f", "site.conf", "-s", "srv.host=w"]
    assert main([*files, "explain", "label"]) == 0
    assert capsys.readouterr().out == (
        'label = "at w/true"  [base.conf:1]\n'
        '  url = "w/true"  [site.conf:1]\n'
        '    srv.host = "w"  [override:1]\n'
        '    srv.tls.on = true  [base.conf:5]\n'
    )
    assert main([*files, "get", "bad"]) == 1
    assert "bad -> bad" in capsys.readouterr().err


def test_plain_dump_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.conf").write_text('b = "${a}"\na = [1, 2]\n')
    assert main(["-f", "a.conf", "dump"]) == 0
    assert capsys.readouterr().out == "a = [1, 2]\nb = [1, 2]\n"
