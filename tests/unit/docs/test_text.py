"""Links lead somewhere, and nothing stands alone."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.docs.documents import DOCS, DOCUMENTS, ROOT, anchors, name, prose, read

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(path: Path) -> list[str]:
    return [link for link in _LINK.findall(prose(path)) if "://" not in link]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links_lead_to_files_and_headings(path: Path) -> None:
    for link in links(path):
        place, _, anchor = unquote(link).partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


def test_every_document_is_found_from_the_readme() -> None:
    found: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            targets = [(path.parent / unquote(link).split("#")[0]).resolve() for link in links(path)]
            waiting += [target for target in targets if target.suffix == ".md"]
    assert sorted(map(name, DOCUMENTS)) == sorted(map(name, found))


@pytest.mark.parametrize("command", ["make demo", "make test"])
@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readmes_say_the_two_commands(readme: str, command: str) -> None:
    assert f"$ {command}\n" in read(readme)


@pytest.mark.parametrize("script", ["producer", "consumer"])
def test_the_readme_shows_the_examples_as_they_are(script: str) -> None:
    text = (DOCS / "examples" / f"{script}.py").read_text(encoding="utf-8")
    assert f"```python\n{text}```\n" in read("README.md")
