import urllib.request
import uuid


def ask(name):
    with urllib.request.urlopen("http://127.0.0.1:8080/" + name, timeout=5) as answer:
        return int(answer.read())


def test_it_answers():
    assert ask("anything") >= 0


def test_it_counts():
    name = uuid.uuid4().hex
    assert [ask(name) for _ in range(3)] == [1, 2, 3]


def test_names_are_apart():
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    assert ask(one) == 1
    assert ask(other) == 1
    assert ask(one) == 2
