"""Where a program is missing, its tests are left out with the reason; in CI they fail."""

import pytest

from tests.unit.deploy.programs import find


def test_without_the_program_a_test_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install prometheus"):
        find("promtool", debian_package="prometheus")


def test_in_ci_it_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install prometheus"):
        find("promtool", debian_package="prometheus")
