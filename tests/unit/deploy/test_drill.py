"""The drills: one for each runbook, with commands that are filled in as an operator would."""

import pytest

from tests.drill.runbook import Placeholders, commands
from tests.drill.scenes import SCENES
from tests.unit.deploy.places import RUNBOOKS, alerts

WORDS = Placeholders(worker="127.0.0.1:18080", kafka="127.0.0.1:19092", app_id="app", prefix="p-", pid=17)


def test_every_runbook_has_its_drill() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md") if page.name != "README.md"}
    assert {scene.page for scene in SCENES} == pages
    assert {(scene.page, scene.alert) for scene in SCENES} == {(alert.page.stem, alert.name) for alert in alerts()}
    assert {(scene.alert, scene.severity) for scene in SCENES} <= {(alert.name, alert.severity) for alert in alerts()}


@pytest.mark.parametrize("page", sorted(scene.page for scene in SCENES))
def test_no_placeholder_is_left(page: str) -> None:
    lines = [WORDS.filled(line) for line in commands(page)]
    assert lines
    for line in lines:
        if not line.startswith("kubectl"):
            assert not any(word in line.split() for word in ("PID", "FILE", "SHOP", "POD"))
            assert "WORKER" not in line
            assert "KAFKA:" not in line
            assert "--group fenliu" not in line
