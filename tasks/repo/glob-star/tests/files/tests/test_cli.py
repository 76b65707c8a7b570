import pytest

from gleaner.cli import main


@pytest.fixture
def project(tmp_path):
    for path in ("README.md", "docs/index.md", "docs/old/a.md", "src/a.py", ".skip"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("old\n" if path == ".skip" else "")
    return str(tmp_path)


def run(capsys, *args):
    code = main(list(args))
    return code, capsys.readouterr().out.splitlines()


def test_list_everything(project, capsys):
    expected = ["README.md", "docs/index.md", "docs/old/a.md", "src/a.py"]
    assert run(capsys, "list", project) == (0, expected)


def test_list_include_and_exclude(project, capsys):
    assert run(capsys, "list", project, "-i", "docs/**", "-x", "docs/old") == (
        0,
        ["docs/index.md"],
    )


def test_list_with_ignore_files(project, capsys):
    code, lines = run(capsys, "list", project, "--ignore-file", ".skip")
    assert code == 0
    assert "docs/old/a.md" not in lines


def test_match(capsys):
    assert run(capsys, "match", "*.py", "a.py", "b.txt", "c.py") == (0, ["a.py", "c.py"])
    assert run(capsys, "match", "*.py", "b.txt") == (1, [])


def test_errors(tmp_path, capsys):
    assert main(["match", "[a", "b"]) == 2
    assert "[a" in capsys.readouterr().err
    assert main(["list", str(tmp_path / "none")]) == 2


def test_show(project, tmp_path, capsys):
    manifest = tmp_path / ".sets"
    manifest.write_text("[docs]\ninclude docs/*\n[code]\ninclude src/*\n")
    assert run(capsys, "show", str(manifest), project) == (
        0,
        ["[docs]", "docs/index.md", "[code]", "src/a.py"],
    )
    assert run(capsys, "show", str(manifest), project, "code") == (0, ["[code]", "src/a.py"])
    assert main(["show", str(manifest), project, "other"]) == 2
