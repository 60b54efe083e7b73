"""The JSON Schemas of the contract by name, as they are checked in and shipped."""

from importlib.resources import files
from typing import Final, cast

import orjson

NAMES: Final = (
    "buyer_message",
    "agent_status",
    "agent_reply",
    "shop_config",
    "assignment",
    "agent_presence",
    "dead_letter",
)
"""Every record has its `type` as its name; `dead_letter` is the headers of one."""


def load(name: str) -> dict[str, object]:
    """Load the JSON Schema (2020-12) of a record.

    Raises:
        LookupError: there is no such schema; the message lists those that there are.
    """
    if name not in NAMES:
        raise LookupError(f"there is no schema {name!r}; there are {', '.join(NAMES)}")
    text = files("schemas").joinpath("v1", f"{name}.json").read_bytes()
    return cast("dict[str, object]", orjson.loads(text))
