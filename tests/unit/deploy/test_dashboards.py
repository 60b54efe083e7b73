"""The dashboards: what they ask for is there, each panel says what it shows, source and application can be chosen."""

import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.deploy.exposition import Labels
from tests.unit.deploy.places import GRAFANA
from tests.unit.deploy.queries import METRIC, mistakes

FILES = sorted(GRAFANA.glob("*.json"))
EACH_DASHBOARD = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {"none", "short", "s", "cps", "percentunit"}
"""Of Grafana's names, those that fit base units."""


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def panels(file: Path) -> list[dict[str, Any]]:
    """All but the headings."""
    return [panel for panel in read(file)["panels"] if panel["type"] != "row"]


def variables(file: Path) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in read(file)["templating"]["list"]}


def expressions(file: Path) -> list[str]:
    """Every expression of a dashboard, of panels and annotations, with variables put in as Grafana would."""
    found = [target["expr"] for panel in panels(file) for target in panel["targets"]]
    found += [annotation["expr"] for annotation in read(file)["annotations"]["list"]]
    return [expr.replace("$__rate_interval", "1m").replace("$__range", "6h") for expr in found]


def test_there_is_one_for_operations_and_one_for_a_shop() -> None:
    assert [file.name for file in FILES] == ["operations.json", "shop.json"]


def test_they_are_what_build_py_writes() -> None:
    lines = (GRAFANA / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    now = {
        file.name: sha256(file.read_bytes()).hexdigest()
        for file in GRAFANA.iterdir()
        if file.suffix in {".py", ".json", ".txt"}
    }
    assert now == sums, "run deploy/grafana/build.py and commit what it writes"


@EACH_DASHBOARD
def test_every_expression_parses(file: Path, promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"r{place}", "expr": expr} for place, expr in enumerate(expressions(file))]
    document = tmp_path / "rules.yml"
    document.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run([promtool, "check", "rules", document], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


@EACH_DASHBOARD
def test_a_worker_exposes_what_it_shows(file: Path, known: dict[str, Labels]) -> None:
    assert [problem for expr in expressions(file) for problem in mistakes(expr, known)] == []


@EACH_DASHBOARD
def test_every_panel_says_what_it_shows_and_in_which_unit(file: Path) -> None:
    for panel in panels(file):
        assert panel["title"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]


@EACH_DASHBOARD
def test_source_and_application_can_be_chosen(file: Path) -> None:
    chosen = variables(file)
    assert chosen["datasource"]["type"] == "datasource"
    assert chosen["datasource"]["query"] == "prometheus"
    assert "job" in chosen
    for panel in panels(file):
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [
            SOURCE,
            *[SOURCE] * len(panel["targets"]),
        ]
    for expr in expressions(file):
        for match in METRIC.finditer(expr):
            assert 'job="$job"' in (match[1] or ""), expr


@EACH_DASHBOARD
def test_choices_are_offered_from_labels_that_exist(file: Path, known: dict[str, Labels]) -> None:
    for variable in variables(file).values():
        if variable["type"] != "query":
            continue
        asked = re.fullmatch(r"label_values\((\w+)(?:\{[^}]*\})?, (\w+)\)", variable["query"])
        assert asked is not None, variable["query"]
        assert asked[2] in known[asked[1]].keys() | {"job", "instance"}
        assert variable["datasource"] == SOURCE


@EACH_DASHBOARD
def test_only_variables_that_can_be_chosen_are_used(file: Path) -> None:
    used = {name for expr in expressions(file) for name in re.findall(r"\$(\w+)", expr)}
    assert used <= variables(file).keys()


@EACH_DASHBOARD
def test_series_are_named_by_labels_that_they_have(file: Path) -> None:
    for panel in panels(file):
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            grouped = {
                label.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(",")
            }
            of_instance = {"instance"} if target["expr"].startswith("instance:") else set()
            assert named <= grouped | of_instance, panel["title"]


@EACH_DASHBOARD
def test_no_panel_covers_another(file: Path) -> None:
    ids: set[int] = set()
    taken: set[tuple[int, int]] = set()
    for panel in read(file)["panels"]:
        ids.add(panel["id"])
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len(ids) == len(read(file)["panels"])
