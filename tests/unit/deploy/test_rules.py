"""The alerts: their expressions hold together, say who must do what, and fire when they should and not otherwise."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.deploy.exposition import Labels
from tests.unit.deploy.places import PROMETHEUS, REPOSITORY, RULE_TESTS, RUNBOOKS, Alert, alerts, recorded
from tests.unit.deploy.queries import metrics_of, mistakes

ALERTS = alerts()
EACH_ALERT = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
TESTS_OF_RULES = sorted(RULE_TESTS.glob("*.yml"))


def run(promtool: str, *arguments: str | Path) -> None:
    done = subprocess.run([promtool, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_in_the_rules(promtool: str) -> None:
    run(promtool, "check", "rules", PROMETHEUS / "recording-rules.yml", PROMETHEUS / "alerts.yml")


def test_the_example_configuration_is_valid_with_its_rules(promtool: str) -> None:
    run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.slow
@pytest.mark.parametrize("file", TESTS_OF_RULES, ids=lambda file: file.stem)
def test_it_fires_when_it_should(promtool: str, file: Path) -> None:
    run(promtool, "test", "rules", file)


@EACH_ALERT
def test_a_worker_exposes_what_it_reads(alert: Alert, known: dict[str, Labels]) -> None:
    assert mistakes(alert.expr, known) == []


@pytest.mark.parametrize("name", recorded())
def test_a_worker_exposes_what_is_recorded(name: str, known: dict[str, Labels]) -> None:
    assert mistakes(recorded()[name], known) == []


def test_mistakes_are_found(known: dict[str, Labels]) -> None:
    assert mistakes("rate(fenliu_evnts_total[5m])", known) == ["nobody exposes fenliu_evnts_total"]
    assert mistakes('fenliu_dead_letters_total{code="skew"}', known) == [
        "fenliu_dead_letters_total never has code=skew"
    ]
    assert mistakes('fenliu_partitions{shop="s"}', known) == ["fenliu_partitions has no label shop"]
    assert mistakes('fenliu_end_to_end_seconds_bucket{le="1"}', known) == [
        "fenliu_end_to_end_seconds_bucket never has le=1"
    ]
    assert mistakes("sum by (topic) (fenliu_pending_replies)", known) == ["no series here has the label topic"]


@EACH_ALERT
def test_it_says_what_is_wrong_and_where_to_read_on(alert: Alert) -> None:
    assert alert.severity in {"critical", "warning"}
    assert alert.annotations.keys() == {"summary", "description", "runbook_url"}
    assert len(alert.annotations["summary"]) < 100
    assert alert.page.parent == RUNBOOKS
    title, severities = alert.page.read_text(encoding="utf-8").split("\n\n")[:2]
    assert title == f"# {alert.name}"
    assert alert.severity in severities.lower()


def expectations() -> dict[tuple[str, str], list[list[dict[str, str]]]]:
    """By alert and severity: the labels of what fires, of every look at it."""
    looks: dict[tuple[str, str], list[list[dict[str, str]]]] = {}
    for file in TESTS_OF_RULES:
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for look in case["promql_expr_test"]:
                (name,) = re.findall(r'alertname="(\w+)"', look["expr"])
                fired = [_labels(sample) for sample in look["exp_samples"]]
                for severity in {alert.severity for alert in ALERTS if alert.name == name}:
                    of_severity = [labels for labels in fired if labels["severity"] == severity]
                    looks.setdefault((name, severity), []).append(of_severity)
    return looks


def _labels(sample: dict[str, Any]) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))


@EACH_ALERT
def test_a_rule_test_shows_it_firing_and_silent(alert: Alert) -> None:
    looks = expectations()[alert.name, alert.severity]
    assert [] in looks, "never silent"
    assert any(looks), "never firing"


@EACH_ALERT
def test_its_words_use_labels_that_it_has(alert: Alert) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
    for fired in expectations()[alert.name, alert.severity]:
        for labels in fired:
            assert used <= labels.keys()


def test_nothing_is_recorded_for_nobody() -> None:
    dashboards = "".join(file.read_text(encoding="utf-8") for file in (PROMETHEUS.parent / "grafana").glob("*.json"))
    asked = metrics_of(" ".join(alert.expr for alert in ALERTS) + dashboards)
    assert recorded().keys() - asked == set()
