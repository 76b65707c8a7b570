from gleaner.fileset import FileSet, with_parents


def test_with_parents():
    assert list(with_parents("a/b/c")) == ["a", "a/b", "a/b/c"]


def test_include_and_exclude():
    files = FileSet.of(["src/*.py", "*.md"], ["*_old.py", "src/test_*"])
    assert files.accepts("src/a.py")
    assert files.accepts("README.md")
    assert not files.accepts("src/test_a.py")
    assert not files.accepts("setup.py")
    assert files.accepts("src/a_old.py")


def test_an_excluded_directory_takes_its_files_along():
    files = FileSet.of(["*/*/*"], ["build"])
    assert files.accepts("src/a/b")
    assert not files.accepts("build/a/b")


def test_hidden():
    assert not FileSet.of(["*"]).accepts(".env")
    assert FileSet.of(["*"], hidden=True).accepts(".env")


def test_ignore_case():
    files = FileSet.of(["*.JPG"], ["Thumb*"], ignore_case=True)
    assert files.accepts("a.jpg")
    assert not files.accepts("THUMBS.jpg")


def test_excludes_see_hidden_names():
    files = FileSet.of([".*", ".*/*"], ["*.swp", "*/cache"])
    assert files.accepts(".env")
    assert not files.accepts(".env.swp")
    assert not files.accepts(".tool/cache")
