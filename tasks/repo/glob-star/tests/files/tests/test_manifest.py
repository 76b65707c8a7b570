import pytest

from gleaner.errors import ManifestError
from gleaner.manifest import parse_manifest

TEXT = """\
# what we ship
[sources]
include src/*.py
include *.toml
exclude src/gen_*

[photos]
include *.jpg
option ignore-case

[all]
option hidden
"""


def test_manifest():
    sets = parse_manifest(TEXT)
    assert list(sets) == ["sources", "photos", "all"]
    assert sets["sources"].accepts("src/a.py")
    assert not sets["sources"].accepts("src/gen_a.py")
    assert sets["photos"].accepts("A.JPG")
    assert sets["all"].accepts(".git/config")


@pytest.mark.parametrize(
    "text, line",
    [
        ("include a", 1),
        ("[a]\ninclude x\n[a]\n", 3),
        ("[ ]", 1),
        ("[a]\n\noption fast\n", 3),
        ("[a]\nfoo\n", 2),
        ("\n[a]\ninclude [x\n", 2),
    ],
    ids=["no-set", "twice", "no-name", "option", "key", "pattern"],
)
def test_errors_name_the_line(text, line):
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text)
    assert caught.value.line == line
