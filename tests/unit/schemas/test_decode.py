"""Every way in which a record cannot be used, in the order of precedence (section 9), and what counts as right."""

import json
import sys
from typing import Any, ClassVar

import orjson
import pytest

from schemas.codec import RANK, TYPE_OF_TOPIC, InvalidEvent, Topic, decode, decode_line
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfig, ShopConfigChange

MAX_BYTES = 262144
TIME = "milliseconds since 1970 UTC, an integer from 946684800000 to 4102444800000"
MESSAGE: dict[str, Any] = {
    "type": "buyer_message",
    "event_id": "m-1",
    "shop_id": "shop-1",
    "buyer_id": "buyer-1",
    "occurred_at_ms": 1781172000000,
}


def message(value: bytes, key: bytes | None = b"shop-1") -> BuyerMessage:
    event = decode("buyer-messages", value, key=key, timestamp_ms=0)
    assert isinstance(event, BuyerMessage)
    return event


def config(key: bytes | None = b"shop-1", timestamp_ms: int = 5, **fields: object) -> ShopConfigChange:
    value = orjson.dumps({"type": "shop_config", "shop_id": "shop-1", **fields})
    event = decode("shop-configs", value, key=key, timestamp_ms=timestamp_ms)
    assert isinstance(event, ShopConfigChange)
    return event


def refusal(value: bytes | None, *, topic: Topic = "buyer-messages", key: bytes | None = b"shop-1") -> str:
    with pytest.raises(InvalidEvent) as caught:
        decode(topic, value, key=key, timestamp_ms=0)
    return caught.value.code


def nested(levels: int) -> bytes:
    """A message with so many levels, the message itself counted."""
    arrays = levels - 1
    return orjson.dumps(MESSAGE)[:-1] + b',"more":' + b"[" * arrays + b"]" * arrays + b"}"


def padded(size: int) -> bytes:
    """A message of so many bytes."""
    start = orjson.dumps(MESSAGE)[:-1] + b',"more":"'
    return start + b"x" * (size - len(start) - 2) + b'"}'


class TestRightRecords:
    def test_a_message_with_its_defaults(self) -> None:
        assert message(orjson.dumps(MESSAGE)) == BuyerMessage(
            event_id="m-1", shop_id="shop-1", buyer_id="buyer-1", occurred_at_ms=1781172000000
        )

    def test_a_status(self) -> None:
        line = (
            b'{"type":"agent_status","event_id":"s","shop_id":"x","agent_id":"a",'
            b'"occurred_at_ms":1781172000000,"status":"offline"}'
        )
        assert decode_line(line) == (
            "agent-status",
            AgentStatus(event_id="s", shop_id="x", agent_id="a", occurred_at_ms=1781172000000, status="offline"),
        )

    def test_a_reply(self) -> None:
        line = (
            b'{"type":"agent_reply","event_id":"r","shop_id":"x","agent_id":"a","buyer_id":"b",'
            b'"occurred_at_ms":1781172000000}'
        )
        assert decode_line(line) == (
            "agent-replies",
            AgentReply(event_id="r", shop_id="x", agent_id="a", buyer_id="b", occurred_at_ms=1781172000000),
        )

    @pytest.mark.parametrize("number", ["1781172000000.0", "1781172e6", "17811720000000E-1", "1781172000000"])
    def test_a_number_without_a_fraction_is_an_integer(self, number: str) -> None:
        event = message(orjson.dumps(MESSAGE).replace(b"1781172000000", number.encode()))
        assert event.occurred_at_ms == 1781172000000
        assert type(event.occurred_at_ms) is int

    def test_minus_zero_is_zero(self) -> None:
        event = message(orjson.dumps(MESSAGE | {"priority": -0.0}))
        assert str(event.priority) == "0"

    @pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,  ", " : ")])
    def test_white_space_between_the_tokens_is_no_part_of_an_id(self, separators: tuple[str, str]) -> None:
        value = json.dumps(MESSAGE | {"buyer_id": "老 李"}, ensure_ascii=False, separators=separators).encode()
        assert message(value).buyer_id == "老 李"

    def test_null_in_an_optional_field_is_absent(self) -> None:
        optional = dict.fromkeys(["order_state", "entry_page", "addressed_agent_id", "wants_human", "priority"])
        assert message(orjson.dumps(MESSAGE | optional)) == message(orjson.dumps(MESSAGE))

    def test_the_last_of_two_equal_fields_counts(self) -> None:
        value = orjson.dumps(MESSAGE)[:-1] + b',"buyer_id":"buyer-2"}'
        assert message(value).buyer_id == "buyer-2"

    def test_the_key_is_compared_in_utf_8(self) -> None:
        event = message(orjson.dumps(MESSAGE | {"shop_id": "店铺"}), key="店铺".encode())
        assert event.shop_id == "店铺"

    def test_an_escaped_id_is_that_id(self) -> None:
        value = orjson.dumps(MESSAGE).replace(b"buyer-1", rb"\u5c0f\u4e3d\ud83d\ude00")
        assert message(value).buyer_id == "小丽😀"

    def test_the_ranks_are_those_of_o2(self) -> None:
        assert sorted(RANK, key=lambda topic: RANK[topic]) == [
            "shop-configs",
            "agent-status",
            "agent-replies",
            "buyer-messages",
        ]
        assert TYPE_OF_TOPIC.keys() == RANK.keys()


