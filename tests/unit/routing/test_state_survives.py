"""State that went through table records decides as if it had never left memory; batches leave no trace."""

import os
import subprocess
import sys
from itertools import pairwise
from random import Random

import pytest

from schemas.codec import encode
from streams.routing import Change, Decision, Router, StateError
from tests.reference.traffic import Item, random_events

Tables = dict[tuple[str, bytes], bytes]


def step(router: Router, item: Item) -> list[Decision]:
    return router.fire_timers(item) if isinstance(item, int) else router.apply(item)


def write_down(tables: Tables, changes: list[Change]) -> None:
    """What a compacted changelog keeps."""
    for table, key, value in changes:
        if value is None:
            tables.pop((table, key), None)
        else:
            tables[table, key] = value


def restored(tables: Tables, rng: Random) -> Router:
    router = Router()
    records = list(tables.items())
    rng.shuffle(records)  # tables are read side by side, and compaction keeps no order between keys
    for (table, key), value in records:
        router.load(table, key, value)
    router.finish_load()
    return router


@pytest.mark.parametrize("seed", range(120))
def test_a_restored_router_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    tables: Tables = {}
    kept, moving = Router(), Router()
    for item in random_events(seed, 150, ticks=True, section_13=seed % 2 == 1):
        assert step(moving, item) == step(kept, item)
        if rng.random() < 0.2:
            write_down(tables, moving.take_changes())
            moving = restored(tables, rng)
            counts = moving.key_counts()
            assert {table: counts[table] for table in counts} == {
                table: sum(name == table for name, _ in tables) for table in counts
            }
            assert moving.gauges() == kept.gauges()


@pytest.mark.parametrize("seed", range(40))
def test_how_events_are_batched_changes_neither_decisions_nor_state(seed: int) -> None:
    items = random_events(seed, 150, section_13=seed % 2 == 1)
    one_batch, single = Router(), Router()
    at_once = [encode(decision) for item in items for decision in step(one_batch, item)]
    tables: Tables = {}
    one_by_one = []
    for item in items:
        one_by_one += [encode(decision) for decision in step(single, item)]
        write_down(tables, single.take_changes())
    expected: Tables = {}
    write_down(expected, one_batch.take_changes())
    assert one_by_one == at_once
    assert tables == expected


def test_changes_come_once_each_and_in_order() -> None:
    router = Router()
    for item in random_events(7, 200):
        step(router, item)
    changes = router.take_changes()
    keys = [change.key.split(b"\x1f")[0] for change in changes]
    assert keys == sorted(keys)
    assert len({change[:2] for change in changes}) == len(changes)
    assert router.take_changes() == []


def test_hash_randomisation_changes_no_byte() -> None:
    program = (
        "from tests.reference.traffic import random_events, play\n"
        "from streams.routing import Router\n"
        "from schemas.codec import encode\n"
        "router = Router()\n"
        "for seed in range(12):\n"
        "    for decision in play(Router(), random_events(seed, 200)): print(encode(decision))\n"
        "    play(router, random_events(seed, 200, section_13=True))\n"
        "print(router.take_changes())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert len(next(iter(outputs))) > 100_000


def test_the_next_deadline_is_when_something_fires_and_not_before() -> None:
    fired = 0
    for seed in range(20):
        router = Router()
        for item in random_events(seed, 80):
            step(router, item)
        deadlines = []
        while (deadline_ms := router.next_deadline_ms()) is not None:
            deadlines.append(deadline_ms)
            router.take_changes()
            assert router.fire_timers(deadline_ms - 1) == []
            assert router.take_changes() == []
            router.fire_timers(deadline_ms)
            assert router.take_changes() != []
        assert all(earlier < later for earlier, later in pairwise(deadlines))
        fired += len(deadlines)
    assert fired > 20


def test_records_that_contradict_each_other_are_refused() -> None:
    router = Router()
    for item in random_events(3, 150):
        step(router, item)
    changes = router.take_changes()
    broken = Router()
    lost = next(
        change for change in changes if change.table == "last_contacts" and b'"owner_id"' in (change.value or b"")
    )
    for change in changes:
        if change is not lost:
            broken.load(*change)
    with pytest.raises(StateError, match="pending_replies says"):
        broken.finish_load()


@pytest.mark.parametrize(
    ("table", "value", "message"),
    [
        ("last_contacts", b"{", "last_contacts cannot be read"),
        ("pending_replies", b'{"pending": "many"}', "pending_replies cannot be read"),
        ("shops", b"[]", "shops cannot be read"),
        ("weather", b"{}", "no table 'weather'"),
    ],
)
def test_a_record_of_no_known_format_is_refused(table: str, value: bytes, message: str) -> None:
    with pytest.raises(StateError, match=message):
        Router().load(table, b"shop\x1fa", value)
