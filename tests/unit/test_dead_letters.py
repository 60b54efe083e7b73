"""Section 9: what a record that cannot be used becomes."""

from schemas.codec import InvalidEvent
from streams.dead_letters import CUT_VALUE_BYTES, MAX_VALUE_BYTES, dead_letter
from tests.unit.lane.records import Consumed

ERROR = InvalidEvent("schema", "$.shop_id: expected a string")


def test_it_comes_as_it_was_with_headers_that_say_why() -> None:
    record = Consumed(7, b"value", key=b"key", timestamp=5, topic="p-agent-status", partition=3, headers=[("h", b"1")])
    assert dead_letter(record, ERROR) == (
        b"key",
        b"value",
        [
            ("h", b"1"),
            ("fenliu.error", b"schema"),
            ("fenliu.error.detail", b"$.shop_id: expected a string"),
            ("fenliu.topic", b"p-agent-status"),
            ("fenliu.partition", b"3"),
            ("fenliu.offset", b"7"),
            ("fenliu.timestamp", b"5"),
        ],
    )


def test_headers_of_an_earlier_refusal_are_replaced() -> None:
    again = dead_letter(Consumed(7, b"v", headers=[("fenliu.error", b"config"), ("fenliu.cut", b"value")]), ERROR)
    assert [name for name, _ in again.headers].count("fenliu.error") == 1
    assert dict(again.headers)["fenliu.error"] == b"schema"
    assert "fenliu.cut" not in dict(again.headers)


def test_only_a_value_over_a_mebibyte_is_cut() -> None:
    assert dead_letter(Consumed(0, b"x" * MAX_VALUE_BYTES), ERROR).value == b"x" * MAX_VALUE_BYTES
    cut = dead_letter(Consumed(0, b"x" * (MAX_VALUE_BYTES + 1)), ERROR)
    assert cut.value == b"x" * CUT_VALUE_BYTES
    assert dict(cut.headers)["fenliu.cut"] == b"value"


def test_headers_and_keys_that_would_not_fit_are_left_out() -> None:
    letter = dead_letter(Consumed(0, b"v", key=b"k" * (1 << 20), headers=[("h", b"x" * (1 << 20))]), ERROR)
    assert letter.key == b"k" * CUT_VALUE_BYTES
    assert "h" not in dict(letter.headers)
    assert dict(letter.headers)["fenliu.cut"] == b"headers,key"


def test_a_tombstone_stays_one_and_a_record_of_nothing_becomes_empty() -> None:
    assert dead_letter(Consumed(0, None, key=b"k"), ERROR)[:2] == (b"k", None)
    nothing = dead_letter(Consumed(0, None, key=None), ERROR)
    assert nothing[:2] == (None, b"")
    assert dict(nothing.headers)["fenliu.cut"] == b"null"
