"""Which name somebody may have meant."""

import pytest

from streams.names import do_you_mean


@pytest.mark.parametrize(
    ("name", "names", "guess"),
    [
        ("小莉", ["阿强", "小丽"], "; do you mean 小丽?"),
        ("小莉", ["小美", "小丽", "阿强"], "; do you mean 小丽 or 小美?"),
        ("order_status", ["order_state", "entry_page"], "; do you mean order_state?"),
        ("sub-account-0009", ["sub-account-009", "sub-account-109"], "; do you mean sub-account-009?"),
        ("weather", ["order_state", "entry_page"], ""),
        ("小莉", [], ""),
    ],
)
def test_the_nearest_is_asked_for_and_of_equals_each(name: str, names: list[str], guess: str) -> None:
    assert do_you_mean(name, names) == guess
