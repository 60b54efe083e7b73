"""Bytes to a JSON document, within the limits of the rules, section 9. It knows no event."""

import orjson

from schemas.errors import InvalidEvent

MAX_BYTES = 256 << 10
"""A longer record or line is refused."""
MAX_LEVELS = 32
"""Objects and arrays within each other; a scalar is no level."""
# Brackets, and the bytes that a control character, or white space other than U+0020, begins with.
_UNUSUAL = b"{[\\\x7f\xc2\xe1\xe2\xe3"


def parse(text: bytes) -> object:
    """Read a JSON text.

    Raises:
        InvalidEvent: `too_large`, `not_utf8`, `not_json` or `too_deep`.
    """
    if len(text) > MAX_BYTES:
        raise InvalidEvent("too_large", f"$: expected at most {MAX_BYTES} bytes, not {len(text)}", path="$")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _unreadable(text, error) from None
    # No text goes deeper than it has brackets, and few have so many.
    if _unusual_bytes(text) > MAX_LEVELS and _levels(document) > MAX_LEVELS:
        raise _too_deep()
    return document


def may_hold_odd_ids(text: bytes, fields: dict[str, object]) -> bool:
    r"""Whether an id in this JSON object can hold a control character, or begin or end with white space.

    A control character is escaped, U+007F, or U+0080 to U+009F (C2 xx). White space is U+0020, C2 xx, or begins with
    E1, E2 or E3. No id of an event or a decision stands in an array.
    """
    unusual = _unusual_bytes(text) > 1  # its own bracket
    if unusual and (b"\\" in text or b"\xc2" in text or b"\x7f" in text):
        return True
    return (unusual or b" " in text) and _ends_blank(fields)


def _ends_blank(fields: dict[str, object]) -> bool:
    for value in fields.values():
        if value != value.strip() if isinstance(value, str) else isinstance(value, dict) and _ends_blank(value):
            return True
    return False


def _unusual_bytes(text: bytes) -> int:
    """How many brackets open and how many bytes could be of a control character: one pass instead of five."""
    return len(text) - len(text.translate(None, _UNUSUAL))


def _unreadable(text: bytes, error: orjson.JSONDecodeError) -> InvalidEvent:
    try:
        text.decode()
    except UnicodeDecodeError as undecodable:
        return InvalidEvent("not_utf8", f"$: expected UTF-8, which breaks at byte {undecodable.start}", path="$")
    if "depth" in error.msg or "recursion" in error.msg.lower():  # orjson's own limit is 1024 levels.
        return _too_deep()
    return InvalidEvent("not_json", f"$: expected JSON, which breaks at character {error.pos}", path="$")


def _too_deep() -> InvalidEvent:
    return InvalidEvent("too_deep", f"$: expected at most {MAX_LEVELS} levels of objects and arrays", path="$")


def _levels(document: object) -> int:
    """The depth, level by level: a recursive walk would depend on Python's own limit."""
    levels, level = 0, [document]
    while level := [item for item in level if isinstance(item, dict | list)]:
        levels += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return levels
