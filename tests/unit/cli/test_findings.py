"""Every finding of `fenliu check` says how to mend it."""

import ast
from pathlib import Path

import pytest

import streams
from streams.checks import check_all, check_settings
from streams.embedded import free_port
from streams.settings import Settings

KINDS = {"Problem": 1, "Finding": 4}
"""What a finding is made of, and the place of `mend` among its arguments."""


def made() -> list[tuple[str, ast.Call]]:
    """Every place where a finding is made."""
    directory = Path(streams.__file__).parent
    return [
        (f"{path.relative_to(directory)}:{node.lineno}", node)
        for path in sorted(directory.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS
    ]


MADE = made()


def test_they_are_found() -> None:
    assert len(MADE) > 15


@pytest.mark.parametrize(("place", "call"), MADE, ids=[place for place, _ in MADE])
def test_it_says_how_to_mend_it(place: str, call: ast.Call) -> None:  # noqa: ARG001  it names the test
    assert isinstance(call.func, ast.Name)
    given = {each.arg: each.value for each in call.keywords}
    mend = given.get("mend") or call.args[KINDS[call.func.id]]
    assert not (isinstance(mend, ast.Constant) and not mend.value), "what to do is left empty"


async def test_without_a_broker_each_of_them_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENLIU_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("FENLIU_APPID", "misspelt")
    monkeypatch.setattr("streams.kafka_clients.PATIENCE_S", 0.0)
    checks, unreachable = await check_all(Settings.load())
    assert unreachable is not None
    findings = [finding for check in checks for finding in check.findings]
    assert len(findings) == 2
    assert all(finding.what and finding.mend for finding in findings)


def test_a_misspelt_variable_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENLIU_TOPIC_PREFX", "x")
    (finding,) = check_settings(Settings.load()).findings
    assert "FENLIU_TOPIC_PREFX" in finding.what
    assert finding.mend
