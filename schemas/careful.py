"""The careful way to read a document: by the declared types, part by part, saying where it does not fit.

`msgspec.convert` is many times as fast, so it comes first; this is for what it refuses or cannot see: a number
without a fraction counts as an integer, null as absent where the contract says so, and no id holds a control character
or has white space at an end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import inspect

from schemas import times
from schemas.events import MAX_TIME_MS, MIN_TIME_MS

_CONTROL = re.compile(r"[\u0000-\u001f\u007f-\u009f]")


class Mismatch(Exception):  # noqa: N818 - never seen outside: it becomes an InvalidEvent
    """Something else stands at `path` than what was `expected`."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(path, expected)
        self.path = path
        self.expected = expected


class Part(Protocol):
    """One place of a document, compiled from its type."""

    @property
    def expected(self) -> str:
        """What may stand here, in words."""

    def read(self, value: object, path: str) -> object:
        """The value as `msgspec.convert` takes it; raises Mismatch."""

    def known(self, value: Any) -> object:
        """Of a value that reads: the value as it was given, without its unknown fields (F9)."""


@dataclass(frozen=True, slots=True)
class _Scalar:
    expected: str

    def known(self, value: object) -> object:
        return value


@dataclass(frozen=True, slots=True)
class _Flag(_Scalar):
    def read(self, value: object, path: str) -> object:
        if isinstance(value, bool):
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Choice(_Scalar):
    choices: tuple[object, ...]

    def read(self, value: object, path: str) -> object:
        if isinstance(value, str) and value in self.choices:
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Integer(_Scalar):
    least: float
    most: float

    def read(self, value: object, path: str) -> object:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, int) and not isinstance(number, bool) and self.least <= number <= self.most:
            return number
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Time(_Integer):
    """A time, which many give in another unit than this contract's."""

    def read(self, value: object, path: str) -> object:
        try:
            # Of a zero-argument super() a dataclass with slots knows nothing.
            return _Integer.read(self, value, path)
        except Mismatch:
            raise Mismatch(path, self.expected + times.mistaken(value)) from None


@dataclass(frozen=True, slots=True)
class _Text(_Scalar):
    shortest: int
    longest: float

    def read(self, value: object, path: str) -> object:
        if isinstance(value, str) and self.shortest <= len(value) <= self.longest:
            try:
                value.encode()  # A lone surrogate: JSON is refused before, YAML can hold one.
            except UnicodeEncodeError:
                raise Mismatch(path, self.expected) from None
            return value
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Id(_Text):
    may_end_blank: bool

    def read(self, value: object, path: str) -> object:
        text = _Text.read(self, value, path)
        assert isinstance(text, str)  # noqa: S101
        if _CONTROL.search(text):
            raise Mismatch(path, self.expected)
        if text != text.strip() and not self.may_end_blank:
            raise Mismatch(path, f"{self.expected}; this one begins or ends with white space: strip it")
        return text


@dataclass(frozen=True, slots=True)
class _Nullable:
    part: Part

    @property
    def expected(self) -> str:
        return f"{self.part.expected}, or null"

    def read(self, value: object, path: str) -> object:
        if value is None:
            return None
        try:
            return self.part.read(value, path)
        except Mismatch:
            raise Mismatch(path, self.expected) from None

    def known(self, value: object) -> object:
        return value


@dataclass(frozen=True, slots=True)
class _List:
    item: Part
    expected: str = "an array"

    def read(self, value: object, path: str) -> object:
        if isinstance(value, list):
            return [self.item.read(item, f"{path}[{index}]") for index, item in enumerate(value)]
        raise Mismatch(path, self.expected)

    def known(self, value: list[object]) -> object:
        return [self.item.known(item) for item in value]


