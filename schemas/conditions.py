"""What the types cannot say and JSON Schema can: conditions between fields.

What neither of the two can say is left to the codec: `detection_lag_s` with min above max, the same agent_id, group_id
or page twice, the limits of size and depth, and that the key is shop_id.
"""

from typing import Any

from schemas.shop import MIN_HEARTBEAT_LAG_S

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""


def agent_reply(schema: Schema) -> Schema:
    """A transfer needs its receiver: an agent or a group, not both."""
    receivers = [
        {"properties": {name: {"type": "string"}}, "required": [name]} for name in ("to_agent_id", "to_group_id")
    ]
    return schema | _if_then("kind", "transfer", {"oneOf": receivers})


def shop_config(envelope: Schema, settings: Schema) -> Schema:
    """The envelope and the settings in one object (C2)."""
    names = list(settings["properties"])
    definitions = settings["$defs"]
    settings["properties"]["dedicated_agents"]["propertyNames"] = {"$ref": "#/$defs/id"}
    _leave_message(definitions["LeaveMessage"], settings["properties"]["leave_message"])
    for holder in (settings, *definitions.values()):
        for part in holder.get("properties", {}).values():
            if part.get("items") == {"$ref": "#/$defs/id"}:
                part["uniqueItems"] = True  # An agent twice in a list, an order state bound twice within a group.
    reset = {
        "anyOf": [{"type": "boolean"}, {"type": "null"}],
        "default": False,
        "description": "Returns the shop to the defaults, like a record without a value. No setting may stand beside.",
    }
    return {
        "$comment": _BEYOND,
        "description": envelope["description"],
        "type": "object",
        "properties": envelope["properties"] | {"reset": reset} | settings["properties"],
        "required": envelope["required"],
        "additionalProperties": True,
        "allOf": [
            _if_then("reset", True, {"properties": dict.fromkeys(names, False)}),
            _if_then("expect_heartbeats", True, {"properties": {"detection_lag_s": _AT_LEAST}}),
        ],
        "$defs": envelope["$defs"] | definitions,
    }


def assignment(schema: Schema) -> Schema:
    """A version is that of C1."""
    schema["properties"]["config_version"]["pattern"] = "^(default|[0-9a-f]{12})$"
    return schema


def agent_presence(schema: Schema) -> Schema:
    """The lag comes with both offline kinds, the stranded with the last; a cause has its presence."""
    return schema | {
        "allOf": [
            _if_then("presence", "undetected_offline", {}, "lag_ms"),
            _if_then("presence", "offline", {}, "lag_ms", "stranded_buyers"),
            _if_then("cause", "silence", {"properties": {"presence": {"const": "offline"}}}),
            _if_then("cause", "no_reply", {"properties": {"presence": {"const": "suspended"}}}),
        ]
    }


_BEYOND = "Refused besides: detection_lag_s with min above max; an agent_id, group_id or page that stands twice."
_AT_LEAST: Schema = {"properties": {"min": {"minimum": MIN_HEARTBEAT_LAG_S}}}


def _leave_message(schema: Schema, setting: Schema) -> None:
    schema["properties"]["main_account_id"] = {
        "$ref": "#/$defs/id",
        "description": schema["properties"]["main_account_id"]["description"],
    }
    setting["default"] = {"to": "message_pool"}
    schema["allOf"] = [
        _if_then("to", "main_account", {}, "main_account_id"),
        _if_then("to", "proxy_account", {"properties": {"proxy_account_ids": {"minItems": 1}}}, "proxy_account_ids"),
    ]


def _if_then(name: str, value: object, then: Schema, *required: str) -> Schema:
    """Where the field `name` has the `value`, `then` holds and the `required` fields are there."""
    needed = {"required": list(required)} if required else {}
    return {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": needed | then}
