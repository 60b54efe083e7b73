"""Routing a partition's inputs again from their beginning, without publishing anything.

The order is the lane's own (O2), with what was committed as the end of each topic. Timers fire with the events, as
ever. Those that the wall clock fired after the last event do not: the worker fires them when it comes back, with the
same assignment ids as before, which consumers drop.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import RANK, InvalidEvent, Topic
from streams.dead_letters import Record
from streams.lane.errors import InputExpiredError
from streams.lane.inputs import Fetched, Inputs, Reader
from streams.lane.restored import Bounds, inputs_of
from streams.routing import Router
from streams.settings import Settings

_FETCH_RECORDS = 5000


class Routed(NamedTuple):
    """A router that knows what the records made of it."""

    router: Router
    last_times: dict[Topic, int]
    """Time (ms) of the newest record of each topic."""
    events: int
    """Records that were read, bad ones among them."""


async def route_again(
    reader: AIOKafkaConsumer,
    settings: Settings,
    partition: int,
    *,
    partition_count: int,
    bounds: Mapping[Topic, Bounds],
    until: Mapping[Topic, int],
) -> Routed:
    """Route what is before some offsets.

    Args:
        reader: a consumer that reads committed records only.
        settings: for the names of the topics and the clock skew.
        partition: of each topic.
        partition_count: of the inputs.
        bounds: where each topic begins.
        until: where to stop, at most at the topic's end.

    Raises:
        InputExpiredError: if retention deletes records before they are read.
    """
    router, events, last_times = Router(), 0, dict[Topic, int]()
    partitions = inputs_of(settings, partition)
    at = {topic: bounds[topic].begin for topic in RANK}
    inputs = Inputs(
        partition,
        dict(at),
        {},
        reader=Reader(max_clock_skew_ms=settings.max_clock_skew_s * 1000, partition_count=partition_count),
        max_events=settings.max_batch_events,
        now=lambda: 0.0,
    )

    def feed(topic: Topic, position: int, records: Sequence[Record]) -> None:
        end = max(until[topic], at[topic])
        position = min(position, end)
        before_end = [record for record in records if record.offset < end]
        inputs.feed(topic, Fetched(at[topic], position, end, None, 0.0, 0, before_end))
        at[topic] = position

    reader.assign(list(partitions.values()))
    for topic, tp in partitions.items():
        reader.seek(tp, at[topic])
        feed(topic, at[topic], [])
    while True:
        while (batch := inputs.take()) is not None:
            last_times = batch.last_times
            for _, run in batch.runs:
                events += len(run)
                for _, event in run:
                    if not isinstance(event, InvalidEvent):
                        router.apply(event)
            router.take_stats()  # nobody asks for them
        wanted = [topic for topic in inputs.wanted() if at[topic] < until[topic]]
        if not wanted:
            return Routed(router, last_times, events)
        fetched = await reader.getmany(
            *(partitions[topic] for topic in wanted), timeout_ms=200, max_records=_FETCH_RECORDS
        )
        for topic in wanted:
            tp, records = partitions[topic], fetched.get(partitions[topic], [])
            position = await reader.position(tp)
            if (records[0].offset if records else position) > at[topic]:
                await _require_kept(reader, tp, at[topic])
            feed(topic, position, records)


async def _require_kept(reader: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> None:
    """Raise if what lies between an offset and the next record was deleted, rather than compacted or a marker."""
    begin = (await reader.beginning_offsets([tp]))[tp]
    if begin > offset:
        raise InputExpiredError(tp.topic, tp.partition, position=offset, begin=begin)
