"""What becomes of a letter: what is sent, or why nothing is."""

import base64
from itertools import permutations

import orjson
import pytest

from schemas.errors import InvalidEvent
from streams.dead_letters import REDRIVE_OF, dead_letter
from streams.errors import UsageError
from streams.partitioner import partition_of
from streams.redrive.letters import Letter, LetterId
from streams.redrive.mended import Mended, editable, read_mended, text_or_base64
from streams.redrive.plan import LeftOut, Planner, Resend, of_letters
from streams.redrive.run import in_order
from tests.unit.lane.records import SHOP, START_MS, Consumed, consumed
from tests.unit.redrive.test_letters import found

COUNT = 8
NOW_MS = 2_000_000
PLANNER = Planner(partition_count=COUNT, max_clock_skew_ms=60_000, now_ms=START_MS + NOW_MS)
HOME = partition_of(SHOP.encode(), COUNT)


def refused(record: Consumed, code: str = "schema") -> tuple[Letter, Consumed]:
    """A record's letter, and the letter's record."""
    letter = dead_letter(record, InvalidEvent(code, "detail"))  # type: ignore[arg-type]
    lying = Consumed(17, letter.value, key=letter.key, partition=3, headers=letter.headers)
    (seen,) = found(lying).letters
    return seen, lying


def good(**changes: object) -> Consumed:
    return Consumed(5, consumed("buyer-messages", 5, NOW_MS).value, **changes)  # type: ignore[arg-type]


def buyer_message(letter: Letter) -> Letter:
    return Letter(**{name: getattr(letter, name) for name in Letter.__slots__} | {"topic": "buyer-messages"})


def test_what_the_workers_would_take_now_goes_where_it_belongs() -> None:
    letter, record = refused(good(partition=(HOME + 1) % COUNT, headers=[("h", b"1")]), "wrong_partition")
    assert PLANNER.plan(letter, record, None) == Resend(
        letter.id,
        "buyer-messages",
        HOME,
        SHOP.encode(),
        record.value,
        [("h", b"1"), (REDRIVE_OF, b"3:17")],
        mended=False,
    )


def test_what_would_be_refused_again_is_left_out_with_the_reason_of_now() -> None:
    letter, record = refused(Consumed(5, b"{"))
    planned = PLANNER.plan(letter, record, None)
    assert isinstance(planned, LeftOut)
    assert (planned.reason, planned.detail.partition(":")[0]) == ("still_refused", "not_json")
    ahead, record = refused(Consumed(5, consumed("buyer-messages", 5, NOW_MS + 60_001).value), "clock_skew")
    assert isinstance(PLANNER.plan(ahead, record, None), LeftOut)
    past, record = refused(Consumed(5, consumed("buyer-messages", 5, NOW_MS + 60_000).value), "clock_skew")
    assert isinstance(PLANNER.plan(past, record, None), Resend)


def test_a_mended_one_is_sent_in_its_place() -> None:
    letter, record = refused(Consumed(5, b"{", key=b"shop-2", partition=1))
    mended = Mended(1, good().value, SHOP.encode())
    planned = PLANNER.plan(letter, record, mended)
    assert isinstance(planned, Resend)
    assert (planned.partition, planned.key, planned.value, planned.mended) == (HOME, SHOP.encode(), mended.value, True)
    assert isinstance(PLANNER.plan(letter, record, Mended(1, good().value, None)), LeftOut)  # its key is wrong still


def test_what_was_cut_can_only_be_sent_mended() -> None:
    letter, record = refused(good(headers=[]))
    cut = Letter(**{name: getattr(letter, name) for name in Letter.__slots__} | {"cut": frozenset({"value"})})
    planned = PLANNER.plan(cut, record, None)
    assert isinstance(planned, LeftOut)
    assert planned.reason == "cut"
    assert isinstance(PLANNER.plan(cut, record, Mended(1, record.value, None)), Resend)
    both = Letter(**{name: getattr(letter, name) for name in Letter.__slots__} | {"cut": frozenset({"value", "key"})})
    assert isinstance(PLANNER.plan(both, record, Mended(1, record.value, None)), LeftOut)
    assert isinstance(PLANNER.plan(both, record, Mended(1, record.value, SHOP.encode())), Resend)