@dataclass(frozen=True, slots=True)
class _Row(_Scalar):
    items: tuple[Part, ...]

    def read(self, value: object, path: str) -> object:
        if isinstance(value, list) and len(value) == len(self.items):
            return [part.read(value[index], f"{path}[{index}]") for index, part in enumerate(self.items)]
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Map(_Scalar):
    key: Part
    item: Part

    def read(self, value: object, path: str) -> object:
        if not isinstance(value, dict):
            raise Mismatch(path, self.expected)
        # A key is the payload's own text, so the path cannot name it.
        place = f"{path}[...]"
        return {self.key.read(key, place): self.item.read(item, place) for key, item in value.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """An object with declared fields.

    Attributes:
        parts: the fields, in the order of their declaration, which is the order in which they are read.
        required: the names of those that must be there.
        null_is_absent: whether null in an optional field means that it is absent (section 1), or is a value (C2).
    """

    parts: Mapping[str, Part]
    required: frozenset[str]
    null_is_absent: bool
    expected: str = "an object"

    def read(self, value: object, path: str = "$") -> dict[str, object]:
        """The declared fields as `msgspec.convert` takes them; raises Mismatch."""
        if not isinstance(value, dict):
            raise Mismatch(path, self.expected)
        found = {}
        for name, part in self.parts.items():
            if name not in value:
                if name in self.required:
                    raise Mismatch(f"{path}.{name}", f"{part.expected}, but it is missing")
            elif value[name] is not None or name in self.required or not self.null_is_absent:
                found[name] = part.read(value[name], f"{path}.{name}")
        return found

    def known(self, value: dict[str, object]) -> dict[str, object]:
        """Of an object that reads: the declared fields as they were given, in the order given."""
        return {name: self.parts[name].known(item) for name, item in value.items() if name in self.parts}


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a document is read: see `Record` and `record`."""

    null_is_absent: bool
    stored: bool


def record(struct: type, *, null_is_absent: bool, stored: bool = False) -> Record:
    """Compile a struct of the contract; what was `stored` by an earlier version may have ids that end blank."""
    found = _part(inspect.type_info(struct), _Manner(null_is_absent, stored))
    if not isinstance(found, Record):
        raise TypeError(f"{struct} is no struct")
    return found


def _part(declared: inspect.Type, manner: _Manner, *, is_id: bool = False) -> Part:  # noqa: PLR0911 - one a type
    match declared:
        case inspect.Metadata(type=inspect.IntType(), extra={"unit": "ms"}):
            return _Time(times.EXPECTED, MIN_TIME_MS, MAX_TIME_MS)
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _part(inner, manner, is_id="pattern" in (extra or {}))
        case inspect.StructType(fields=fields):
            return Record(
                parts={field.name: _part(field.type, manner) for field in fields},
                required=frozenset(field.name for field in fields if field.required),
                null_is_absent=manner.null_is_absent,
            )
        case inspect.UnionType(types=types):
            (part,) = (_part(item, manner) for item in types if not isinstance(item, inspect.NoneType))
            return _Nullable(part) if any(isinstance(item, inspect.NoneType) for item in types) else part
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return _List(_part(item, manner))
        case inspect.TupleType(item_types=items):
            return _Row(f"an array of {len(items)}", tuple(_part(item, manner) for item in items))
        case inspect.DictType(key_type=key, value_type=item):
            return _Map("an object of ids", _part(key, manner), _part(item, manner))
        case inspect.LiteralType(values=values):
            return _Choice("one of " * (len(values) > 1) + ", ".join(map(str, values)), values)
        case inspect.BoolType():
            return _Flag("true or false")
        case inspect.IntType(ge=least, le=most):
            return _integer(least, most)
        case inspect.StrType(min_length=shortest, max_length=longest):
            return _text(shortest or 0, longest, is_id, manner)
        case _:
            raise TypeError(f"the contract has no way to read {declared}")


def _integer(least: int | None, most: int | None) -> _Integer:
    words = ["an integer"]
    if least is not None:
        words.append(f"from {least}")
    if most is not None:
        words.append(f"to {most}")
    return _Integer(" ".join(words), float("-inf") if least is None else least, float("inf") if most is None else most)


def _text(shortest: int, longest: int | None, is_id: bool, manner: _Manner) -> _Text:
    words = "a string"
    if longest is not None:
        words += f" of {shortest} to {longest} characters"
    most = float("inf") if longest is None else longest
    if not is_id:
        return _Text(words, shortest, most)
    words += " without control characters, and without white space at either end"
    return _Id(words, shortest, most, manner.stored)