class TestLimits:
    def test_256_kib_are_not_too_large(self) -> None:
        assert len(padded(MAX_BYTES)) == MAX_BYTES
        message(padded(MAX_BYTES))

    def test_a_byte_more_is(self) -> None:
        assert refusal(padded(MAX_BYTES + 1)) == "too_large"

    def test_too_large_goes_before_everything_else(self) -> None:
        assert refusal(b"\xff" * (MAX_BYTES + 1)) == "too_large"

    def test_a_line_is_measured_without_its_end(self) -> None:
        decode_line(padded(MAX_BYTES) + b"\r\n")
        with pytest.raises(InvalidEvent, match=r"^too_large"):
            decode_line(padded(MAX_BYTES + 1) + b"\n")

    def test_32_levels_are_not_too_deep(self) -> None:
        message(nested(32))

    @pytest.mark.parametrize("levels", [33, 1024, 1025, 100_000])
    def test_more_are(self, levels: int) -> None:
        assert refusal(nested(levels)) == "too_deep"

    def test_objects_are_levels_too(self) -> None:
        assert refusal(b'{"a":' * 33 + b"1" + b"}" * 33) == "too_deep"

    def test_many_brackets_side_by_side_or_in_a_text_are_no_depth(self) -> None:
        message(orjson.dumps(MESSAGE | {"more": [[]] * 100, "text": "[{" * 100}))

    def test_depth_goes_before_the_schema_and_after_json(self) -> None:
        assert refusal(b"[" * 33 + b"]" * 33) == "too_deep"
        assert refusal(b"[" * 33) == "not_json"

    def test_any_depth_fits_into_a_small_stack(self) -> None:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(len_of_stack() + 100)
        try:
            assert refusal(nested(1000)) == "too_deep"
            message(nested(32))
        finally:
            sys.setrecursionlimit(limit)


def len_of_stack() -> int:
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    return depth