def test_an_empty_value_that_stands_for_none_is_none_again() -> None:
    letter, record = refused(Consumed(5, None, key=None))
    planned = PLANNER.plan(letter, record, None)
    assert isinstance(planned, LeftOut)
    assert planned.detail.startswith("schema")  # not `not_json`, as an empty text would be
    tombstone, record = refused(Consumed(5, None, topic="shop-configs"))
    assert tombstone.topic == "shop-configs"
    sent = PLANNER.plan(tombstone, record, None)
    assert isinstance(sent, Resend)
    assert sent.value is None


def test_what_is_gone_and_what_is_of_another_prefix() -> None:
    letter, record = refused(good())
    gone = PLANNER.plan(letter, None, None)
    assert isinstance(gone, LeftOut)
    assert gone.reason == "gone"
    other, record = refused(good(topic="q-buyer-messages"))
    planned = PLANNER.plan(other, record, None)
    assert isinstance(planned, LeftOut)
    assert planned.reason == "unknown_topic"


def test_those_that_were_sent_or_came_back_are_left_alone() -> None:
    sent, _ = refused(good())
    back, _ = refused(good(headers=[(REDRIVE_OF, b"1:1")]))
    assert of_letters([sent], {sent.id}, also_returned=True)[1][0].reason == "already_sent"
    assert of_letters([back], set(), also_returned=False)[1][0].reason == "came_back"
    assert of_letters([back], set(), also_returned=True) == ([back], [])


def test_each_partition_keeps_its_order_whatever_the_times_say() -> None:
    letter, _ = refused(good())
    fields = {name: getattr(letter, name) for name in Letter.__slots__}

    def at(partition: int, offset: int, at_ms: int) -> Letter:
        return Letter(**fields | {"id": LetterId(partition, offset), "refused_at_ms": at_ms})

    letters = [at(0, 1, 50), at(0, 2, 10), at(1, 1, 20), at(1, 4, 60)]
    for some in permutations(letters):
        assert [tuple(each.id) for each in in_order(some)] == [(1, 1), (0, 1), (0, 2), (1, 4)]


# The file


def test_what_show_writes_is_what_from_takes() -> None:
    for number, value in enumerate([b'{"a": 1}', b"{", b"\xff\x00", None, b"[1]", b""]):
        line = orjson.dumps({"id": f"0:{number}", **editable(value), **text_or_base64("key", b"\xfe")})
        (read,) = read_mended([line], "f").items()
        expected = b'{"a":1}' if value == b'{"a": 1}' else value
        assert read == (LetterId(0, number), Mended(1, expected, b"\xfe"))
    assert text_or_base64("key", b"\xff") == {"key_base64": base64.b64encode(b"\xff").decode()}
    assert read_mended([b"\n", b'{"id":"1:2","value":"x","key":null}'], "f") == {LetterId(1, 2): Mended(2, b"x", None)}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "f:1: no JSON"),
        (b"[]", "$.id"),
        (b'{"id":7}', "$.id"),
        (b'{"id":"7","event":{}}', "partition:offset"),
        (b'{"id":"7:x","event":{}}', "partition:offset"),
        (b'{"id":"1:2"}', "expected one of event, value, value_base64"),
        (b'{"id":"1:2","event":{},"value":""}', "expected one of"),
        (b'{"id":"1:2","event":[]}', "$.event"),
        (b'{"id":"1:2","value":1}', "$.value: expected a string"),
        (b'{"id":"1:2","value_base64":"%"}', "$.value_base64: expected Base64"),
        (b'{"id":"1:2","event":{},"key":1}', "$.key: expected a string"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(line: bytes, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_mended([line], "f")
    assert "f:1: " in str(raised.value)
    assert says in str(raised.value)


def test_a_letter_stands_in_a_file_once() -> None:
    with pytest.raises(UsageError, match="f:2: 1:2 is in line 1 too"):
        read_mended([b'{"id":"1:2","event":{}}'] * 2, "f")
