from gleaner.ignorefile import IgnoreRules, IgnoreStack


def test_names_and_paths():
    rules = IgnoreRules.parse("*.o\n/top.txt\ndocs/*.tmp\n")
    assert rules.decide("a.o")
    assert rules.decide("a/b/c.o")
    assert rules.decide("top.txt")
    assert not rules.decide("a/top.txt")
    assert rules.decide("docs/x.tmp")
    assert not rules.decide("a/docs/x.tmp")


def test_comments_and_empty_lines():
    rules = IgnoreRules.parse("# objects\n\n  \n*.o\n\\#x\n")
    assert len(rules.rules) == 2
    assert rules.decide("#x")


def test_hidden_names():
    assert IgnoreRules.parse("*.swp").decide("a/.b.swp")


def test_the_last_rule_decides():
    rules = IgnoreRules.parse("*.log\n!keep.log\nold/keep.log\n")
    assert rules.decide("a.log") is True
    assert rules.decide("a/keep.log") is False
    assert rules.decide("old/keep.log") is True
    assert rules.decide("a.txt") is None


def test_directories_only():
    rules = IgnoreRules.parse("build/\n/docs/out/\n")
    assert rules.decide("a/build", is_dir=True) is True
    assert rules.decide("a/build") is None
    assert rules.decide("docs/out", is_dir=True) is True
    assert rules.decide("a/docs/out", is_dir=True) is None


def test_trailing_spaces_can_be_escaped():
    assert IgnoreRules.parse("a\\ ").decide("a ") is True
    assert IgnoreRules.parse("b  ").decide("b") is True


def test_rules_of_a_subdirectory():
    rules = IgnoreRules.parse("/a\nb\n", base="x/y")
    assert rules.decide("x/y/a") is True
    assert rules.decide("x/y/z/a") is None
    assert rules.decide("x/y/z/b") is True


def test_the_deepest_file_decides():
    stack = IgnoreStack().entered("*.log", "").entered(None, "a").entered("!b.log", "a/b")
    assert len(stack.files) == 2
    assert not stack.ignores("a/b/b.log", False)
    assert stack.ignores("a/b/c.log", False)
    assert not stack.ignores("a/b/c.txt", False)