class TestKeys:
    @pytest.mark.parametrize("key", [None, b"", b"shop-2", b"shop-1 ", b"\xff"])
    def test_a_key_that_is_not_shop_id(self, key: bytes | None) -> None:
        assert refusal(orjson.dumps(MESSAGE), key=key) == "key_mismatch"

    def test_the_schema_goes_before_the_key(self) -> None:
        assert refusal(orjson.dumps(MESSAGE | {"buyer_id": ""}), key=b"shop-2") == "schema"

    def test_a_bad_setting_goes_before_the_key(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^config: "):
            config(key=b"shop-2", policy="jd")

    def test_a_config_with_another_key(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^key_mismatch: "):
            config(key=b"shop-2")


class TestTombstones:
    def test_no_value_returns_a_shop_to_the_defaults(self) -> None:
        event = decode("shop-configs", None, key="店铺".encode(), timestamp_ms=7)
        assert event == ShopConfigChange(
            shop_id="店铺", occurred_at_ms=7, settings=ShopConfig(), version="default", given=None
        )

    @pytest.mark.parametrize("key", [None, b"", b"\xff", b"a\n", b"x" * 129])
    def test_its_key_is_a_shop_id(self, key: bytes | None) -> None:
        assert refusal(None, topic="shop-configs", key=key) == "key_mismatch"

    @pytest.mark.parametrize("topic", ["buyer-messages", "agent-status", "agent-replies"])
    def test_no_other_topic_has_one(self, topic: Topic) -> None:
        assert refusal(None, topic=topic) == "schema"

    def test_an_empty_value_is_none(self) -> None:
        assert refusal(b"", topic="shop-configs") == "not_json"

    def test_reset_is_one(self) -> None:
        event = config(reset=True, event_id="c-1", note="unknown fields may stand beside it")
        assert (event.settings, event.version, event.given) == (ShopConfig(), "default", None)
        assert (event.event_id, event.occurred_at_ms) == ("c-1", 5)


class TestTimeOfAConfig:
    def test_its_own(self) -> None:
        assert config(occurred_at_ms=946684800000.0).occurred_at_ms == 946684800000

    def test_the_record_s_timestamp_if_it_has_none(self) -> None:
        assert config(timestamp_ms=1781172000000).occurred_at_ms == 1781172000000

    def test_null_is_none_of_its_values(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^config: \$\.occurred_at_ms: "):
            config(occurred_at_ms=None)

    @pytest.mark.parametrize("timestamp_ms", [-1, 4102444800001])
    def test_a_timestamp_that_is_no_event_time(self, timestamp_ms: int) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: the record's timestamp: expected an integer"):
            config(timestamp_ms=timestamp_ms)

    def test_a_line_needs_it(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.occurred_at_ms: expected .* missing"):
            decode_line(b'{"type":"shop_config","shop_id":"shop-1"}')


class TestLines:
    @pytest.mark.parametrize("kind", ['"assignment"', "null", "[]", "{}", "7"])
    def test_its_type_names_the_topic(self, kind: str) -> None:
        with pytest.raises(InvalidEvent) as caught:
            decode_line(b'{"type":' + kind.encode() + b"}")
        assert caught.value.path == "$.type"

    def test_it_is_an_object(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$: expected an object"):
            decode_line(b"[]\n")


class TestRefusals:
    def test_say_where_and_what_was_expected(self) -> None:
        with pytest.raises(InvalidEvent) as caught:
            message(orjson.dumps(MESSAGE | {"occurred_at_ms": "yesterday"}))
        error = caught.value
        assert (error.code, error.path) == ("schema", "$.occurred_at_ms")
        assert error.detail == f"$.occurred_at_ms: expected {TIME}"
        assert str(error) == f"schema: {error.detail}"

    def test_list_what_may_stand_there(self) -> None:
        with pytest.raises(InvalidEvent, match=r"expected one of logged_out, offline, online, resumed, suspended$"):
            decode_line(
                b'{"type":"agent_status","event_id":"s","shop_id":"x","agent_id":"a","occurred_at_ms":1781172000000,"status":"lunch"}'
            )

    def test_say_that_null_would_do(self) -> None:
        with pytest.raises(
            InvalidEvent, match=r"\$\.no_reply_reassign_s: expected an integer from 30 to 86400, or null$"
        ):
            config(no_reply_reassign_s="soon")

    def test_name_the_first_wrong_field_in_the_order_of_the_contract(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.event_id: "):
            message(b'{"wants_human":3,"type":"buyer_message"}')


class TestTimesInAnotherUnit:
    """Each gets a sentence of its own: what it is, and how to mend it."""

    @pytest.mark.parametrize("seconds", [1781172000, 1781172000.25, 1, 0, -1, 946684799999])
    def test_a_number_before_the_year_2000_is_one_of_seconds(self, seconds: float) -> None:
        assert told(seconds) == f"{TIME}; a smaller number is a time in seconds: multiply it by 1000"

    @pytest.mark.parametrize("time_ms", [946684800000, 4102444800000])
    def test_a_time_of_the_years_2000_to_2100_is_one(self, time_ms: int) -> None:
        assert message(orjson.dumps(MESSAGE | {"occurred_at_ms": time_ms})).occurred_at_ms == time_ms

    @pytest.mark.parametrize("microseconds", [946684800000000, 1781172000000000, 1781172000123456.0])
    def test_microseconds(self, microseconds: float) -> None:
        assert told(microseconds) == f"{TIME}; this is a time in microseconds: divide it by 1000"

    @pytest.mark.parametrize("nanoseconds", [946684800000000000, 1781172000123456789])
    def test_nanoseconds(self, nanoseconds: int) -> None:
        assert told(nanoseconds) == f"{TIME}; this is a time in nanoseconds: divide it by 1000000"

    @pytest.mark.parametrize("date", ["2026-06-11", "2026-06-11T18:00:00+08:00", "2026/6/11 18:00", " 2026-06-11"])
    def test_a_date_as_text(self, date: str) -> None:
        sentence = "this is a date as text: give the milliseconds that it stands for, with its time zone reckoned in"
        assert told(date) == f"{TIME}; {sentence}"

    @pytest.mark.parametrize("quoted", ["1781172000000", " 1781172000 "])
    def test_a_number_within_quotes(self, quoted: str) -> None:
        assert told(quoted) == f"{TIME}; this is a number within quotes: leave the quotes out"

    @pytest.mark.parametrize("other", [4102444800001, 5 * 10**15, 10**30, 1781172000000.5, "June", True, None, [], {}])
    def test_of_anything_else_nothing_is_guessed(self, other: object) -> None:
        assert told(other) == TIME

    def test_a_config_s_time_too(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.occurred_at_ms: .* seconds: multiply it by 1000$"):
            config(occurred_at_ms=1781172000)


def told(time: object) -> str:
    """What the refusal of a message says of its occurred_at_ms."""
    with pytest.raises(InvalidEvent, match=r"^schema: ") as caught:
        message(json.dumps(MESSAGE | {"occurred_at_ms": time}).encode())
    return caught.value.detail.removeprefix("$.occurred_at_ms: expected ")


BLANKS = "\u0020\u00a0\u1680\u2000\u2001\u200a\u2028\u2029\u202f\u205f\u3000"


class TestWhiteSpaceAtAnEndOfAnId:
    @pytest.mark.parametrize("blank", BLANKS)
    @pytest.mark.parametrize("escaped", [False, True])
    @pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
    def test_is_refused_however_it_is_written(self, blank: str, escaped: bool, separators: tuple[str, str]) -> None:
        for odd in (f"{blank}b", f"b{blank}", blank, f"b{blank}{blank}"):
            document = MESSAGE | {"buyer_id": odd}
            value = json.dumps(document, ensure_ascii=escaped, separators=separators).encode()
            with pytest.raises(InvalidEvent) as caught:
                message(value)
            assert (caught.value.code, caught.value.path) == ("schema", "$.buyer_id")

    @pytest.mark.parametrize("blank", BLANKS)
    def test_within_an_id_it_may_stand(self, blank: str) -> None:
        buyer_id = f"老{blank}李"
        assert message(orjson.dumps(MESSAGE | {"buyer_id": buyer_id})).buyer_id == buyer_id

    @pytest.mark.parametrize("invisible", ["\ufeff", "\u200b", "\u180e"])
    def test_what_unicode_does_not_call_white_space_is_none(self, invisible: str) -> None:
        assert message(orjson.dumps(MESSAGE | {"buyer_id": f"b{invisible}"})).buyer_id == f"b{invisible}"

    def test_the_refusal_says_so(self) -> None:
        with pytest.raises(InvalidEvent) as caught:
            message(orjson.dumps(MESSAGE | {"buyer_id": "b "}))
        assert caught.value.detail == (
            "$.buyer_id: expected a string of 1 to 128 characters without control characters, and without white space"
            " at either end; this one begins or ends with white space: strip it"
        )

    def test_a_key_of_a_tombstone_is_an_id_too(self) -> None:
        assert refusal(None, topic="shop-configs", key=b"shop-1 ") == "key_mismatch"


class TestTransfers:
    LINE: ClassVar[dict[str, Any]] = {
        "type": "agent_reply", "event_id": "r", "shop_id": "s", "agent_id": "a", "buyer_id": "b",
        "occurred_at_ms": 1781172000000,
    }  # fmt: skip

    def reply(self, **fields: object) -> AgentReply:
        event = decode_line(orjson.dumps(self.LINE | fields))[1]
        assert isinstance(event, AgentReply)
        return event

    def test_go_to_an_agent_or_to_a_group(self) -> None:
        assert self.reply(kind="transfer", to_agent_id="c", to_group_id=None).to_agent_id == "c"
        assert self.reply(kind="transfer", to_agent_id=None, to_group_id="g").to_group_id == "g"

    def test_do_not_go_to_both(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.to_group_id: expected no group beside to_agent_id"):
            self.reply(kind="transfer", to_agent_id="c", to_group_id="g")

    def test_go_somewhere(self) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.to_agent_id: expected an id .*, but both are missing$"):
            self.reply(kind="transfer", to_group_id=None)

    @pytest.mark.parametrize("kind", ["reply", "close", "auto"])
    def test_alone_are_asked_where(self, kind: str) -> None:
        self.reply(kind=kind, to_agent_id="c", to_group_id="g")


class TestDeviceIds:
    def test_absent_or_null_is_none_and_empty_is_one(self) -> None:
        status = {"type": "agent_status", "event_id": "e", "shop_id": "s", "agent_id": "a", "status": "offline"}
        found = []
        for fields in ({}, {"device_id": None}, {"device_id": ""}, {"device_id": "home"}):
            event = decode_line(orjson.dumps(status | {"occurred_at_ms": 1781172000000} | fields))[1]
            assert isinstance(event, AgentStatus)
            found.append(event.device_id)
        assert found == [None, None, "", "home"]
