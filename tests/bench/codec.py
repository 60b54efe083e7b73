"""The codec: microseconds to read an event of each kind, and to write a decision.

Over simulated traffic, whose records differ from each other as real ones do.
"""

from functools import partial

from schemas.codec import RANK, TYPE_OF_TOPIC, Topic, decode, encode
from schemas.decisions import AgentPresence, Assignment
from streams.routing import Decision, Router
from streams.simulate import Record, SimulationOptions, simulate
from tests.bench.harness import BenchResult, Effort, Figure, Stopwatch, frozen_heap, repeat

MESSAGES = 30_000


def run(effort: Effort) -> BenchResult:
    """Measure each input topic but the rare shop-configs, and each kind of decision."""
    options = SimulationOptions(shops=10, hours=2, rate=effort.scaled(MESSAGES) / 7200, replies="sticky")
    records = list(simulate(options))
    decisions = _decisions(records)
    figures = []
    with frozen_heap():
        for topic in RANK:
            same = [record for record in records if record.topic == topic]
            if topic != "shop-configs":
                values = repeat(partial(_decode_us, topic, same), effort.repeats)
                figures.append(Figure(f"decode {TYPE_OF_TOPIC[topic]}", "µs of CPU", values))
        for kind, name in ((Assignment, "assignment"), (AgentPresence, "agent_presence")):
            of_kind = [decision for decision in decisions if isinstance(decision, kind)]
            values = repeat(partial(_encode_us, of_kind), effort.repeats)
            figures.append(Figure(f"encode {name}", "µs of CPU", values))
    return BenchResult("codec", "The codec", figures)


def _decisions(records: list[Record]) -> list[Decision]:
    router = Router()
    decisions: list[Decision] = []
    for record in records:
        decisions += router.apply(decode(record.topic, record.value, key=record.key, timestamp_ms=record.at_ms))
    return decisions


def _decode_us(topic: Topic, records: list[Record]) -> float:
    watch = Stopwatch()
    with watch.timed():
        for record in records:
            decode(topic, record.value, key=record.key, timestamp_ms=record.at_ms)
    return watch.cpu_s / len(records) * 1e6


def _encode_us(decisions: list[Decision]) -> float:
    watch = Stopwatch()
    with watch.timed():
        for decision in decisions:
            encode(decision)
    return watch.cpu_s / len(decisions) * 1e6
