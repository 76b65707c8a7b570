import pytest

from strata import MergeError, load_config


@pytest.fixture
def merged(tmp_path):
    def load(*texts):
        paths = []
        for number, text in enumerate(texts, 1):
            path = tmp_path / f"layer{number}.conf"
            path.write_text(text)
            paths.append(path)
        return load_config(paths).to_dict()

    return load


def test_upper_value_wins(merged):
    assert merged("a = 1\nb = 2\n", "a = 3\n") == {"a": 3, "b": 2}


def test_sections_are_merged_deeply(merged):
    lower = "[a.b]\nx = 1\ny = 1\n[a]\nz = 1\n"
    upper = "[a.b]\ny = 2\nw = 2\n"
    assert merged(lower, upper) == {"a": {"b": {"x": 1, "y": 2, "w": 2}, "z": 1}}


def test_value_replaces_section_and_back(merged):
    assert merged("a.b = 1\n", "a = 2\n") == {"a": 2}
    assert merged("a.b = 1\n", "a = 2\n", "a.c = 3\n") == {"a": {"c": 3}}


def test_lists_are_replaced_by_assignment(merged):
    assert merged("a = [1, 2]\n", "a = [3]\n") == {"a": [3]}


def test_append(merged):
    assert merged("a = [1]\n", "a += [2]\n", "a += [3, 4]\n") == {"a": [1, 2, 3, 4]}


def test_append_to_nothing(merged):
    assert merged("b = 1\n", "a += [2]\n") == {"a": [2], "b": 1}


@pytest.mark.parametrize(
    "lower",
    [
        pytest.param("a = 1\n", id="number"),
        pytest.param('a = "text"\n', id="string"),
        pytest.param("a.b = [1]\n", id="section"),
    ],
)
def test_append_to_something_else(merged, lower):
    with pytest.raises(MergeError):
        merged(lower, "a += [2]\n")


def test_unset_value(merged):
    assert merged("a = 1\nb = 2\n", "unset a\n") == {"b": 2}


def test_unset_section(merged):
    assert merged("[a]\nb = 1\nc = 1\n", "unset a\n", "a.d = 2\n") == {"a": {"d": 2}}


def test_unset_of_nothing(merged):
    assert merged("a = 1\n", "unset b\nunset c.d\n").get("a") == 1


def test_append_after_unset_starts_anew(merged):
    assert merged("a = [1]\n", "unset a\n", "a += [2]\n") == {"a": [2]}
