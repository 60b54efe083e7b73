"""The documents of the product, and what stands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPACES = re.compile(r"[^\w\- ]")
_ENDS_A_COMMAND = {"|", "||", "&&", ";", ">", ">>", "<", "&"}


class Fence(NamedTuple):
    """A fenced block: where it stands, its language, its text without indentation."""

    path: Path
    line: int
    language: str
    body: str

    def __str__(self) -> str:
        return f"{name(self.path)}:{self.line}"


def name(path: Path) -> str:
    """The path as people say it, with slashes on every system."""
    return path.relative_to(ROOT).as_posix()


def read(document: str) -> str:
    """A document by its path in the repository."""
    return (ROOT / document).read_text(encoding="utf-8")


def fences(*languages: str) -> list[Fence]:
    """The fenced blocks of some languages in all documents."""
    return [fence for path in DOCUMENTS for fence in _fences(path) if fence.language in languages]


def _fences(path: Path) -> Iterator[Fence]:
    text = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        body = "".join(line[indent:] if line.strip() else line for line in match["body"].splitlines(keepends=True))
        yield Fence(path, text.count("\n", 0, match.start()) + 1, match["language"], body)


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What a link to a heading of the document may say, as the hosting sites make it."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {_SPACES.sub("", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


def command_lines(text: str) -> Iterator[list[str]]:
    """The `fenliu` commands of shell lines, one list of words each, `fenliu` left out."""
    for line in text.splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in _ENDS_A_COMMAND:
                words.append(word)
                continue
            if words and Path(words[0]).name == "fenliu":
                yield words[1:]
            words = []


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading; its own heading line is left out."""
    after = text.split(f"{heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert rows is not None, heading
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[0].splitlines()]
    return cells[2:]


def code_names(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)
