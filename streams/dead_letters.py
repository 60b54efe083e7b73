"""What a record that cannot be used becomes (rules, section 9). It knows no broker and no Faust."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from schemas.codec import InvalidEvent

Header = tuple[str, bytes | None]

REDRIVE_OF = "fenliu.redrive.of"
"""Of a record that was sent back: the dead letter that it was. It stays if the record is refused again."""

MAX_VALUE_BYTES = 1 << 20
"""A longer value is cut."""
CUT_VALUE_BYTES = 64 << 10
"""To this many bytes."""
MAX_HEADERS_BYTES = 256 << 10
"""Longer headers and keys are left out: with them the dead letter might not fit into its own topic."""


class Record(Protocol):
    """What is needed of a consumed record."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[Header]: ...  # noqa: D102


class DeadLetter(NamedTuple):
    """A record for the dead-letters topic."""

    key: bytes | None
    value: bytes | None
    headers: list[Header]


def dead_letter(record: Record, error: InvalidEvent) -> DeadLetter:
    """The record as it came, with headers that say what is wrong with it and where it was.

    Headers that begin with `fenliu.` are those of an earlier refusal (the record was sent again) and are replaced; the
    one that names the dead letter which it was stays.
    """
    value, key = record.value, record.key
    headers = [header for header in record.headers if not header[0].startswith("fenliu.") or header[0] == REDRIVE_OF]
    left_out = []
    if value is not None and len(value) > MAX_VALUE_BYTES:
        value = value[:CUT_VALUE_BYTES]
        left_out.append("value")
    if sum(len(name) + len(content or b"") for name, content in headers) > MAX_HEADERS_BYTES:
        headers = []
        left_out.append("headers")
    if key is not None and len(key) > MAX_HEADERS_BYTES:
        key = key[:CUT_VALUE_BYTES]
        left_out.append("key")
    told = {
        "fenliu.error": error.code,
        "fenliu.error.detail": error.detail,
        "fenliu.topic": record.topic,
        "fenliu.partition": str(record.partition),
        "fenliu.offset": str(record.offset),
        "fenliu.timestamp": str(record.timestamp),
    }
    if left_out:
        told["fenliu.cut"] = ",".join(left_out)
    if key is None and value is None:
        value = (
            b""  # A record needs one of the two; `fenliu.cut` tells an empty value that was none from one that came.
        )
        headers.append(("fenliu.cut", b"null"))
    return DeadLetter(key, value, headers + [(name, text.encode()) for name, text in told.items()])
