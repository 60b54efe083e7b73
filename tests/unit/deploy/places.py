"""Where things are, and the rules as they are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[3]
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
GRAFANA = REPOSITORY / "deploy" / "grafana"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
RULE_TESTS = Path(__file__).parent / "rules"


@dataclass(frozen=True)
class Alert:
    """An alerting rule. Two may have one name and different severities."""

    name: str
    expr: str
    severity: str
    annotations: dict[str, str]

    @property
    def page(self) -> Path:
        """Its runbook."""
        return REPOSITORY / self.annotations["runbook_url"]


def _rules(file: str) -> list[dict[str, Any]]:
    document = yaml.safe_load((PROMETHEUS / file).read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[Alert]:
    """All alerts, as they stand in the file."""
    return [
        Alert(rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"])
        for rule in _rules("alerts.yml")
    ]


def recorded() -> dict[str, str]:
    """The expression of each recording rule by its name."""
    return {rule["record"]: rule["expr"] for rule in _rules("recording-rules.yml")}
