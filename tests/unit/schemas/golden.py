"""The samples: records that must always read, and records that must be refused with a code and a path."""

from pathlib import Path
from typing import Final

import orjson

from schemas.codec import TYPE_OF_TOPIC, Event, Topic, decode, decode_decision
from schemas.decisions import AgentPresence, Assignment

DIRECTORY: Final = Path(__file__).parent / "samples"
TIMESTAMP_MS: Final = 1781172000999
"""The timestamp of the records that the samples stand for."""
TOPIC_OF_TYPE: Final[dict[str, Topic]] = {name: topic for topic, name in TYPE_OF_TOPIC.items()}


def samples(kind: str) -> dict[str, bytes]:
    """The samples of a kind (`valid` or `invalid`): `<type>/<name>` to its bytes."""
    directory = DIRECTORY / kind
    return {
        str(path.relative_to(directory).with_suffix("")): path.read_bytes()
        for path in sorted(directory.glob("*/*.json"))
    }


def expected() -> dict[str, dict[str, str]]:
    """Of every invalid sample the code and the path."""
    found: dict[str, dict[str, str]] = orjson.loads((DIRECTORY / "invalid" / "expected.json").read_bytes())
    return found


def read(kind: str, value: bytes) -> Event | Assignment | AgentPresence:
    """Read a record of a `type` as its topic's consumer does; the key is the record's shop_id."""
    if kind not in TOPIC_OF_TYPE:
        return decode_decision(value)
    return decode(TOPIC_OF_TYPE[kind], value, key=key_of(value), timestamp_ms=TIMESTAMP_MS)


def key_of(value: bytes) -> bytes | None:
    """The key that a right producer would give the record; None where it has no shop_id."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    shop_id = document.get("shop_id") if isinstance(document, dict) else None
    return shop_id.encode() if isinstance(shop_id, str) else None
