"""The file that `fenliu dlq redrive --from` takes: what `fenliu dlq show --json --payload` wrote, mended by a person.

A line is a JSON object. `id` says which letter it is; `event` (an object), `value` (text) or `value_base64` is what to
send, and `key` or `key_base64` the key, if that was wrong. Everything else in it is for people.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from schemas.document import parse
from schemas.errors import InvalidEvent
from streams.errors import UsageError
from streams.redrive.letters import LetterId

_VALUES = ("event", "value", "value_base64")


class Mended(NamedTuple):
    """What to send in the place of a letter."""

    line: int
    value: bytes | None
    key: bytes | None
    """None: the letter's own."""


def text_or_base64(name: str, content: bytes | None) -> dict[str, str | None]:
    """A field for JSON: bytes that are UTF-8 as text, others under another name in Base64."""
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}


def editable(value: bytes | None) -> dict[str, object]:
    """A value for people who mend it: as an object if it is one, else as text, else in Base64."""
    if value is None:
        return {"event": None}
    try:
        document = parse(value)
    except InvalidEvent:
        document = None
    if isinstance(document, dict):
        return {"event": document}
    return dict(text_or_base64("value", value))


def read_mended(lines: Iterable[bytes], name: str) -> dict[LetterId, Mended]:
    """The letters of a file.

    Raises:
        UsageError: naming every line that cannot be used, so that nothing is sent.
    """
    mended: dict[LetterId, Mended] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            letter, entry = _entry(number, line)
        except ValueError as exc:
            wrong.append(f"{name}:{number}: {exc}")
            continue
        if letter in mended:
            wrong.append(f"{name}:{number}: {letter} is in line {mended[letter].line} too: keep one of them")
        mended[letter] = entry
    if wrong:
        raise UsageError(
            "\n".join(["nothing was sent", *wrong]), mend="mend these lines; the others are as they must be"
        )
    return mended


def _entry(number: int, line: bytes) -> tuple[LetterId, Mended]:
    try:
        document = orjson.loads(line)
    except ValueError as exc:
        raise ValueError(f"no JSON: {exc}") from None
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise ValueError('$.id: expected the letter, like "3:17"')  # noqa: TRY004  a line of a file, not a call
    given = [field for field in _VALUES if field in document]
    if len(given) != 1:
        raise ValueError(f"expected one of {', '.join(_VALUES)}, not {len(given)} of them (show --payload writes one)")
    return LetterId.parse(document["id"]), Mended(number, _value(document, given[0]), _bytes(document, "key"))


def _value(document: dict[str, object], field: str) -> bytes | None:
    if field != "event":
        return _bytes(document, "value")
    event = document["event"]
    if event is None:
        return None
    if not isinstance(event, dict):
        raise ValueError("$.event: expected an object, or null for a tombstone")  # noqa: TRY004  a line of a file
    return orjson.dumps(event)


def _bytes(document: dict[str, object], name: str) -> bytes | None:
    text, encoded = document.get(name), document.get(f"{name}_base64")
    for field, content in ((name, text), (f"{name}_base64", encoded)):
        if content is not None and not isinstance(content, str):
            raise ValueError(f"$.{field}: expected a string")
    if isinstance(encoded, str):
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"$.{name}_base64: expected Base64") from None
    return text.encode() if isinstance(text, str) else None
