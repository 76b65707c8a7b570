from gleaner.fileset import FileSet
from gleaner.tree import VirtualTree
from gleaner.walker import walk

PROJECT = [
    "README.md",
    "build/out/a.o",
    "docs/guide/intro.md",
    "docs/index.md",
    "src/a.py",
    "src/b.py",
    "src/sub/c.py",
    ".git/config",
]


def found(include, exclude=(), files=PROJECT, **options):
    return list(walk(VirtualTree(files), FileSet.of(include, exclude, **options)))


def test_walk():
    assert found(["*.md", "*/*.md"]) == ["README.md", "docs/index.md"]


def test_exclude():
    assert found(["*/*.py", "*/*/*.py"], ["src/sub"]) == ["src/a.py", "src/b.py"]


def test_order_is_depth_first_by_name():
    files = ["b", "a/z", "a/b/c", "c/a"]
    assert found(["*", "*/*", "*/*/*"], files=files) == ["a/b/c", "a/z", "b", "c/a"]


def listed(include, exclude=(), files=PROJECT, **options):
    tree = VirtualTree(files)
    list(walk(tree, FileSet.of(include, exclude, **options)))
    return tree.listed


def test_excluded_directories_are_not_listed():
    assert "build" not in listed(["*/*"], ["build"])
    assert "docs/guide" not in listed(["*/*"], ["*/g*"])


def test_directories_without_a_chance_are_not_listed():
    assert listed(["*.md"]) == [""]
    assert listed(["src/*.py"]) == ["", "src"]
    assert listed(["{docs,src}/*/*"]) == ["", "docs", "docs/guide", "src", "src/sub"]


def test_hidden_directories_are_not_listed():
    assert ".git" not in listed(["*/*"])
    assert ".git" in listed(["*/*"], hidden=True)
    assert listed([".git/*"]) == ["", ".git"]


def test_walk_everything_below():
    assert found(["docs/**"]) == ["docs/guide/intro.md", "docs/index.md"]
    assert found(["src/**"], ["src/sub"]) == ["src/a.py", "src/b.py"]
    assert found(["**"]) == [path for path in PROJECT if path != ".git/config"]
    assert listed(["docs/**"]) == ["", "docs", "docs/guide"]


def test_ignore_files():
    tree = VirtualTree(
        {
            "IGNORE": "*.log\nbuild/\n",
            "a.log": "",
            "a.txt": "",
            "build/b.txt": "",
            "sub/IGNORE": "!keep.log\n/c.txt\n",
            "sub/c.txt": "",
            "sub/keep.log": "",
            "sub/deep/c.txt": "",
            "sub/deep/d.log": "",
        }
    )
    assert list(walk(tree, FileSet.of(["**"]), "IGNORE")) == [
        "IGNORE",
        "a.txt",
        "sub/IGNORE",
        "sub/deep/c.txt",
        "sub/keep.log",
    ]
    assert "build" not in tree.listed
