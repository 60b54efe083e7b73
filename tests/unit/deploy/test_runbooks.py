"""The runbooks: one for each alert, with commands that exist and links that lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from streams.cli import main
from tests.unit.deploy.exposition import exposed
from tests.unit.deploy.places import RUNBOOKS, alerts

PAGES = sorted(file for file in RUNBOOKS.glob("*.md") if file.name != "README.md")
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
SECTIONS = ["What it means", "How to see it", "What to do"]


def test_every_page_is_of_an_alert_and_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"\[(Fenliu\w+)\]\((\S+)\)", index)) == {alert.name: alert.page.name for alert in alerts()}
    assert {alert.page for alert in alerts()} == set(PAGES)


@EACH_PAGE
def test_a_page_has_the_three_sections(page: Path) -> None:
    assert re.findall(r"(?m)^## (.+)$", page.read_text(encoding="utf-8")) == SECTIONS


@EACH_PAGE
def test_its_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).is_file(), link


def commands() -> Iterator[str]:
    """Every line that calls fenliu, up to a pipe."""
    for page in PAGES:
        for line in re.findall(r"(?m)^ *\$ (fenliu .+)$", page.read_text(encoding="utf-8")):
            yield line.split("|")[0].strip()


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_of_fenliu_is_one(line: str) -> None:
    """Click reads it to the last option, and nothing is run."""
    words, command, context = shlex.split(line)[1:], main, click.Context(main)
    current: click.Command = command
    while isinstance(current, click.Group):
        found = current.get_command(context, words[0])
        assert found is not None, words[0]
        current, words = found, words[1:]
    current.make_context(current.name, words)


def metrics_named(text: str) -> Iterator[str]:
    """Every metric that a page names, also as alternatives of a grep; it may stop short of a suffix."""
    for start, alternatives, end in re.findall(r"\b(fenliu_\w*)(?:\(([a-z_|]+)\)(\w*))?", text):
        yield from (start + each + end for each in alternatives.split("|"))


@EACH_PAGE
def test_the_metrics_it_names_are_exposed(page: Path) -> None:
    for name in metrics_named(page.read_text(encoding="utf-8")):
        assert any(known.startswith(name) for known in exposed()), name
