import pytest

from quire.accounts import check_account, child_of, is_below, lineage, parent
from quire.errors import AccountError


def test_good_names():
    assert check_account("expenses:rent:studio-2") == "expenses:rent:studio-2"


@pytest.mark.parametrize(
    "name",
    ["", "cash", "assets:", "assets::bank", "assets:Bank", "expenses:-x"],
    ids=["empty", "no-root", "trailing", "double-colon", "upper", "dash-first"],
)
def test_bad_names(name):
    with pytest.raises(AccountError):
        check_account(name)


def test_parent_and_lineage():
    assert parent("assets:bank:main") == "assets:bank"
    assert parent("assets") is None
    assert list(lineage("assets:bank:main")) == ["assets", "assets:bank", "assets:bank:main"]


def test_is_below_respects_parts():
    assert is_below("assets:bank", "assets:bank")
    assert is_below("assets:bank:x", "assets:bank")
    assert not is_below("assets:bankroll", "assets:bank")


def test_child_of():
    assert child_of("expenses:rent:studio:desk", "expenses:rent") == "expenses:rent:studio"
    assert child_of("expenses:rent", "expenses:rent") == "expenses:rent"
    with pytest.raises(AccountError):
        child_of("assets:bank", "expenses")
