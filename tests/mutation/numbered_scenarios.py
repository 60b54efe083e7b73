"""The scenarios of tests/conformance under numbers: the mutation runner hands tests on by their ids, without spaces."""

import pytest

from tests.conformance.running import problems, run
from tests.conformance.test_scenarios import ROUTED


@pytest.mark.parametrize("number", range(len(ROUTED)))
def test_scenario(number: int) -> None:
    assert not problems(ROUTED[number], run(ROUTED[number]))
