"""The performance gate: what things cost against a fixed loop of plain Python on the same machine, a moment before.

Such ratios hold where times do not: on a slower machine, or a busy one, both grow. `gate.json` holds those that were
measured when they were last accepted; `tests/unit/bench` fails on the loss of a third of any speed.
`python -m tests.bench.gate --accept` measures and writes them anew: say in the commit why they grew.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

import msgspec
import orjson

from schemas.codec import decode, encode
from schemas.decisions import Assignment
from streams.routing import Merger, Router
from streams.simulate.record import Record
from tests.bench.backlog import mixed_records
from tests.bench.harness import frozen_heap
from tests.bench.workload import Scene, Traffic, endless_traffic, new_message, traffic

FILE = Path(__file__).with_name("gate.json")
ALLOWED = 1.5
"""A cost may grow by this: the loss of a third of the speed."""
ROUNDS = 20
ATTEMPTS = 3
"""What seems too slow is measured again: noise does not come back three times, a loss does."""
MESSAGES = 2_500

T = TypeVar("T")

Measure = Callable[[], float]
"""CPU seconds an item, of one short run."""


class Cost(msgspec.Struct, frozen=True):
    """A cost against another: 2.0 means twice as expensive."""

    name: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured, and the name of what it is compared with."""

    name: str
    measure: Measure
    against: str = "reference"


def measure(only: set[str] | None = None) -> dict[str, float]:
    """All costs, or some by name: the smallest of several rounds, in which all take turns with the reference."""
    subjects = _subjects()
    wanted = [subject for subject in subjects if only is None or subject.name in only]
    needed = {name for subject in wanted for name in (subject.name, subject.against)}
    timed = {subject.name: subject.measure for subject in subjects if subject.name in needed}
    timed["reference"] = _reference()
    least = dict.fromkeys(timed, float("inf"))
    with frozen_heap():
        for _ in range(ROUNDS):
            for name, run in timed.items():
                least[name] = min(least[name], run())
    return {subject.name: least[subject.name] / least[subject.against] for subject in wanted}


def losses(accepted: dict[str, float], *, only: set[str] | None = None, attempts: int = ATTEMPTS) -> dict[str, float]:
    """What costs more than it may, after several attempts: how many times the accepted cost, by name."""
    suspects: dict[str, float] = {}
    for _ in range(attempts):
        found = measure(set(suspects) or only)
        grown = {name: ratio / accepted[name] for name, ratio in found.items()}
        suspects = {name: times for name, times in grown.items() if times > ALLOWED}
        if not suspects:
            break
    return suspects


def names() -> set[str]:
    """Of everything that is measured."""
    return {subject.name for subject in _subjects()}


def accepted() -> dict[str, float]:
    """The ratios that are checked in."""
    return {cost.name: cost.ratio for cost in msgspec.json.decode(FILE.read_bytes(), type=list[Cost])}


@functools.cache
def _subjects() -> list[Subject]:
    small = Scene(10)
    records = list(mixed_records(8, 6_000))
    decisions = _decisions(traffic(small, MESSAGES))
    new = "a decision, new buyers"
    return [
        Subject(new, _deciding(traffic(small, MESSAGES))),
        Subject("a decision, returning buyers", _deciding(traffic(Scene(10, buyers="returning"), MESSAGES)), new),
        Subject("a decision, 10,000 agents", _large(Scene(10_000)), new),
        Subject("a mixed event", _mixing(traffic(small, MESSAGES))),
        Subject("decoding a record", _each(records, _decode)),
        Subject("ordering a record", _ordering(records)),
        Subject("encoding a decision", _each(decisions * 3, encode)),
        Subject("writing and loading a changed key", _keeping(traffic(small, MESSAGES))),
    ]


