"""The careful way to read a document: by the declared types, part by part, saying where it does not fit.

`msgspec.convert` is many times as fast, so it comes first; this is for what it refuses or cannot see: a number
without a fraction counts as an integer, null as absent where the contract says so, and no id holds a control character
or has white space at an end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import inspect

from schemas import times
from schemas.events import MAX_TIME_MS, MIN_TIME_MS
from schemas.scalars import Choice, Flag, Id, Integer, Mismatch, Nullable, Part, Scalar, Text, Time

__all__ = ["UNFIT", "Mismatch", "Record", "record"]

UNFIT: Final = object()
"""Stands for what does not fit, where the reading goes on behind it."""


@dataclass(frozen=True, slots=True)
class _List:
    item: Part
    expected: str = "an array"

    def read(self, value: object, path: str, found: list[Mismatch] | None = None) -> object:
        if isinstance(value, list):
            return [_inner(self.item, item, f"{path}[{index}]", found) for index, item in enumerate(value)]
        raise Mismatch(path, self.expected)

    def known(self, value: list[object]) -> object:
        return [self.item.known(item) for item in value]

    def unknown(self, value: object, path: str) -> Iterator[str]:
        if isinstance(value, list) and isinstance(self.item, Record):
            for index, item in enumerate(value):
                yield from self.item.unknown(item, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class _Row(Scalar):
    items: tuple[Part, ...]

    def read(self, value: object, path: str) -> object:
        if isinstance(value, list) and len(value) == len(self.items):
            return [part.read(value[index], f"{path}[{index}]") for index, part in enumerate(self.items)]
        raise Mismatch(path, self.expected)


@dataclass(frozen=True, slots=True)
class _Map(Scalar):
    key: Part
    item: Part

    def read(self, value: object, path: str, found: list[Mismatch] | None = None) -> object:
        if not isinstance(value, dict):
            raise Mismatch(path, self.expected)
        # A key is the payload's own text, so the path cannot name it.
        place = f"{path}[...]"
        return {
            _inner(self.key, key, place, found): _inner(self.item, item, place, found) for key, item in value.items()
        }


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

    def read(self, value: object, path: str = "$", found: list[Mismatch] | None = None) -> dict[str, object]:
        """The declared fields as `msgspec.convert` takes them; raises Mismatch.

        With a list for what is `found` amiss the reading goes on behind a mismatch within, which is UNFIT.
        """
        if not isinstance(value, dict):
            raise Mismatch(path, self.expected)
        read = {}
        for name, part in self.parts.items():
            if name not in value:
                if name in self.required:
                    missing = Mismatch(f"{path}.{name}", f"{part.expected}, but it is missing")
                    if found is None:
                        raise missing
                    found.append(missing)
            elif value[name] is not None or name in self.required or not self.null_is_absent:
                read[name] = _inner(part, value[name], f"{path}.{name}", found)
        return read

    def known(self, value: dict[str, object]) -> dict[str, object]:
        """Of an object that reads: the declared fields as they were given, in the order given."""
        return {name: self.parts[name].known(item) for name, item in value.items() if name in self.parts}

    def unknown(self, value: object, path: str = "$") -> Iterator[str]:
        """Of any value: the paths of fields that are not declared, however deep."""
        for name, item in value.items() if isinstance(value, dict) else ():
            part = self.parts.get(name)
            if part is None:
                yield f"{path}.{name}"
            elif isinstance(part, Record | _List):
                yield from part.unknown(item, f"{path}.{name}")


def _inner(part: Part, value: object, path: str, found: list[Mismatch] | None) -> object:
    """Read what stands within an object or array."""
    if found is None:
        return part.read(value, path)
    try:
        return part.read(value, path, found) if isinstance(part, Record | _List | _Map) else part.read(value, path)
    except Mismatch as mismatch:
        found.append(mismatch)
        return UNFIT


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
            return Time(times.EXPECTED, MIN_TIME_MS, MAX_TIME_MS)
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
            return Nullable(part) if any(isinstance(item, inspect.NoneType) for item in types) else part
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return _List(_part(item, manner))
        case inspect.TupleType(item_types=items):
            return _Row(f"an array of {len(items)}", tuple(_part(item, manner) for item in items))
        case inspect.DictType(key_type=key, value_type=item):
            return _Map("an object of ids", _part(key, manner), _part(item, manner))
        case inspect.LiteralType(values=values):
            return Choice("one of " * (len(values) > 1) + ", ".join(map(str, values)), values)
        case inspect.BoolType():
            return Flag("true or false")
        case inspect.IntType(ge=least, le=most):
            return _integer(least, most)
        case inspect.StrType(min_length=shortest, max_length=longest):
            return _text(shortest or 0, longest, is_id, manner)
        case _:
            raise TypeError(f"the contract has no way to read {declared}")


def _integer(least: int | None, most: int | None) -> Integer:
    words = ["an integer"]
    if least is not None:
        words.append(f"from {least}")
    if most is not None:
        words.append(f"to {most}")
    return Integer(" ".join(words), float("-inf") if least is None else least, float("inf") if most is None else most)


def _text(shortest: int, longest: int | None, is_id: bool, manner: _Manner) -> Text:
    words = "a string"
    if longest is not None:
        words += f" of {shortest} to {longest} characters"
    most = float("inf") if longest is None else longest
    if not is_id:
        return Text(words, shortest, most)
    words += " without control characters, and without white space at either end"
    return Id(words, shortest, most, manner.stored)
