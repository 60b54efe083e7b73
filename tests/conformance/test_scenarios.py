"""Every scenario of the rule table, run as its file says it (README.md)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from schemas.decisions import Outcome
from tests.conformance.notation import Scenario, load
from tests.conformance.running import merge_problems, problems, run

SCENARIOS: list[Scenario] = [
    scenario for path in sorted(Path(__file__).with_name("scenarios").glob("*.yaml")) for scenario in load(path)
]

RULES = [
    *(f"L{number}" for number in range(1, 12)),
    *(f"C{number}" for number in range(1, 4)),
    *(f"Q{number}" for number in range(9)),
    *(f"P{number}" for number in range(7)),
    "R1",
    "R2",
    *(f"S{number}" for number in range(1, 6)),
    *(f"T{number}" for number in range(1, 7)),
    *(f"O{number}" for number in range(1, 6)),
    *(f"X{number}" for number in range(1, 4)),
    *(f"F{number}" for number in range(1, 11)),
    *(f"Y{number}" for number in range(1, 17)),
]

RUNGS = {
    "addressed_agent", "addressed_agent_offline", "robot_when_unattended", "leave_message", "recent_contact",
    "dedicated_agent", "robot_first", "group_robot", "group_share", "group_fallback", "random_online", "page_share",
    "offline_receiver", "queue",
}  # fmt: skip

ROUTED = [scenario for scenario in SCENARIOS if not scenario.merge]
MERGED = [scenario for scenario in SCENARIOS if scenario.merge]


@pytest.mark.parametrize("scenario", ROUTED, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    differences = problems(scenario, run(scenario))
    assert not differences, _report(scenario, differences)


@pytest.mark.parametrize("scenario", MERGED, ids=lambda scenario: scenario.name)
def test_merge(scenario: Scenario) -> None:
    differences = merge_problems(scenario.merge)
    assert not differences, _report(scenario, differences)


def test_o5_with_another_order_of_hashes_every_scenario_gives_the_same() -> None:
    program = (
        "from tests.conformance.test_scenarios import ROUTED, run\n"
        "for scenario in ROUTED: print(scenario.name, run(scenario).outputs)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout.splitlines()
        for seed in ("1", "2")
    )
    assert len(first) == len(ROUTED)
    assert first == second


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(set(names))


def test_every_rule_has_a_scenario() -> None:
    shown = {rule for scenario in SCENARIOS for rule in scenario.rules}
    assert [rule for rule in RULES if rule not in shown] == []


def test_every_outcome_and_rung_occurs() -> None:
    pairs: set[tuple[str, str]] = set()
    for scenario in SCENARIOS:
        for expected in scenario.expect:
            pairs.update(expected.trace_has)
            pairs.update((rung, outcome) for rung, outcome in expected.fields.get("trace", ()))
    assert {outcome for _, outcome in pairs} == set(get_args(Outcome))
    assert {rung for rung, outcome in pairs if outcome == "taken"} == RUNGS


def _report(scenario: Scenario, differences: list[str]) -> str:
    head = f"{scenario.file}:{scenario.line}: {scenario.name} ({', '.join(scenario.rules)})"
    return "\n".join([head, *differences])
