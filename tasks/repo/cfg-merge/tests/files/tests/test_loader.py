import pytest

from strata import IncludeError
from strata.loader import load_documents


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def names(documents):
    return [document.source.rsplit("/", 1)[-1] for document in documents]


def test_one_file(write):
    documents = load_documents(write("a.conf", "x = 1\n"))
    assert names(documents) == ["a.conf"]
    assert documents[0].statements[0].key == "x"


def test_includes_come_first(write):
    write("c.conf", "")
    write("sub/b.conf", 'include "../c.conf"\n')
    path = write("a.conf", 'include "sub/b.conf"\n')
    assert names(load_documents(path)) == ["c.conf", "b.conf", "a.conf"]


def test_a_file_is_read_once(write):
    write("d.conf", "list += [1]\n")
    write("b.conf", 'include "d.conf"\n')
    write("c.conf", 'include "d.conf"\n')
    path = write("a.conf", 'include "b.conf"\ninclude "c.conf"\n')
    assert names(load_documents(path)) == ["d.conf", "b.conf", "c.conf", "a.conf"]


def test_missing_file(tmp_path):
    with pytest.raises(IncludeError):
        load_documents(tmp_path / "none.conf")


def test_missing_include_names_the_line(write):
    path = write("a.conf", '\ninclude "none.conf"\n')
    with pytest.raises(IncludeError) as caught:
        load_documents(path)
    assert caught.value.origin.line == 2


def test_include_cycle(write):
    write("c.conf", 'include "b.conf"\n')
    write("b.conf", 'include "c.conf"\n')
    path = write("a.conf", 'include "b.conf"\n')
    with pytest.raises(IncludeError) as caught:
        load_documents(path)
    assert "b.conf -> c.conf -> b.conf" in str(caught.value)


def test_file_includes_itself(write):
    path = write("a.conf", 'include "a.conf"\n')
    with pytest.raises(IncludeError) as caught:
        load_documents(path)
    assert "a.conf -> a.conf" in str(caught.value)
