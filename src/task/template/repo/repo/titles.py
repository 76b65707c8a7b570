"""Titles of articles."""


def title(text):
    """The text as a title: every word capitalised, spaces as they are."""
    return " ".join(word.capitalize() for word in text.split(" "))
