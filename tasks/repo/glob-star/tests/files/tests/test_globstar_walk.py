"""Where a walk with ** goes and what it finds."""

import pytest

from gleaner.cli import main
from gleaner.fileset import FileSet
from gleaner.tree import VirtualTree
from gleaner.walker import walk

FILES = [
    ".env",
    ".git/config",
    ".git/hooks/a.py",
    ".github/ci.yml",
    ".github/w/x.yml",
    "a/.git/config",
    "a/.github/ci.yml",
    "a/.github/sub/x.yml",
    "a/b/.env",
    "build/gen/x.py",
    "build/x.o",
    "docs/guide/index.md",
    "setup.py",
    "src/a/b/c/x.py",
    "src/a/cache/y/x.py",
    "src/a/x.py",
    "src/cache/x.py",
    "src/x.py",
]


def walked(include, exclude=(), files=FILES, ignore=None, **options):
    tree = VirtualTree(files)
    found = list(walk(tree, FileSet.of(include, exclude, **options), ignore))
    assert len(tree.listed) == len(set(tree.listed))
    return found, tree.listed


def test_issue():
    files = ["src/x.py", "src/a/x.py", "src/a/b/c/x.py"]
    found, _ = walked(["src/**/x.py"], files=files)
    assert sorted(found) == sorted(files)


def test_in_the_middle():
    found, listed = walked(["src/**/x.py"])
    assert found == [
        "src/a/b/c/x.py",
        "src/a/cache/y/x.py",
        "src/a/x.py",
        "src/cache/x.py",
        "src/x.py",
    ]
    assert listed == [
        "", "src", "src/a", "src/a/b", "src/a/b/c", "src/a/cache", "src/a/cache/y", "src/cache",
    ]


def test_at_the_start():
    found, listed = walked(["**/*.md"])
    assert found == ["docs/guide/index.md"]
    assert {"docs/guide", "src/a/b/c", "build/gen", "a/b"} <= set(listed)
    assert not any("." in directory for directory in listed)


def test_everything():
    found, listed = walked(["**"])
    assert found == [path for path in FILES if "/." not in path and not path.startswith(".")]
    assert not any("." in directory for directory in listed)


def test_everything_and_hidden():
    found, listed = walked(["**"], hidden=True)
    assert sorted(found) == sorted(FILES)
    assert "a/.git" in listed


def test_a_limited_depth_stays_limited():
    _, listed = walked(["src/*/x.py"])
    assert listed == ["", "src", "src/a", "src/cache"]


def test_stars_within_a_name_go_no_deeper():
    found, listed = walked(["s**", "src/**x.py"])
    assert found == ["setup.py", "src/x.py"]
    assert listed == ["", "src"]


def test_hidden_directories_of_the_pattern_are_entered():
    found, listed = walked(["**/.github/*.yml"])
    assert found == [".github/ci.yml", "a/.github/ci.yml"]
    assert ".github" in listed
    assert "a/.github" in listed
    assert not {".git", "a/.git", "a/.github/sub", ".github/w"} & set(listed)


def test_below_a_hidden_directory():
    found, listed = walked([".github/**"])
    assert found == [".github/ci.yml", ".github/w/x.yml"]
    assert listed == ["", ".github", ".github/w"]


def test_hidden_files_anywhere():
    found, listed = walked(["**/.env"])
    assert found == [".env", "a/b/.env"]
    assert "a/b" in listed
    assert "a/.git" not in listed


def test_alternatives_are_looked_at_one_by_one():
    _, listed = walked(["{docs,src/a/**}/*.md"])
    assert listed == ["", "docs", "src", "src/a", "src/a/b", "src/a/b/c", "src/a/cache",
                      "src/a/cache/y"]


@pytest.mark.parametrize(
    "exclude",
    [["build/**"], ["build/"], ["{build,dist}/**"], ["**/build/**"], ["b*/**/**"]],
    ids=["globstar", "slash", "braces", "both-ends", "twice"],
)
def test_what_is_excluded_altogether_is_not_listed(exclude):
    found, listed = walked(["**/x.*"], exclude)
    assert "build" not in listed
    assert not any(path.startswith("build/") for path in found)
    assert "src/a/b" in listed
    assert "src/a/b/c/x.py" in found


