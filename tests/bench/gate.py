"""The performance gate: what things cost against something of the same nature that the product never changes.

What interprets Python is measured against a fixed loop of plain Python, what spends its time in a JSON library against
that library alone. Such ratios hold where times do not: on a slower machine, or a busy one, both grow. `gate.json`
holds those that were measured when they were last accepted; `make gate` fails on the loss of a third of any speed.
`python -m tests.bench.gate --accept` measures and writes them anew: say in the commit why they grew.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from operator import truediv
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
import orjson

from schemas.codec import decode, encode
from schemas.decisions import Assignment
from streams.routing import Merger, Router
from streams.simulate.record import Record
from tests.bench import crowds
from tests.bench.backlog import mixed_records
from tests.bench.harness import frozen_heap
from tests.bench.workload import Scene, Traffic, endless_traffic, new_message, traffic

FILE = Path(__file__).with_name("gate.json")
ALLOWED = 1.5
"""A cost may grow by this: the loss of a third of the speed."""
ROUNDS = 20
ATTEMPTS = 5
"""What seems too slow is measured again: noise does not come back every time, a loss does."""
MESSAGES = 2_500
FEW = 500
"""Records and decisions that are read and written again and again: few enough to stay in a core's own cache, whose
speed, unlike that of the memory behind it, is not shared with the neighbours of a rented machine."""
PLAIN_PYTHON = "plain Python"
PLAIN_READING = "orjson on the same records"
PLAIN_WRITING = "msgspec on the same decisions as dictionaries"

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
    against: str = PLAIN_PYTHON


def measure(only: set[str] | None = None) -> dict[str, float]:
    """All costs, or some by name: the median of several rounds, in each of which all take turns."""
    subjects = _subjects()
    wanted = [subject for subject in subjects if only is None or subject.name in only]
    needed = {name for subject in wanted for name in (subject.name, subject.against)}
    everything = _references() | {subject.name: subject.measure for subject in subjects}
    timed = {name: run for name, run in everything.items() if name in needed}
    rounds: dict[str, list[float]] = {name: [] for name in timed}
    with frozen_heap():
        for _ in range(ROUNDS):
            for name, run in timed.items():
                rounds[name].append(run())
    return {subject.name: median(map(truediv, rounds[subject.name], rounds[subject.against])) for subject in wanted}


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
    new = "a decision, new buyers"
    few_shops, few_waiting = f"an event, {crowds.SMALL} shops", f"an event, {crowds.SMALL} in the pool"
    return [
        Subject(new, _deciding(traffic(small, MESSAGES))),
        Subject("a decision, returning buyers", _deciding(traffic(Scene(10, buyers="returning"), MESSAGES)), new),
        Subject("a decision, 10,000 agents", _large(Scene(10_000)), new),
        Subject("a mixed event", _mixing(traffic(small, MESSAGES))),
        Subject(few_shops, _crowd(crowds.beside_shops, crowds.SMALL)),
        Subject(f"an event, {crowds.LARGE:,} shops", _crowd(crowds.beside_shops, crowds.LARGE), few_shops),
        Subject(few_waiting, _crowd(crowds.in_pool, crowds.SMALL)),
        Subject(f"an event, {crowds.LARGE:,} in the pool", _crowd(crowds.in_pool, crowds.LARGE), few_waiting),
        Subject("decoding a record", _each(_records(), _decode), PLAIN_READING),
        Subject("ordering a record", _ordering(_records())),
        Subject("encoding a decision", _each(_decisions(), encode), PLAIN_WRITING),
        Subject("writing and loading a changed key", _keeping(traffic(small, MESSAGES))),
    ]


@functools.cache
def _references() -> dict[str, Measure]:
    values = [record.value for record in _records() if record.value is not None]
    plain = [msgspec.to_builtins(decision) for decision in _decisions()]
    return {
        PLAIN_PYTHON: _plain_python,
        PLAIN_READING: _each(values, orjson.loads),
        PLAIN_WRITING: _each(plain, msgspec.json.Encoder().encode),
    }


def _plain_python() -> float:
    """JSON in and out, dictionaries, strings and integers: what the product does, and never changes itself."""
    counts: dict[str, int] = {}
    latest: dict[tuple[str, str], int] = {}
    began = time.process_time()
    for line in _lines():
        event = orjson.loads(line)
        shop = event["shop"]
        counts[shop] = counts.get(shop, 0) + 1
        latest[shop, event["id"]] = event["at"] * 31 % 1009
        if len(latest) > 500:
            latest.pop(next(iter(latest)))
        orjson.dumps({"id": event["id"], "shop": shop, "n": counts[shop], "of": len(latest)})
    return (time.process_time() - began) / len(_lines())


@functools.cache
def _lines() -> list[bytes]:
    return [
        orjson.dumps({"id": f"m-{n:08d}", "shop": f"shop-{n % 97}", "at": n, "tags": ["a", "b"]}) for n in range(10_000)
    ]


@functools.cache
def _records() -> list[Record]:
    return list(mixed_records(8, 6_000))[: 12 * FEW : 12] * 12


@functools.cache
def _decisions() -> list[Assignment]:
    case = traffic(Scene(10), MESSAGES)
    router = _prepared(case)
    events = (event for block in case.blocks[1:] for event in (*block.messages, *block.others))
    decided = (each for event in events for each in router.apply(event))
    return list(islice((each for each in decided if isinstance(each, Assignment)), FEW)) * 10


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


def _crowd(make: Callable[[int, int], Measure], size: int) -> Measure:
    """Made when it is measured: it takes a second or two."""
    made = functools.cache(make)

    def run() -> float:
        return made(size, MESSAGES // 2)()

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


def main() -> int:
    """Say what is measured beside what is accepted; with --accept, accept it; with --check, fail on a loss."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--accept", action="store_true", help="write gate.json")
    what.add_argument("--check", action="store_true", help="exit 1 if something has lost a third of its speed")
    options = parser.parse_args()
    if options.check:
        return _check()
    before = accepted() if FILE.exists() else {}
    found = measure()
    for name, ratio in found.items():
        was = f"accepted {before[name]:.2f}" if name in before else "new"
        sys.stdout.write(f"{name:40} {ratio:6.2f}  {was}\n")
    if options.accept:
        costs = [Cost(name, round(ratio, 2)) for name, ratio in found.items()]
        FILE.write_bytes(msgspec.json.format(msgspec.json.encode(costs)) + b"\n")
    return 0


def _check() -> int:
    lost = losses(accepted())
    for name, times in lost.items():
        sys.stdout.write(f"{name} costs {times:.2f} times what was accepted, in each of {ATTEMPTS} attempts\n")
    sys.stdout.write("some speed is lost\n" if lost else f"no speed has lost a third: {len(names())} compared\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
