"""A router with very many buyers or agents, in a process of its own.

`python -m tests.bench.population remembered|waiting|agents|growth|load COUNT FILE`. Every id comes out of
JSON, so no two events share a string, as in a worker. Prints one JSON object of figures.
"""

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from schemas.codec import Event, decode_line
from schemas.events import BuyerMessage
from streams.routing import Router
from streams.routing.snapshot import KEY_SEPARATOR
from tests.bench.harness import Stopwatch, rss_bytes
from tests.bench.workload import START_MS, agent_id, buyer_id

AGENTS_PER_SHOP = 20
BUYERS_PER_SHOP = 10_000
MEASURED = 20_000
STRIDE = 7_368_787
"""A prime: steps of this go through all buyers before one comes again, each far from the one before."""
SEPARATOR = KEY_SEPARATOR.encode()
BATCH = 1_000
"""Events between two looks at what changed, as in a worker under load; and records of a changelog read at once."""


def main() -> None:
    """Do one step and say what it cost."""
    step, count, file = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if step == "load":
        figures = load(file)
    elif step == "growth":
        figures = growth(count)
    elif step == "agents":
        shops = count // AGENTS_PER_SHOP
        figures = build(_messages(shops, shops), _statuses(shops), file)  # the first agent's buyer makes the share pool
    else:
        shops = max(1, count // BUYERS_PER_SHOP)
        talk = _messages(shops, count) if step == "waiting" else _conversations(shops, count)
        figures = build(_statuses(shops), talk, file)
    sys.stdout.write(json.dumps(figures))


def build(opening: Iterable[Event], events: Iterable[Event], file: Path) -> dict[str, float]:
    """Apply the events batch by batch: what they added to the memory. Writes the changelog to a file, compacted."""
    router, changes = Router(), Stopwatch()
    keys = 0
    latest: dict[tuple[str, bytes], bytes] = {}
    with file.open("wb") as changelog:
        for event in opening:
            router.apply(event)
        before_bytes = _settled_rss_bytes()
        events = iter(events)
        while batch := list(islice(events, BATCH)):
            for event in batch:
                router.apply(event)
            with changes.timed():
                changed = router.take_changes()
            keys += len(changed)
            for table, key, value in changed:
                if table == "last_contacts":  # in these events a buyer changes in one batch only
                    changelog.write(_line(table, key, value or b""))
                else:
                    latest[table, key] = value or b""
            del changed, batch
        after_bytes = _settled_rss_bytes()
        changelog.writelines(_line(table, key, value) for (table, key), value in latest.items())
    return {
        "before_bytes": before_bytes,
        "after_bytes": after_bytes,
        "changed_keys": keys,
        "changes_cpu_s": changes.cpu_s,
        "buyers": router.key_counts()["last_contacts"],
        "agents": router.key_counts()["pending_replies"],
    }


def load(file: Path) -> dict[str, float]:
    """Restore a router from a compacted changelog; to read the file is not timed."""
    router, restore = Router(), Stopwatch()
    keys = 0
    before_bytes = _settled_rss_bytes()
    with file.open("rb") as changelog:
        while lines := list(islice(changelog, BATCH)):
            records = [line.rstrip(b"\n").split(b"\t", 2) for line in lines]
            named = [(table.decode(), key, value or None) for table, key, value in records]
            with restore.timed():
                for table, key, value in named:
                    router.load(table, key, value)
            keys += len(named)
    with restore.timed():
        router.finish_load()
    return {
        "before_bytes": before_bytes,
        "after_bytes": _settled_rss_bytes(),
        "loaded_keys": keys,
        "load_cpu_s": restore.cpu_s,
        "load_wall_s": restore.wall_s,
        "buyers": router.key_counts()["last_contacts"],
    }


def growth(buyers: int) -> dict[str, float]:
    """What a decision costs in a router that remembers so many buyers, in microseconds."""
    shops = max(1, buyers // BUYERS_PER_SHOP)
    router = _remembering(shops, buyers)
    gc.collect()
    gc.freeze()  # as a worker does with what it restored
    returning = [_message(shops, place * STRIDE % buyers, f"back-{place}-") for place in range(MEASURED)]
    new = [_message(shops, buyers + number, "new") for number in range(MEASURED)]
    figures = {}
    for kind, messages in (("returning", returning), ("new", new)):
        watch = Stopwatch()
        with watch.timed():
            for message in messages:
                router.apply(message)
        figures[kind] = watch.cpu_s / len(messages) * 1e6
    return figures


def _remembering(shops: int, buyers: int) -> Router:
    """Restored from what one conversation a shop leaves, and from copies of it under other buyers' keys."""
    model, router = Router(), Router()
    for event in (*_statuses(shops), *_conversations(shops, shops)):
        model.apply(event)
    values = {}
    for table, key, value in model.take_changes():
        router.load(table, key, value)
        if table == "last_contacts":
            values[key.partition(SEPARATOR)[0]] = value
    for number in range(shops, buyers):
        shop = _shop_id(number % shops).encode()
        router.load("last_contacts", shop + SEPARATOR + buyer_id(number).encode(), values[shop])
    router.finish_load()
    return router


def _line(table: str, key: bytes, value: bytes) -> bytes:
    return b"\t".join((table.encode(), key, value)) + b"\n"


def _settled_rss_bytes() -> int:
    gc.collect()
    return rss_bytes()


def _statuses(shops: int) -> Iterator[Event]:
    """All agents of all shops come online."""
    for shop in range(shops):
        for number in range(AGENTS_PER_SHOP):
            yield _event(
                type="agent_status", event_id=f"s{shop:06d}-{number:04d}", shop_id=_shop_id(shop),
                agent_id=agent_id(number), occurred_at_ms=START_MS, status="online",
            )  # fmt: skip


def _conversations(shops: int, buyers: int) -> Iterator[Event]:
    """Every buyer writes once and is answered."""
    for number, message in enumerate(_messages(shops, buyers)):
        yield message
        yield _event(
            type="agent_reply", event_id=f"01JCE7Q4MZ{number:016d}", shop_id=message.shop_id,
            agent_id=agent_id(number % AGENTS_PER_SHOP), buyer_id=buyer_id(number),
            occurred_at_ms=message.occurred_at_ms + 5,
        )  # fmt: skip


def _messages(shops: int, buyers: int) -> Iterator[BuyerMessage]:
    """Every buyer writes once, the shops by turns."""
    return (_message(shops, number, "01JCE7Q4MY") for number in range(buyers))


def _message(shops: int, number: int, event: str) -> BuyerMessage:
    message = _event(
        type="buyer_message", event_id=f"{event}{number:016d}", shop_id=_shop_id(number % shops),
        buyer_id=buyer_id(number), occurred_at_ms=START_MS + 1_000 + 10 * number, order_state="paid",
    )  # fmt: skip
    assert isinstance(message, BuyerMessage)
    return message


def _event(**fields: object) -> Event:
    return decode_line(json.dumps(fields).encode())[1]


def _shop_id(number: int) -> str:
    return f"taobao:{2208000000 + number}"


if __name__ == "__main__":
    main()