def test_excluded_at_every_depth():
    found, listed = walked(["**/x.py"], ["**/cache/"])
    assert found == ["build/gen/x.py", "src/a/b/c/x.py", "src/a/x.py", "src/x.py"]
    assert not {"src/cache", "src/a/cache", "src/a/cache/y"} & set(listed)


def test_excluded_hidden_directories():
    _, listed = walked(["**"], ["**/.git/**"], hidden=True)
    assert not {".git", "a/.git"} & set(listed)
    assert "a/.github" in listed


@pytest.mark.parametrize(
    "exclude",
    [["build/**/*.o"], ["build/*.o"], ["**/*.o"], ["build/**/gen/**"]],
    ids=["middle", "plain", "start", "deeper"],
)
def test_what_is_excluded_in_part_is_listed(exclude):
    found, listed = walked(["build/**"], exclude)
    assert "build" in listed
    assert ("build/x.o" in found) == (exclude == ["build/**/gen/**"])
    assert ("build/gen/x.py" in found) == (exclude != ["build/**/gen/**"])


def test_the_root_is_listed_even_in_vain():
    assert walked(["**"], ["**"]) == ([], [""])


@pytest.mark.parametrize("hidden", [False, True], ids=["visible", "hidden"])
def test_the_walk_finds_what_the_set_accepts(hidden):
    patterns = [
        "**", "*", "**/x.py", "src/**", "src/**/x.py", "**/a/**", "**/.*", "**/.*/**", "*/**/*.yml",
        "**/.github/**/*.yml", ".git*/**", "a/**/.env", "src/**/c*/**", "**/cache/", "{a,src}/**/b/*",
        "s**/**/x**", "**/*/*/x.py",
    ]
    for include in patterns:
        for exclude in [None, *patterns]:
            files = FileSet.of([include], [exclude] if exclude else [], hidden=hidden)
            found = list(walk(VirtualTree(FILES), files))
            assert sorted(found) == sorted(filter(files.accepts, FILES)), (include, exclude)


def test_ignore_files():
    texts = {
        ".skip": "logs/**\n!logs/keep.txt\n**/tmp/\nsrc/**/gen\n",
        "logs/a.txt": "",
        "logs/keep.txt": "",
        "logs/old/keep.txt": "",
        "tmp/a.txt": "",
        "src/gen/a.txt": "",
        "src/x/y/gen/a.txt": "",
        "src/x/tmp/a.txt": "",
        "src/x/b.txt": "",
        "src/x/tmp.txt": "",
    }
    found, listed = walked(["**/*.txt"], files=texts, ignore=".skip")
    assert found == ["logs/keep.txt", "src/x/b.txt", "src/x/tmp.txt"]
    assert sorted(listed) == ["", "logs", "src", "src/x", "src/x/y"]


def test_ignore_file_of_a_subdirectory():
    texts = {
        "pkg/.skip": "**/gen/*.txt\n/a/**/z.txt\n",
        "gen/a.txt": "",
        "pkg/gen/a.txt": "",
        "pkg/x/gen/a.txt": "",
        "pkg/a/z.txt": "",
        "pkg/x/a/z.txt": "",
    }
    found, _ = walked(["**"], files=texts, ignore=".skip")
    assert found == ["gen/a.txt", "pkg/x/a/z.txt"]


def test_list_command(tmp_path, capsys):
    for path in ("a.py", "x/y/z/b.py", "x/gen/c.py", "x/.h/d.py", "x/e.txt"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    assert main(["list", str(tmp_path), "-i", "**/*.py", "-x", "**/gen/"]) == 0
    assert capsys.readouterr().out.split() == ["a.py", "x/y/z/b.py"]
    assert main(["list", str(tmp_path), "-i", "x/**/*.py", "--hidden"]) == 0
    assert capsys.readouterr().out.split() == ["x/.h/d.py", "x/gen/c.py", "x/y/z/b.py"]


def test_match_command(capsys):
    assert main(["match", "src/**/a.py", "src/a.py", "a.py", "src/x/a.py"]) == 0
    assert capsys.readouterr().out.split() == ["src/a.py", "src/x/a.py"]
