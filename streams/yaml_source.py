"""YAML read as JSON would be, remembering on which line everything stands. It knows nothing of shops."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from streams.errors import UsageError

MAX_PARTS = 1_000_000
"""So many values a document may have once its aliases are followed; aliases of aliases make a few lines endless."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": (r"~|null|", ["~", "n", ""]),
    "bool": (r"true|false", ["t", "f"]),
    "int": (r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    "float": (r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
    "merge": (r"<<", ["<"]),
}
_STEP = re.compile(r"(\.[^.\[\]]+|\[[^\]]*\])$")


class _Loader(yaml.SafeLoader):
    """Plain scalars mean what they mean in JSON: `no`, `010` and `2024-01-01` are strings, as ids of agents may be."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  PyYAML's own way to say it


for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"({_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """Quotes a string that either version of YAML would take for something else: `no`, `010`, and `1e3`."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A string."""
        mistaken = any(re.fullmatch(pattern, text) for pattern, _ in _SCALARS.values())
        return self.represent_scalar(f"{_TAG}str", text, style="'" if mistaken else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def dump_yaml(value: object) -> str:
    """Write what JSON has as YAML that `parse_yaml` reads as the same."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False)


@dataclass(frozen=True, slots=True)
class YamlSource:
    """A YAML document: `value` made of what JSON has, and the line of every part of it."""

    name: str
    value: object
    lines: dict[str, int] = field(repr=False)

    def line(self, path: str) -> int:
        """The line of a JSON path such as `$[0].agents[2].weight`; if nothing stands there, of what it would be in."""
        while path not in self.lines and _STEP.search(path):
            path = _STEP.sub("", path)
        return self.lines.get(path, 1)

    def at(self, path: str) -> str:
        """The place of a path as editors and compilers write it: `FILE:LINE`."""
        return f"{self.name}:{self.line(path)}"


def read_yaml(path: Path) -> YamlSource:
    """Read a file, `-` being standard input.

    Raises:
        UsageError: if it cannot be read or is not YAML; with the line.
    """
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot be read: {exc.strerror}", where=str(path)) from None
    return parse_yaml(content, name="standard input" if str(path) == "-" else str(path))


def parse_yaml(content: bytes, *, name: str) -> YamlSource:
    """Parse one YAML document; `name` stands in errors.

    Raises:
        UsageError: if it is not YAML, or has what JSON has not; with the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise UsageError("this is not UTF-8", where=f"{name}:{line}", mend="save the file as UTF-8") from None
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            reader = _Reader(loader, name)
            value = None if node is None else reader.read(node, "$")
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise UsageError(f"this is not YAML: {exc.problem or exc.context}", where=where) from None
    except yaml.reader.ReaderError as exc:
        line = text[: exc.position].count("\n") + 1
        raise UsageError(f"this is not YAML: {exc.reason}", where=f"{name}:{line}") from None
    except RecursionError:
        raise UsageError("this is nested too deep", where=name) from None
    return YamlSource(name, value, reader.lines)


class _Reader:
    """Makes values of nodes, writing down their lines."""

    def __init__(self, loader: _Loader, name: str) -> None:
        self._loader = loader
        self._name = name
        self._parts = 0
        self._open: set[int] = set()
        self.lines: dict[str, int] = {}

    def read(self, node: yaml.Node, path: str) -> object:
        """The value of a node that stands at `path`."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise self._refuse(node, "its aliases make too much of it")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._refuse(node, "an alias stands within what it names")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)  # noqa: S101  there are three kinds of nodes
            return dict(self._items(node, path))
        finally:
            self._open.discard(id(node))

    def _items(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, object]]:
        self._refuse_duplicates(node)
        self._loader.flatten_mapping(node)
        # What `<<` brings comes first, and what is given beside it takes its place.
        for key, value in {self._key(key): (key, value) for key, value in node.value}.values():
            place = f"{path}.{self._key(key)}"
            self.lines[place] = key.start_mark.line + 1
            yield self._key(key), self.read(value, place)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refuse(node, "a name must be a string")
        return str(node.value)

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            name = self._key(key)
            if name in seen:
                raise self._refuse(key, "this name stands here a second time")
            seen.add(name)

    def _scalar(self, node: yaml.ScalarNode) -> object:
        text = node.value
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool" if text in ("true", "false"):
                return bool(text == "true")
            case "int" if len(text) < 40 and re.fullmatch(_SCALARS["int"][0], text):
                return int(text)
            case "float" | "int" if re.fullmatch(_SCALARS["float"][0], text):
                return float(text)
            case "str" | "merge":
                return text
            case _:
                raise self._refuse(node, "JSON has no such value: use strings, numbers, true, false, null")

    def _refuse(self, node: yaml.Node, what: str) -> UsageError:
        return UsageError(what, where=f"{self._name}:{node.start_mark.line + 1}")
