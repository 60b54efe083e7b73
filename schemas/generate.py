"""Write the JSON Schemas from the types: `python -m schemas.generate`. A test fails when `v1/` is stale.

What a type cannot say stands in `schemas.conditions`; descriptions are the docstrings' own.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas import conditions, decisions, events, shop
from schemas.conditions import Schema

DIRECTORY: Final = Path(__file__).parent / "v1"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_STRUCTS: Final = {
    name: struct
    for module in (events, shop, decisions)
    for name, struct in vars(module).items()
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
}
# What stands at many places gets a name, so that a schema can be read.
_SHARED: Final[dict[str, object]] = {"id": events.Id, "time_ms": events.TimeMs}


def schemas() -> dict[str, Schema]:
    """Every schema by its name."""
    return {
        "buyer_message": _record("buyer_message", _nullable(_schema(events.BuyerMessage))),
        "agent_status": _record("agent_status", _nullable(_schema(events.AgentStatus))),
        "agent_reply": _record("agent_reply", conditions.agent_reply(_nullable(_schema(events.AgentReply)))),
        "shop_config": _record(
            "shop_config",
            conditions.shop_config(_nullable(_schema(shop.ShopConfigEnvelope)), _schema(shop.ShopConfig)),
        ),
        "assignment": _record("assignment", conditions.assignment(_schema(decisions.Assignment))),
        "agent_presence": _record("agent_presence", conditions.agent_presence(_schema(decisions.AgentPresence))),
        "dead_letter": _named("dead_letter", _schema(decisions.DeadLetterHeaders)),
    }


def text(schema: Schema) -> str:
    """The schema as it is written."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _schema(struct: type[msgspec.Struct]) -> Schema:
    """The schema of a struct by itself: its parts in `$defs`, its docstrings as descriptions."""
    (reference,), components = msgspec.json.schema_components((struct,))
    parts = {name: _described(_STRUCTS[name], part) for name, part in components.items()}
    schema = parts.pop(reference["$ref"].rpartition("/")[2])
    shared = {name: msgspec.json.schema(declared) for name, declared in _SHARED.items()}
    schema, parts = _share(schema, shared), _share(parts, shared)
    used = json.dumps([schema, parts])
    definitions = {name: part for name, part in shared.items() if f'"#/$defs/{name}"' in used} | parts
    return {**schema, **({"$defs": definitions} if definitions else {})}


def _described(struct: type[msgspec.Struct], schema: Schema) -> Schema:
    summary, _, attributes = inspect.cleandoc(struct.__doc__ or "").partition("\n\nAttributes:\n")
    told = {
        name: " ".join(words.split())
        for name, words in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, flags=re.MULTILINE)
    }
    properties = {}
    for field in msgspec.structs.fields(struct):
        part = schema["properties"][field.encode_name]
        if part.get("default", 0) is None:  # For the reader null is nothing that is filled in: it is absence.
            del part["default"]
        properties[field.encode_name] = part | ({} if field.name == "type" else {"description": told[field.name]})
    return {
        "description": " ".join(summary.split()),
        "type": "object",
        "properties": properties,
        "required": schema["required"],
        "additionalProperties": True,
    }


def _share(part: Any, shared: dict[str, Schema]) -> Any:
    """Put references to the shared schemas wherever one of them stands."""
    if isinstance(part, list):
        return [_share(item, shared) for item in part]
    if not isinstance(part, dict):
        return part
    rest = dict(part)
    for name, schema in shared.items():
        if schema.items() <= rest.items():
            rest = {"$ref": f"#/$defs/{name}"} | {key: value for key, value in rest.items() if key not in schema}
    return {key: _share(value, shared) for key, value in rest.items()}


def _nullable(schema: Schema) -> Schema:
    """Section 1: null in an optional field of an event means absent."""
    properties = {}
    for name, part in schema["properties"].items():
        if name in schema["required"] or name == "occurred_at_ms" or "anyOf" in part:
            properties[name] = part
        elif "enum" in part:
            properties[name] = part | {"enum": [*part["enum"], None]}
        else:
            about = {key: value for key, value in part.items() if key in ("default", "description")}
            kind = {key: value for key, value in part.items() if key not in about}
            properties[name] = {"anyOf": [kind, {"type": "null"}]} | about
    return schema | {"properties": properties}


def _record(name: str, schema: Schema) -> Schema:
    """Put the `type` before the fields, the same for every record of a topic."""
    schema["properties"] = {"type": {"const": name, "description": "Tells the record."}} | {
        key: part for key, part in schema["properties"].items() if key != "type"
    }
    schema["required"] = ["type", *(key for key in schema["required"] if key != "type")]
    return _named(name, schema)


def _named(name: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "$id": f"urn:fenliu:schema:v1:{name}", "title": name} | schema


def main() -> None:
    """Write `v1/`."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (DIRECTORY / f"{name}.json").write_text(text(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
