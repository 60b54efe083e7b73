"""What is wrong with how a group stands to its inputs, and how it is mended: pure, it sees only what was described."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from aiokafka import TopicPartition

from streams.topic_findings import Problem

VERIFY = "fenliu state verify, which names the way out for each partition"
START = "start one: fenliu worker. If it does not stay up, the end of its log says why, and so does fenliu state verify"
OPEN_TRANSACTION = (
    "let its producer go on, or end the transaction: kafka-transactions.sh --bootstrap-server HOST:PORT "
    "describe-producers --topic {topic} --partition {partition}, then abort. By itself it ends after the producer's "
    "transaction.timeout.ms"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a group stands in one partition of an input. Positions are offsets."""

    tp: TopicPartition
    committed: int | None
    begin: int
    """The oldest record that is kept."""
    stable_end: int
    """Before the first record of a transaction that is open."""
    end: int
    compacted: bool = False

    @property
    def read_on(self) -> int:
        """Where a worker would go on."""
        return max(self.begin, self.committed or 0)

    @property
    def behind(self) -> int:
        """Records that are not routed; gaps and markers of transactions count."""
        return max(0, self.end - self.read_on)

    @property
    def beyond(self) -> bool:
        """Whether the group has committed more than there is."""
        return self.committed is not None and self.committed > self.end


def find(standings: Sequence[Standing], *, members: int, waits: bool, stuck: Iterable[Standing]) -> list[Problem]:
    """Everything that keeps records from being routed, the worst first.

    Args:
        standings: of every partition of the inputs.
        members: of the group.
        waits: whether a record that can be routed lies behind, not only markers of transactions.
        stuck: those whose open transaction was there a while ago already.
    """
    behind = sum(each.behind for each in standings)
    findings = [_recreated(topic, some) for topic, some in _by_topic(standings, lambda each: each.beyond)]
    findings += [_without_offset(topic, some) for topic, some in _by_topic(_alone(standings), lambda _: True)]
    if waits and not members:
        findings.append(Problem(f"no worker is in the group, and {behind:,} records wait", START))
    findings += [_open_transaction(each) for each in stuck]
    findings += [
        Problem(
            f"{each.tp.topic}, partition {each.tp.partition}: records {each.committed} to {each.begin - 1} were "
            "deleted unrouted",
            "they are lost; from now on keep them longer (the topic's retention.ms)",
        )
        for each in standings
        if each.committed is not None and each.committed < each.begin and not each.compacted
    ]
    return findings


def _alone(standings: Sequence[Standing]) -> list[Standing]:
    """Those without an offset beside others of their partition that have one: a transaction moves all four."""
    known = {each.tp.partition for each in standings if each.committed is not None}
    return [each for each in standings if each.committed is None and each.tp.partition in known]


def _by_topic(standings: Iterable[Standing], wanted: Callable[[Standing], bool]) -> list[tuple[str, list[Standing]]]:
    chosen = sorted(filter(wanted, standings), key=lambda each: each.tp)
    return [(topic, list(some)) for topic, some in groupby(chosen, key=lambda each: each.tp.topic)]


def _recreated(topic: str, some: Sequence[Standing]) -> Problem:
    first = some[0]
    return Problem(
        f"{topic}, {_partitions(some)}: the group has committed {first.committed} of partition {first.tp.partition}, "
        f"which ends at {first.end}. The topic was deleted and created anew, or lost records; no worker can start",
        VERIFY,
    )


def _without_offset(topic: str, some: Sequence[Standing]) -> Problem:
    return Problem(
        f"{topic}, {_partitions(some)}: the group has offsets of the other inputs and none of this one. The topic was "
        "deleted and created anew, or somebody deleted them; no worker can start",
        VERIFY,
    )


def _open_transaction(standing: Standing) -> Problem:
    topic, partition = standing.tp.topic, standing.tp.partition
    return Problem(
        f"{topic}, partition {partition}: a producer's transaction is open from offset {standing.stable_end} on, and "
        f"{standing.end - standing.stable_end:,} records wait for its end; the other inputs of the partition wait too",
        OPEN_TRANSACTION.format(topic=topic, partition=partition),
    )


def _partitions(some: Sequence[Standing]) -> str:
    numbers = ", ".join(str(each.tp.partition) for each in some)
    return f"partition{'s' * (len(some) != 1)} {numbers}"
