"""How lines lie in files changes nothing for a shop, as long as its own lines keep their order (section 10)."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import TYPE_OF_TOPIC, Event, encode
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from streams.replay.runner import Replay
from streams.routing import Router
from tests.reference.traffic import event_sequences, play

Sequences = event_sequences()
TYPES: dict[type, str] = {
    BuyerMessage: TYPE_OF_TOPIC["buyer-messages"],
    AgentStatus: TYPE_OF_TOPIC["agent-status"],
    AgentReply: TYPE_OF_TOPIC["agent-replies"],
}
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def as_line(event: Event) -> bytes:
    if isinstance(event, ShopConfigChange):
        envelope = {"type": "shop_config", "shop_id": event.shop_id, "occurred_at_ms": event.occurred_at_ms}
        return orjson.dumps(envelope | (orjson.loads(event.given) if event.given is not None else {"reset": True}))
    return orjson.dumps({"type": TYPES[type(event)], **msgspec.to_builtins(event)})


def outputs(files: Iterable[Iterable[bytes]], partitions: int | None = None) -> dict[str, list[bytes]]:
    """What comes out, by shop."""
    by_shop: dict[str, list[bytes]] = defaultdict(list)
    run = Replay(shops=[], partitions=partitions)
    with TemporaryDirectory() as place:
        names = []
        for number, lines in enumerate(files):
            path = Path(place) / f"{number}.jsonl"
            path.write_bytes(b"".join(line + b"\n" for line in lines))
            names.append(str(path))
        for decision in run.decide(run.read(tuple(names))):
            by_shop[decision.shop_id].append(encode(decision))
    assert run.bad_lines == 0
    return by_shop


def events_of(items: list[Event | int]) -> list[Event]:
    return [item for item in items if not isinstance(item, int)]


@given(Sequences, st.data())
@few
def test_how_lines_are_split_over_files_changes_nothing(items: list[Event | int], data: st.DataObject) -> None:
    lines = [as_line(event) for event in events_of(items)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    places = [0, *cuts, len(lines)]
    files = [lines[start:end] for start, end in pairwise(places)]
    assert outputs(files) == outputs([lines])


@given(Sequences, st.randoms(use_true_random=False))
@few
def test_lines_of_other_shops_may_stand_anywhere(items: list[Event | int], random: Random) -> None:
    queues: dict[str, list[bytes]] = defaultdict(list)
    for event in events_of(items):
        queues[event.shop_id].append(as_line(event))
    places = [shop_id for shop_id in sorted(queues) for _ in queues[shop_id]]
    random.shuffle(places)
    taken = {shop_id: iter(lines) for shop_id, lines in queues.items()}
    shuffled = [next(taken[shop_id]) for shop_id in places]
    assert outputs([shuffled]) == outputs([[as_line(event) for event in events_of(items)]])


@given(Sequences, st.randoms(use_true_random=False))
@few
def test_lines_of_other_types_may_stand_anywhere(items: list[Event | int], random: Random) -> None:
    """A shop's lines of one type are one topic, whatever stands between them."""
    queues: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for event in events_of(items):
        queues[event.shop_id, type(event).__name__].append(as_line(event))
    places = [key for key in sorted(queues) for _ in queues[key]]
    random.shuffle(places)
    taken = {key: iter(lines) for key, lines in queues.items()}
    shuffled = [next(taken[key]) for key in places]
    assert outputs([shuffled]) == outputs([[as_line(event) for event in events_of(items)]])


@given(Sequences, st.sampled_from([None, 1, 2, 5]))
@few
def test_lines_in_the_order_of_the_merge_are_decided_in_that_order(
    items: list[Event | int], partitions: int | None
) -> None:
    """What is in time and rank order already goes through the router as it stands."""
    ranks = (ShopConfigChange, AgentStatus, AgentReply, BuyerMessage)
    events = sorted(events_of(items), key=lambda event: (event.occurred_at_ms, ranks.index(type(event))))
    router = Router()
    last_ms = max(event.occurred_at_ms for event in events) if events else 0
    expected: dict[str, list[bytes]] = defaultdict(list)
    for decision in [decision for answer in play(router, [*events, last_ms]) for decision in answer]:
        expected[decision.shop_id].append(encode(decision))
    assert outputs([[as_line(event) for event in events]], partitions) == expected
