"""What a PromQL expression asks for, as far as a test of names must know it. Whether it parses, promtool says."""

import re
from collections.abc import Mapping

from tests.unit.deploy.exposition import Labels

METRIC = re.compile(r"\b(?:fenliu_[a-z0-9_]+|(?:job|instance):[a-z0-9_:]+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")

OF_TARGET = {"job", "instance"}
"""Prometheus gives these to every series; every expression may ask for them."""
OPEN = {"partition", "shop", "agent", "version"}
"""Labels whose values are not known beforehand."""


def metrics_of(expr: str) -> set[str]:
    """The names of the series that an expression reads."""
    return {match[0].split("{")[0] for match in METRIC.finditer(expr)}


def mistakes(expr: str, known: Mapping[str, Labels]) -> list[str]:
    """Series, labels and label values that nobody exposes; in words."""
    found = []
    labels: dict[str, set[str]] = {name: set() for name in OF_TARGET}
    for match in METRIC.finditer(expr):
        name = match[0].split("{")[0]
        if name not in known:
            found.append(f"nobody exposes {name}")
            continue
        labels |= known[name]
        for label, operator, value in MATCHER.findall(match[1] or ""):
            if label in OF_TARGET:
                continue
            if label not in known[name]:
                found.append(f"{name} has no label {label}")
            elif operator == "=" and label not in OPEN and value not in known[name][label]:
                found.append(f"{name} never has {label}={value}")
    asked = {label.strip() for group in GROUPING.findall(expr) for label in group.split(",") if label.strip()}
    return found + [f"no series here has the label {label}" for label in sorted(asked - labels.keys())]


def with_recorded(known: Mapping[str, Labels], recorded: Mapping[str, str]) -> dict[str, Labels]:
    """Add what the recording rules make, and what Prometheus itself says of a target."""
    made: dict[str, Labels] = {"up": {}}
    for name in recorded:
        made[name] = {label: set() for label in OF_TARGET if label == "job" or name.startswith("instance:")}
    return {**known, **made}
