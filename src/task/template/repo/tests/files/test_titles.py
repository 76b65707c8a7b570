from titles import title


def test_small_words_stay_small():
    assert title("the return of the native") == "The Return of the Native"
    assert title("a tale OF two cities") == "A Tale of Two Cities"


def test_the_first_and_the_last_word_are_capitalised():
    assert title("of mice and men") == "Of Mice and Men"
    assert title("what it is made of") == "What It Is Made Of"
    assert title("the") == "The"


def test_hyphens_join_words():
    assert title("a state-of-the-art report") == "A State-of-the-Art Report"
    assert title("the state-of") == "The State-Of"


def test_words_are_capitalised():
    assert title("war stories") == "War Stories"
    assert title("WAR  stories") == "War  Stories"


def test_nothing_stays_nothing():
    assert title("") == ""
    assert title("  ") == "  "
