"""Whatever the bytes are: an event, or an InvalidEvent that tells nothing of the payload."""

import json

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.codec import RANK, InvalidEvent, Topic, decode, decode_decision, decode_line
from tests.unit.schemas.golden import samples
from tests.unit.schemas.strategies import Document, changed_documents, documents

TOPICS: tuple[Topic, ...] = tuple(RANK)
SEEDS = sorted((samples("valid") | samples("invalid")).values())


def read_everywhere(value: bytes, key: bytes | None) -> list[InvalidEvent]:
    """Read the bytes in every way there is; anything but a refusal comes out."""
    refusals = []
    for topic in TOPICS:
        try:
            decode(topic, value, key=key, timestamp_ms=0)
        except InvalidEvent as error:
            refusals.append(error)
    for read in (decode_line, decode_decision):
        try:
            read(value)
        except InvalidEvent as error:
            refusals.append(error)
    return refusals


@given(st.binary(max_size=200), st.none() | st.binary(max_size=20))
@example(b"", None)
@example(b"[" * 5000, b"")
@settings(deadline=None)
def test_any_bytes(value: bytes, key: bytes | None) -> None:
    read_everywhere(value, key)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "shop_id", "agents", "x"]), part, max_size=4)
        ),
        max_leaves=20,
    )
)
@settings(deadline=None)
def test_any_json(document: object) -> None:
    read_everywhere(json.dumps(document).encode(), b"shop-1")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample that is cut, or has some bytes replaced, removed or put in."""
    value = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 8)) | st.just(len(value)))
    return (
        value[:start]
        + draw(st.binary(max_size=4) | st.sampled_from([b"\\u0000", b"null", b'"', b"1e999"]))
        + value[end:]
    )


@given(damaged())
@settings(max_examples=500, deadline=None)
def test_a_damaged_record(value: bytes) -> None:
    read_everywhere(value, b"shop-1")


@given(documents, st.sampled_from(["\n", "\x00", "\x1f", "\x7f", "\x80", "\x9f"]), st.booleans())
@settings(deadline=None)
def test_no_id_holds_a_control_character_however_it_is_written(document: Document, control: str, escaped: bool) -> None:
    document["shop_id"] += control
    value = json.dumps(document).encode() if escaped else json.dumps(document, ensure_ascii=False).encode()
    with pytest.raises(InvalidEvent, match=r"^schema: \$\.shop_id: "):
        decode_line(value)


PHONE = "13800138000"


@given(changed_documents())
@settings(deadline=None)
def test_a_refusal_quotes_nothing(document: Document) -> None:
    told = json.loads(json.dumps(document), object_hook=_conceal)
    for error in read_everywhere(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS) if _fits(told) else b"", None):
        assert PHONE not in error.detail
        assert PHONE not in str(error)


def _conceal(fields: Document) -> Document:
    """Put the secret into every text, and into the keys of a map."""
    names = {name if name.isidentifier() else f"{name}{PHONE}": value for name, value in fields.items()}
    return {
        name: f"{value}{PHONE}" if isinstance(value, str) and name != "type" else value for name, value in names.items()
    }


def _fits(document: Document) -> bool:
    """Orjson writes no integer over 64 bits."""
    return not any(isinstance(value, int) and value.bit_length() > 63 for value in document.values())
