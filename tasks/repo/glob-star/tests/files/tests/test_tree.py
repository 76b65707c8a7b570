from gleaner.tree import DiskTree, Entry, VirtualTree, join


def test_join():
    assert join("", "a") == "a"
    assert join("a/b", "c") == "a/b/c"


def test_virtual_tree():
    tree = VirtualTree(["b.txt", "a/c.txt", "a/d/e.txt"])
    assert tree.list("") == [Entry("a", True), Entry("b.txt", False)]
    assert tree.list("a") == [Entry("c.txt", False), Entry("d", True)]
    assert tree.listed == ["", "a"]


def test_virtual_tree_reads():
    tree = VirtualTree({"a/b.txt": "hello"})
    assert tree.read("a/b.txt") == "hello"
    assert tree.read("a") is None
    assert tree.read("c") is None


def test_disk_tree(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("hello")
    (tmp_path / "link").symlink_to("a")
    tree = DiskTree(tmp_path)
    assert tree.list("") == [Entry("a", True), Entry("link", False)]
    assert tree.list("a") == [Entry("b.txt", False)]
    assert tree.read("a/b.txt") == "hello"
    assert tree.read("a") is None
    assert tree.read("a/c.txt") is None
