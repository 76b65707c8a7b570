import hashlib
from pathlib import Path

SITE = Path("/srv/site")


def test_answer():
    assert (SITE / "answer.txt").read_text().strip() == "5"


def test_log_is_untouched():
    digest = hashlib.sha256((SITE / "access.log").read_bytes()).hexdigest()
    assert digest == "95c6cea58cff6c897b2b45a87406b56506dcb47dbeb811b85afd6d31245f439e"
