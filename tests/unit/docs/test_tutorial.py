"""What the tutorial shows is what one sees who follows it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from tests.unit.docs.documents import DOCS, fences, read

TUTORIAL = read("docs/tutorial.md")
_SHOWN = re.compile(r'"assignment_id":"[^"]*"|"target":{[^}]*}|"rule":"[^"]*"|"target_presence":"[^"]*"')


def replayed(*arguments: str) -> list[str]:
    result = CliRunner().invoke(main, ["replay", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def in_short(assignments: list[str]) -> list[str]:
    """The four fields that `grep -o … | paste - - - -` keeps."""
    return ["\t".join(_SHOWN.findall(line)) for line in assignments]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what the tutorial copies and writes."""
    shop = (DOCS / "examples" / "shop.yaml").read_text(encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(shop, encoding="utf-8")
    (tmp_path / "shop-b.yaml").write_text(shop.replace("小丽, weight: 100", "小丽, weight: 300"), encoding="utf-8")
    rescue = next(fence.body for fence in fences("yaml") if fence.path.name == "tutorial.md" and "rescue" in fence.body)
    (tmp_path / "shop-c.yaml").write_text(rescue, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


MORNING = str(DOCS / "examples" / "morning.jsonl")


@pytest.mark.parametrize("file", ["shop.yaml", "morning.jsonl"])
def test_the_files_are_shown_as_they_are(file: str) -> None:
    text = (DOCS / "examples" / file).read_text(encoding="utf-8")
    assert f"\n{text}```\n" in TUTORIAL


def test_the_first_check_of_a_shop(place: Path) -> None:  # noqa: ARG001  it is the working directory
    said = CliRunner().invoke(main, ["config", "check", "shop.yaml"])
    assert f"$ fenliu config check shop.yaml\n{said.stdout}```\n" in TUTORIAL


def test_the_morning_and_its_traces(place: Path) -> None:  # noqa: ARG001  it is the working directory
    assignments = replayed("--shops", "shop.yaml", MORNING)
    assert "\n".join(in_short(assignments)) + "\n```" in TUTORIAL
    traces = [re.findall(r'"trace":.*\]\]', line)[0] for line in assignments]
    assert "\n".join(traces[-2:]) + "\n```" in TUTORIAL


def test_what_the_router_believed(place: Path) -> None:  # noqa: ARG001
    decisions = replayed("--presence", "--shops", "shop.yaml", MORNING)
    assert "\n".join(line for line in decisions if "agent_presence" in line and "offline" in line) + "\n```" in TUTORIAL


def test_another_weight(place: Path) -> None:  # noqa: ARG001
    assert "\n".join(in_short(replayed("--shops", "shop-b.yaml", MORNING))[:4]) + "\n```" in TUTORIAL


def test_a_rescue(place: Path) -> None:  # noqa: ARG001
    assert "\n".join(in_short(replayed("--shops", "shop-c.yaml", MORNING))[-3:]) + "\n```" in TUTORIAL
