"""What must have come out of a run, and what differs: the replay of what was fed against what the cluster holds.

It takes the inputs as a consumer reads them back, gives them to `fenliu replay` as lines, and compares, byte for byte:
decisions shop by shop, dead letters, the state in the changelogs, and every checkpoint that was ever written.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import orjson

from schemas.codec import RANK, Event, InvalidEvent, Topic, encode
from schemas.decisions import Assignment
from streams.dead_letters import dead_letter
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, decode_checkpoint
from streams.lane.inputs import Reader
from streams.partitioner import partition_of
from streams.replay.runner import Replay
from streams.routing import TABLES, Router
from streams.routing.snapshot import StateError
from streams.settings import Settings
from streams.simulate.record import Record
from tests.faults.reading import Log, read_topics

if TYPE_CHECKING:
    from streams.replay.order import EventOrder

_SHOWN = 5
State = dict[tuple[str, bytes], bytes]


class OracleError(AssertionError):
    """The run was not exactly once; what differs first is in the message."""


@dataclass
class Verdict:
    """What was compared, for the report."""

    events: int = 0
    assignments: int = 0
    presence: int = 0
    dead_letters: int = 0
    state_keys: int = 0
    checkpoints: int = 0
    differences: list[str] = field(default_factory=list)

    def require(self) -> "Verdict":
        """Raise if anything differs.

        Raises:
            OracleError: with all that differs, in words.
        """
        if self.differences:
            raise OracleError("\n".join(self.differences))
        return self


@dataclass
class _Expected:
    assignments: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    presence: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    routers: dict[int, Router] = field(default_factory=lambda: defaultdict(Router))


async def judge(settings: Settings, fed: Sequence[Record], partitions: int) -> Verdict:
    """Compare all that a run left on the cluster with what it must have left.

    Args:
        settings: of the run.
        fed: what was published and committed.
        partitions: of the input topics.
    """
    verdict = Verdict()
    names = {topic: settings.topic(topic) for topic in (*RANK, "assignments", "agent-presence", "dead-letters")}
    logs = await read_topics(settings, names.values())
    inputs = {topic: logs[names[topic]] for topic in RANK}
    good, letters = _read_back(settings, inputs, fed, partitions, verdict)
    expected = _replay(good, partitions, verdict)
    verdict.assignments = _compare_decisions("assignments", expected.assignments, logs[names["assignments"]], verdict)
    verdict.presence = _compare_decisions("agent-presence", expected.presence, logs[names["agent-presence"]], verdict)
    for topic in ("assignments", "agent-presence"):
        _check_partitions(topic, logs[names[topic]], partitions, verdict)
    _compare_letters(letters, logs[names["dead-letters"]], verdict)
    await _compare_state(settings, expected, inputs, verdict)
    return verdict


def _read_back(
    settings: Settings, inputs: dict[Topic, Log], fed: Sequence[Record], partitions: int, verdict: Verdict
) -> tuple[list[bytes], list[tuple[Any, InvalidEvent]]]:
    """Lines for the replay and what goes to dead-letters, and whether the topics hold exactly what was fed."""
    reader = Reader(max_clock_skew_ms=settings.max_clock_skew_s * 1000, partition_count=partitions)
    lines: list[bytes] = []
    letters: list[tuple[Any, InvalidEvent]] = []
    held: Counter[tuple[Topic, bytes, bytes | None, bool]] = Counter()
    for topic, log in inputs.items():
        for records in log.values():
            for record in records:
                event = reader.read(topic, record)
                bad = isinstance(event, InvalidEvent)
                held[topic, record.key, record.value, bad] += 1
                if isinstance(event, InvalidEvent):
                    letters.append((record, event))
                else:
                    lines.append(record.value)
    verdict.events = sum(held.values())
    wanted = Counter((each.topic, each.key, each.value, each.spoiled) for each in fed)
    if held != wanted:
        verdict.differences.append(
            f"the harness is wrong: {(wanted - held).total()} records that were fed are not in the inputs (as good or "
            f"bad as they were meant), {(held - wanted).total()} others are: {list(held - wanted)[:_SHOWN]}"
        )
    return lines, letters


def _replay(lines: Iterable[bytes], partitions: int, verdict: Verdict) -> _Expected:
    """What `fenliu replay --partitions N --presence` writes, and the state that it ends with."""
    expected = _Expected()
    run = Replay(
        shops=[], partitions=partitions, report=lambda bad: verdict.differences.append(f"replay refuses {bad}")
    )
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        for line in lines:
            file.write(line + b"\n")
        file.flush()
        order = run.read((file.name,))

    def told() -> Iterator[Event]:
        for event in order:
            expected.routers[partition_of(event.shop_id.encode(), partitions)].apply(event)
            yield event

    for decision in run.decide(cast("EventOrder", told())):
        of_shop = expected.assignments if isinstance(decision, Assignment) else expected.presence
        of_shop[decision.shop_id].append(encode(decision))
    return expected


def _compare_decisions(topic: str, expected: dict[str, list[bytes]], log: Log, verdict: Verdict) -> int:
    seen: dict[str, list[bytes]] = defaultdict(list)
    count = 0
    for records in log.values():
        for record in records:
            seen[record.key.decode()].append(record.value)
            count += 1
    for shop in sorted(expected.keys() | seen.keys()):
        want, have = expected.get(shop, []), seen.get(shop, [])
        if want == have:
            continue
        at = next((i for i, (a, b) in enumerate(zip(want, have, strict=False)) if a != b), min(len(want), len(have)))
        missing, twice = Counter(want) - Counter(have), Counter(have) - Counter(want)
        verdict.differences.append(
            f"{topic} of {shop}: {len(have)} records instead of {len(want)}; {missing.total()} missing, "
            f"{twice.total()} too many; the first difference is number {at}:\n  must be {want[at : at + 1]}\n"
            f"  is      {have[at : at + 1]}"
        )
    return count


def _check_partitions(topic: str, log: Log, partitions: int, verdict: Verdict) -> None:
    """All decisions of a shop are in the partition of its inputs."""
    wrong = {record.key for number, records in log.items() for record in records
             if partition_of(record.key, partitions) != number}  # fmt: skip
    if wrong:
        verdict.differences.append(f"{topic}: decisions of {sorted(wrong)} are in another partition than their input")


def _compare_letters(letters: list[tuple[Any, InvalidEvent]], log: Log, verdict: Verdict) -> None:
    """Each bad record exactly once, with what was wrong; of one topic and partition in order."""
    expected: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for record, error in letters:
        expected[record.topic, record.partition].append(tuple(map(_plain, dead_letter(record, error))))
    seen: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for records in log.values():
        for record in records:
            headers = dict(record.headers)
            source = headers["fenliu.topic"].decode(), int(headers["fenliu.partition"])
            seen[source].append((record.key, record.value, tuple(map(tuple, record.headers))))
            verdict.dead_letters += 1
    for source in sorted(expected.keys() | seen.keys()):
        want, have = expected.get(source, []), seen.get(source, [])
        if want != have:
            missing, twice = Counter(want) - Counter(have), Counter(have) - Counter(want)
            verdict.differences.append(
                f"dead-letters of {source}: {len(have)} instead of {len(want)}; {missing.total()} missing, "
                f"{twice.total()} too many{'' if missing or twice else ', and in another order'}"
            )


def _plain(part: Any) -> Any:
    return tuple(map(tuple, part)) if isinstance(part, list) else part


async def _compare_state(settings: Settings, expected: _Expected, inputs: dict[Topic, Log], verdict: Verdict) -> None:
    changelogs = {table: settings.changelog(table) for table in (*TABLES, CHECKPOINTS)}
    logs = await read_topics(settings, changelogs.values())
    for number in logs[changelogs[CHECKPOINTS]]:
        model = expected.routers[number]
        want = {(change.table, change.key): change.value for change in model.take_changes() if change.value is not None}
        restored, have = Router(), State()
        for table in TABLES:
            for record in logs[changelogs[table]][number]:
                restored.load(table, record.key, record.value)
                if record.value is None:
                    have.pop((table, record.key), None)
                else:
                    have[table, record.key] = record.value
        verdict.state_keys += len(have)
        where = f"state of partition {number}"
        for what, keys in (
            ("are missing", want.keys() - have.keys()),
            ("should not be there", have.keys() - want.keys()),
            ("have another value", {key for key in want.keys() & have.keys() if want[key] != have[key]}),
        ):
            if keys:
                first = min(keys)
                verdict.differences.append(
                    f"{where}: {len(keys)} keys {what}, first {first}: must be {want.get(first)!r}, "
                    f"is {have.get(first)!r}"
                )
        try:
            restored.finish_load()
        except StateError as exc:
            verdict.differences.append(f"{where}: cannot be restored: {exc}")
        else:
            if restored.key_counts() != model.key_counts():
                verdict.differences.append(f"{where}: restored {restored.key_counts()}, must be {model.key_counts()}")
            _check_pending(restored, model, where, verdict)
        _check_checkpoints(number, logs[changelogs[CHECKPOINTS]][number], inputs, verdict)


def _check_pending(restored: Router, model: Router, where: str, verdict: Verdict) -> None:
    have, want = restored.gauges(), model.gauges()
    if have != want:
        verdict.differences.append(f"{where}: a router restored from it shows {have}, must be {want}")


def _check_checkpoints(number: int, records: list[Any], inputs: dict[Topic, Log], verdict: Verdict) -> None:
    """Offsets never go back, from one committed transaction to the next, and the last ones are behind all records."""
    before: Checkpoint | None = None
    for record in records:
        checkpoint = decode_checkpoint(record.value)
        verdict.checkpoints += 1
        for topic, offset in checkpoint.offsets.items():
            if before is not None and offset < before.offsets[topic]:
                verdict.differences.append(
                    f"checkpoint {record.offset} of partition {number}: {topic} goes from {before.offsets[topic]} "
                    f"back to {offset}"
                )
        before = checkpoint
    for topic, log in inputs.items():
        last = log[number][-1].offset + 1 if log[number] else 0
        done = 0 if before is None else before.offsets[topic]
        if done < last:
            verdict.differences.append(f"{topic}-{number} was routed to {done} of {last}")


def as_json(verdict: Verdict) -> bytes:
    """For reports."""
    return orjson.dumps(verdict, option=orjson.OPT_INDENT_2)
