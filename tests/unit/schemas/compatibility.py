"""What a change of a JSON Schema breaks, in words.

Producers wrote by the old schema of an input: the new one may not refuse what the old one took, nor mean something else
by it. Consumers read by the old schema of an output: the new one may not promise less.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, Literal

Direction = Literal["input", "output"]
Schema = dict[str, Any]

_KINDS: Final = {str: "string", bool: "boolean", type(None): "null", int: "integer", float: "number"}
# Of an input, a bound may only move outwards.
_LOWER: Final = ("minimum", "minLength", "minItems")
_UPPER: Final = ("maximum", "maxLength", "maxItems")
_FIXED: Final = ("pattern", "uniqueItems", "const")
_CONDITIONS: Final = ("allOf", "if", "then", "propertyNames")


def breaks(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """Every way in which `new` breaks those who hold to `old`; empty if none."""
    return list(_breaks("$", _resolved(old, old), _resolved(new, new), direction))


def _resolved(part: Any, root: Schema) -> Any:
    """The schema without references and without what is only told."""
    if isinstance(part, list):
        return [_resolved(item, root) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target = root["$defs"][part["$ref"].removeprefix("#/$defs/")]
        part = target | {key: value for key, value in part.items() if key != "$ref"}
    # A property may be called `description`; that one is a schema.
    return {
        key: _resolved(value, root)
        for key, value in part.items()
        if not (key in ("description", "$comment") and isinstance(value, str)) and key != "$defs"
    }


def _breaks(path: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    kinds_old, kinds_new = _kinds(old), _kinds(new)
    if kinds_old != kinds_new and not (kinds_old < kinds_new and direction == "input"):
        yield f"{path} was {_words(kinds_old)} and is {_words(kinds_new)}"
        return
    yield from _values(path, old, new, direction)
    yield from _bounds(path, _plain(old), _plain(new), direction)
    if old.get("default") != new.get("default"):
        yield f"{path} left out meant {json.dumps(old.get('default'))} and means {json.dumps(new.get('default'))}"
    yield from _required(path, old, new, direction)
    for name, part in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{path}.{name} was removed"
        else:
            yield from _breaks(f"{path}.{name}", part, new["properties"][name], direction)
    for key, place in (("items", "[]"), ("additionalProperties", "[...]")):
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            yield from _breaks(f"{path}{place}", old[key], new[key], direction)
        elif old.get(key) != new.get(key):
            yield f"{path}{place}: {key} was {json.dumps(old.get(key))} and is {json.dumps(new.get(key))}"
    for index, part in enumerate(old.get("prefixItems", ())):
        if index < len(new.get("prefixItems", ())):
            yield from _breaks(f"{path}[{index}]", part, new["prefixItems"][index], direction)


def _plain(schema: Schema) -> Schema:
    """The schema that holds where the value is not null."""
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null":
            return {**schema, **part}
    return schema


def _kinds(schema: Schema) -> frozenset[str]:
    if "anyOf" in schema:
        return frozenset[str]().union(*map(_kinds, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return frozenset(_KINDS[type(value)] for value in schema.get("enum", [schema.get("const")]))
    return frozenset([schema["type"]]) if "type" in schema else frozenset()


def _values(path: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    before, after = (_plain(schema).get("enum") for schema in (old, new))
    if before is None and after is None:
        return
    if before is None or after is None:
        if (before is None) == (direction == "input"):
            yield f"{path}: its values are {'' if before is None else 'no longer '}listed"
        return
    if direction == "input":
        lost = [value for value in before if value not in after]
        yield from (f"{path}: {json.dumps(value)} is no longer taken" for value in lost)
    else:
        added = [value for value in after if value not in before]
        yield from (f"{path}: {json.dumps(value)} is a value that no consumer knows" for value in added)


def _bounds(path: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER):
        none = float("-inf") if key in _LOWER else float("inf")
        moved = new.get(key, none) - old.get(key, none) if old.get(key) != new.get(key) else 0
        inwards = moved > 0 if key in _LOWER else moved < 0
        if moved and inwards == (direction == "input"):
            yield f"{path}: {key} was {old.get(key)} and is {new.get(key)}"
    for key in (*_FIXED, *_CONDITIONS):
        if old.get(key) != new.get(key):
            yield f"{path}: {key} was {json.dumps(old.get(key))} and is {json.dumps(new.get(key))}"


def _required(path: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    if direction == "input":
        yield from (f"{path}.{name} is newly required" for name in sorted(after - before))
    else:
        yield from (f"{path}.{name} is no longer always there" for name in sorted(before - after))


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"