def _reference() -> Measure:
    """JSON in and out, dictionaries, strings and integers: what the product does, and never changes itself."""
    lines = [
        orjson.dumps({"id": f"m-{n:08d}", "shop": f"shop-{n % 97}", "at": n, "tags": ["a", "b"]}) for n in range(10_000)
    ]

    def run() -> float:
        counts: dict[str, int] = {}
        latest: dict[tuple[str, str], int] = {}
        began = time.process_time()
        for line in lines:
            event = orjson.loads(line)
            shop = event["shop"]
            counts[shop] = counts.get(shop, 0) + 1
            latest[shop, event["id"]] = event["at"] * 31 % 1009
            if len(latest) > 500:
                latest.pop(next(iter(latest)))
            orjson.dumps({"id": event["id"], "shop": shop, "n": counts[shop], "of": len(latest)})
        return (time.process_time() - began) / len(lines)

    return run


def _large(scene: Scene) -> Measure:
    """A shop that opens once; each run brings some more new buyers, who stay below everybody's limit."""
    router, numbers = Router(), count()
    for event in endless_traffic(scene)[0]:
        router.apply(event)

    def run() -> float:
        messages = [new_message(scene, next(numbers)) for _ in range(MESSAGES // 2)]
        began = time.process_time()
        for message in messages:
            router.apply(message)
        return (time.process_time() - began) / len(messages)

    return run


def _prepared(case: Traffic) -> Router:
    router = Router()
    for event in (*case.opening, *case.blocks[0].messages, *case.blocks[0].others):
        router.apply(event)
    return router


def _deciding(case: Traffic) -> Measure:
    def run() -> float:
        router, spent, items = _prepared(case), 0.0, 0
        for block in case.blocks[1:]:
            began = time.process_time()
            for message in block.messages:
                router.apply(message)
            spent += time.process_time() - began
            items += len(block.messages)
            for event in block.others:
                router.apply(event)
        return spent / items

    return run


def _mixing(case: Traffic) -> Measure:
    events = [event for block in case.blocks[1:] for event in (*block.messages, *block.others)]

    def run() -> float:
        apply = _prepared(case).apply
        began = time.process_time()
        for event in events:
            apply(event)
        return (time.process_time() - began) / len(events)

    return run


def _each(things: list[T], do: Callable[[T], object]) -> Measure:
    def run() -> float:
        began = time.process_time()
        for thing in things:
            do(thing)
        return (time.process_time() - began) / len(things)

    return run


def _decode(record: Record) -> object:
    return decode(record.topic, record.value, key=record.key, timestamp_ms=record.at_ms)


def _ordering(records: list[Record]) -> Measure:
    def run() -> float:
        merger: Merger[Record] = Merger()
        began = time.process_time()
        for record in records:
            merger.push(record.topic, record.at_ms, record)
        while merger.pop() is not None:
            pass
        return (time.process_time() - began) / len(records)

    return run


def _keeping(case: Traffic) -> Measure:
    events = [event for block in case.blocks[1:] for event in (*block.messages, *block.others)]

    def run() -> float:
        router, restored, spent, items = _prepared(case), Router(), 0.0, 0
        for change in router.take_changes():
            restored.load(*change)
        for place, event in enumerate(events, start=1):
            router.apply(event)
            if place % 500 == 0:
                began = time.process_time()
                changes = router.take_changes()
                for change in changes:
                    restored.load(*change)
                spent += time.process_time() - began
                items += len(changes)
        began = time.process_time()
        restored.finish_load()
        return (spent + time.process_time() - began) / items

    return run


def _decisions(case: Traffic) -> list[Assignment]:
    router, decisions = _prepared(case), []
    for block in case.blocks[1:]:
        for message in block.messages:
            decisions += [each for each in router.apply(message) if isinstance(each, Assignment)]
    return decisions


def main() -> int:
    """Say what is measured beside what is accepted; with --accept, accept it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write gate.json")
    options = parser.parse_args()
    before = accepted() if FILE.exists() else {}
    found = measure()
    for name, ratio in found.items():
        was = f"accepted {before[name]:.2f}" if name in before else "new"
        sys.stdout.write(f"{name:40} {ratio:6.2f}  {was}\n")
    if options.accept:
        costs = [Cost(name, round(ratio, 2)) for name, ratio in found.items()]
        FILE.write_bytes(msgspec.json.format(msgspec.json.encode(costs)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
