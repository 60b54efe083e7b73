"""Mappings of a scenario file that know their file and line, and how the notation writes times."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

START_MS = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
"""What `at: 0s` means: Monday 2 March 2026, 00:00 UTC."""

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_TERM = re.compile(r"([+-]?)(\d+)(ms|[dhms])")


class NotationError(Exception):
    """A scenario file says something that the notation does not have; the message names file, line and word."""


class Entry(dict[str, Any]):
    """A mapping of a scenario file that knows where it stands."""

    file: str
    line: int

    def fail(self, problem: str) -> NotationError:
        return NotationError(f"{self.file}:{self.line}: {problem}")

    def check_words(self, allowed: set[str]) -> None:
        if unknown := sorted(set(self) - allowed):
            raise self.fail(f"unknown word {unknown[0]!r}; known here: {', '.join(sorted(allowed))}")

    def take(self, word: str, kind: type | tuple[type, ...]) -> Any:
        if word not in self:
            raise self.fail(f"{word!r} is missing")
        if not isinstance(self[word], kind) or (isinstance(self[word], bool) and kind is int):
            raise self.fail(f"{word!r} has a value of the wrong kind: {self[word]!r}")
        return self[word]

    def instant(self, word: str) -> int:
        return START_MS + self.duration(word)

    def duration(self, word: str) -> int:
        try:
            return duration_ms(self.take(word, str))
        except ValueError as error:
            raise self.fail(f"{word!r}: {error}") from None


class _Loader(yaml.SafeLoader):
    """Safe YAML whose mappings know their line and have no key twice."""


def _entry(loader: _Loader, node: yaml.MappingNode) -> Entry:
    entry = Entry()
    entry.file, entry.line = Path(loader.name).name, node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in entry:
            raise entry.fail(f"{key!r} is no word, or stands twice")
        entry[key] = loader.construct_object(value_node, deep=True)
    return entry


_Loader.add_constructor("tag:yaml.org,2002:map", _entry)


def duration_ms(text: str) -> int:
    """Milliseconds of `90s`, `1h30m`, `72h+1ms` or `2m-1ms`.

    Raises:
        ValueError: the text is no such sum.
    """
    total, end = 0, 0
    for term in _TERM.finditer(text):
        if term.start() != end:
            break
        end = term.end()
        total += (-1 if term[1] == "-" else 1) * int(term[2]) * _UNITS_MS[term[3]]
    if not text or end != len(text):
        raise ValueError(f"{text!r} is no time such as 0s, 90s, 1h30m, 72h+1ms or 2m-1ms")
    return total


def read_entries(path: Path) -> list[Entry]:
    """The mappings of a file that is a list of mappings.

    Raises:
        NotationError: it is something else.
    """
    with path.open("rb") as stream:
        try:
            document = yaml.load(stream, _Loader)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as error:
            raise NotationError(f"{path.name}: {error}") from error
    if not isinstance(document, list) or not all(isinstance(entry, Entry) for entry in document):
        raise NotationError(f"{path.name}:1: a scenario file is a list of scenarios")
    return document
