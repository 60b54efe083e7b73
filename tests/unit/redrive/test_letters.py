"""Which letters there are, which were sent back, and which are meant."""

from streams.dead_letters import REDRIVE_OF, Header, dead_letter
from streams.redrive.letters import Contents, Group, LetterId, Selection, add, grouped, marker
from tests.unit.lane.records import START_MS, Consumed
from tests.unit.test_dead_letters import ERROR

TOPICS = {"p-buyer-messages": "buyer-messages", "p-agent-status": "agent-status"}


def lying(offset: int, *, topic: str = "p-buyer-messages", at_ms: int = 5, **headers: bytes) -> Consumed:
    """A letter as it stands in the topic."""
    given: list[Header] = [(name.replace("_", "."), value) for name, value in headers.items()]
    letter = dead_letter(Consumed(70 + offset, b"{", topic=topic, partition=2, headers=given), ERROR)
    headers_there = [
        (name, value) if name != "fenliu.error" or "code" not in headers else (name, headers["code"])
        for name, value in letter.headers
    ]
    return Consumed(offset, letter.value, key=letter.key, timestamp=at_ms, partition=3, headers=headers_there)


def found(*records: Consumed, selection: Selection = Selection()) -> Contents:  # noqa: B008  it is a constant
    contents = Contents()
    for record in records:
        add(contents, record, TOPICS, selection)  # type: ignore[arg-type]
    return contents


def test_a_letter_says_where_it_was_and_why() -> None:
    (letter,) = found(lying(17)).letters
    assert (str(letter.id), letter.topic, letter.partition, letter.offset) == ("3:17", "buyer-messages", 2, 87)
    assert (letter.code, letter.detail, letter.timestamp_ms, letter.refused_at_ms) == (
        "schema",
        "$.shop_id: expected a string",
        START_MS + 1_000_000,
        5,
    )
    assert (letter.key, letter.shop, letter.cut, letter.returned) == (b"shop-1", "shop-1", frozenset(), "")


def test_what_was_cut_and_what_came_back() -> None:
    record = Consumed(1, b"v" * (2 << 20), key=None, headers=[(REDRIVE_OF, b"3:2"), ("h", b"x" * (1 << 20))])
    letter = dead_letter(record, ERROR)
    (seen,) = found(Consumed(4, letter.value, key=None, headers=letter.headers)).letters
    assert seen.cut == {"value", "headers"}
    none = dead_letter(Consumed(1, None, key=None, headers=[("h", b"x" * (1 << 20))]), ERROR)
    (seen,) = found(Consumed(4, none.value, key=None, headers=none.headers)).letters
    assert seen.cut == {"null", "headers"}
    again = dead_letter(Consumed(1, b"{", headers=[(REDRIVE_OF, b"3:2")]), ERROR)
    (seen,) = found(Consumed(4, again.value, headers=again.headers)).letters
    assert seen.returned == "3:2"


def test_a_marker_names_letters_of_its_partition() -> None:
    value, headers = marker([17, 19])
    contents = found(lying(17), lying(18), lying(19), Consumed(20, value, partition=3, headers=headers))
    assert contents.redriven == {LetterId(3, 17), LetterId(3, 19)}
    assert [letter.id.offset for letter in contents.open()] == [18]
    assert contents.others == 0


def test_an_input_record_cannot_pass_for_a_marker() -> None:
    _, headers = marker([1])
    letter = dead_letter(Consumed(0, b"{}", headers=headers), ERROR)
    contents = found(lying(1), Consumed(2, letter.value, headers=letter.headers))
    assert len(contents.letters) == 2
    assert contents.redriven == set()


def test_records_of_others_are_counted_and_nothing_else() -> None:
    broken = [
        Consumed(1, b"[]", headers=[("fenliu.redriven", b"1")]),
        Consumed(1, b"{", headers=[("fenliu.redriven", b"")]),
    ]
    contents = found(Consumed(0, b"hello"), Consumed(1, b"", headers=[("fenliu.error", b"schema")]), *broken)
    assert (contents.letters, contents.redriven, contents.others) == ([], set(), 2)


def test_a_selection_takes_those_that_fit_all_it_names() -> None:
    records = [lying(1, at_ms=100), lying(2, at_ms=200, topic="p-agent-status"), lying(3, at_ms=300, code=b"config")]

    def taken(selection: Selection) -> list[int]:
        return [letter.id.offset for letter in found(*records, selection=selection).letters]

    assert taken(Selection()) == [1, 2, 3]
    assert taken(Selection(ids=frozenset({LetterId(3, 2)}))) == [2]
    assert taken(Selection(codes=frozenset({"schema"}))) == [1, 2]
    assert taken(Selection(codes=frozenset({"schema"}), topics=frozenset({"agent-status"}))) == [2]
    assert taken(Selection(shops=frozenset({"shop-2"}))) == []
    assert taken(Selection(since_ms=200, until_ms=300)) == [2]


def test_they_are_counted_by_what_is_asked_for() -> None:
    value, headers = marker([1])
    contents = found(
        lying(1, at_ms=100),
        lying(2, at_ms=300),
        lying(3, at_ms=200, topic="p-agent-status"),
        Consumed(4, value, partition=3, headers=headers),
    )
    assert grouped(contents, ["code", "topic"], str) == [
        Group(("schema", "buyer-messages"), 2, 1, 0, 100, 300),
        Group(("schema", "agent-status"), 1, 1, 0, 200, 200),
    ]
    days = grouped(contents, ["day"], lambda at_ms: f"2025-11-{at_ms // 100:02}T08:30:00")
    assert [(group.by, group.letters) for group in days] == [
        (("2025-11-01",), 1),
        (("2025-11-02",), 1),
        (("2025-11-03",), 1),
    ]
    hours = grouped(contents, ["hour", "shop"], lambda _: "2025-11-11T08:30:00")
    assert [(group.by, group.letters, group.open) for group in hours] == [(("2025-11-11T08", "shop-1"), 3, 2)]
