"""Reads the dead-letters topic and sends letters back, each once, however often it is asked and wherever it is killed.

1. Take the transactional id `<app id>-redrive`: whoever else sends letters back is fenced, and what a killed one had
   open is aborted or complete.
2. Read the topic to its very end: letters, and the markers of those that were sent back.
3. A few hundred letters a transaction: send them to their input topics, and write their markers. Committed together,
   they can never disagree.
"""

import asyncio
import heapq
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import groupby

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from schemas.codec import RANK
from streams import permissions
from streams.access import rights
from streams.dead_letters import Record
from streams.errors import FencedError, FoundError, UsageError
from streams.kafka_clients import administration, partition_counts, started
from streams.lane import faults
from streams.lane.transaction import TRANSACTION_TIMEOUT_S
from streams.redrive.letters import Contents, Letter, LetterId, Selection, add, marker
from streams.redrive.mended import Mended
from streams.redrive.newer import in_force, spare_newer
from streams.redrive.plan import LeftOut, Outcome, Planner, Resend, of_letters
from streams.settings import Settings
from streams.shop_configs import TOPIC
from streams.topic_reader import TopicReader, topic_reader

LETTERS_A_TRANSACTION = 200
"""So many are held with their values, which are 256 KiB at most if they can be used."""

Progress = Callable[[int, int], object]
"""Is told after each transaction how many letters are done, of how many."""


async def look(settings: Settings, selection: Selection) -> Contents:
    """What of a selection lies in the topic now.

    Raises:
        ClusterError: if there is no such topic.
        BrokerUnreachableError: if no broker answers.
    """
    async with _letters(settings) as reader:
        return await _read(settings, reader, selection)


async def with_values(settings: Settings, letters: Sequence[Letter]) -> AsyncIterator[tuple[Letter, Record]]:
    """Letters and their records, in the order given; those that have gone meanwhile are left out."""
    async with _letters(settings) as reader:
        for start in range(0, len(letters), LETTERS_A_TRANSACTION):
            some = letters[start : start + LETTERS_A_TRANSACTION]
            records = await _records(reader, some)
            for letter in some:
                if letter.id in records:
                    yield letter, records[letter.id]


async def redrive(
    settings: Settings,
    selection: Selection,
    *,
    mended: Mapping[LetterId, Mended] | None = None,
    dry_run: bool = False,
    replace_newer: Collection[str] = (),
    progress: Progress = lambda _done, _all: None,
) -> Outcome:
    """Send letters back to their input topics.

    Args:
        settings: where the cluster is, and what things are called there.
        selection: which letters; with `mended` those alone.
        mended: what to send in the place of letters.
        dry_run: look, and change nothing.
        replace_newer: shops whose settings may be replaced although they are newer than the letter's.
        progress: is told how far it is.

    Raises:
        FencedError: if somebody else began to send letters back.
        FoundError: if a mended letter cannot be used; nothing was sent.
        ClusterError: if there is no such topic, or the cluster does not allow it.
        BrokerUnreachableError: if no broker answers; what was not committed is sent at the next run.
    """
    if mended is not None:
        selection = Selection(ids=frozenset(mended))
    if dry_run:
        return await send_back(settings, selection, mended, None, progress, replace_newer)
    kafka = settings.kafka_client_kwargs()
    async with administration(kafka) as admin:
        await permissions.require(admin, rights(settings, "redrive"))
    producer = AIOKafkaProducer(
        **kafka,
        client_id=f"{settings.app_id}-redrive",
        transactional_id=f"{settings.app_id}-redrive",
        max_request_size=4 << 20,
    )
    async with started(producer, kafka):
        with fenced_in_words():
            return await send_back(settings, selection, mended, producer, progress, replace_newer)


@contextmanager
def fenced_in_words() -> Iterator[None]:
    """Say of a transactional id that was taken who has it."""
    try:
        yield
    except (ProducerFenced, InvalidProducerEpoch) as exc:
        raise FencedError(
            "another `fenliu dlq redrive` has started; what this one had under way was not sent",
            mend="let that one finish, then run this again: what was sent is not sent twice",
        ) from exc


async def send_back(
    settings: Settings,
    selection: Selection,
    mended: Mapping[LetterId, Mended] | None,
    producer: AIOKafkaProducer | None,
    progress: Progress,
    replace_newer: Collection[str] = (),
) -> Outcome:
    """Steps 2 and 3, with a producer that owns the transactional id; without one nothing is sent."""
    counts = await partition_counts(settings.kafka_client_kwargs())
    planner = Planner(
        partition_count=counts.get(settings.topic("buyer-messages"), 1),
        max_clock_skew_ms=settings.max_clock_skew_s * 1000,
        now_ms=int(time.time() * 1000),
    )
    async with _letters(settings) as reader:
        contents = await _read(settings, reader, selection)
        _require_all(selection, contents)
        wanted, left_out = of_letters(contents.letters, contents.redriven, also_returned=bool(selection.ids))
        outcome, ordered = Outcome(left_out=left_out), in_order(wanted)
        done = 0
        newest = await in_force(settings, _keys_of_settings(ordered, mended or {}))
        if mended is not None:
            await _require_usable(planner, reader, ordered, mended)
        for start in range(0, len(ordered), LETTERS_A_TRANSACTION):
            some = ordered[start : start + LETTERS_A_TRANSACTION]
            records = await _records(reader, some)
            plans = [
                spare_newer(
                    planner.plan(each, records.get(each.id), (mended or {}).get(each.id)), each, newest, replace_newer
                )
                for each in some
            ]
            sends = [each for each in plans if isinstance(each, Resend)]
            outcome.left_out += [each for each in plans if isinstance(each, LeftOut)]
            if producer is not None and sends:
                async with asyncio.timeout(TRANSACTION_TIMEOUT_S):
                    await _commit(settings, producer, sends)
            outcome.sent += [each._replace(value=None, headers=[]) for each in sends]
            done += len(some)
            progress(done, len(ordered))
    return outcome


def _keys_of_settings(letters: Iterable[Letter], mended: Mapping[LetterId, Mended]) -> set[bytes]:
    """The keys under which settings would be sent."""
    keys = set()
    for letter in letters:
        if letter.topic == TOPIC:
            other = mended[letter.id].key if letter.id in mended else None
            key = letter.key if other is None else other
            if key is not None:
                keys.add(key)
    return keys


async def _commit(settings: Settings, producer: AIOKafkaProducer, sends: Sequence[Resend]) -> None:
    """One transaction: the records, and the markers that they were sent."""
    await producer.begin_transaction()
    deliveries = [
        await producer.send(
            settings.topic(each.topic), each.value, key=each.key, partition=each.partition, headers=each.headers
        )
        for each in sends
    ]
    of_partition = defaultdict(list)
    for each in sends:
        of_partition[each.letter.partition].append(each.letter.offset)
    for partition, offsets in of_partition.items():
        value, headers = marker(offsets)
        topic = settings.topic("dead-letters")
        deliveries.append(await producer.send(topic, value, partition=partition, headers=headers))
    for failure in await asyncio.gather(*deliveries, return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure
    faults.reached("before_commit")
    await producer.commit_transaction()
    faults.reached("after_commit")


def in_order(letters: Iterable[Letter]) -> list[Letter]:
    """The order in which they are sent: that of each partition, and over all by the time of refusal.

    The letters of a shop are in one partition, unless its producer chose wrong ones.
    """
    by_partition = groupby(sorted(letters, key=lambda letter: letter.id), key=lambda letter: letter.id.partition)
    return list(heapq.merge(*(list(some) for _, some in by_partition), key=lambda letter: letter.refused_at_ms))


def _require_all(selection: Selection, contents: Contents) -> None:
    """Raise if letters that were named are not there."""
    missing = sorted(selection.ids - {letter.id for letter in contents.letters} - contents.redriven)
    if missing:
        raise UsageError(
            f"no such letter{'s' * (len(missing) != 1)}: {', '.join(map(str, missing))}; nothing was sent",
            mend="`fenliu dlq show` lists those that are there; retention may have removed them",
        )


async def _require_usable(
    planner: Planner, reader: TopicReader, letters: Sequence[Letter], mended: Mapping[LetterId, Mended]
) -> None:
    """Raise if a mended letter would be refused again, before anything is sent: the others could overtake it."""
    wrong = []
    for start in range(0, len(letters), LETTERS_A_TRANSACTION):
        some = letters[start : start + LETTERS_A_TRANSACTION]
        records = await _records(reader, some)
        for letter in some:
            planned = planner.plan(letter, records.get(letter.id), mended[letter.id])
            if isinstance(planned, LeftOut):
                wrong.append(f"line {mended[letter.id].line}, {letter.id}: {planned.detail}")
    if wrong:
        raise FoundError("\n".join(["nothing was sent; these would be refused again", *wrong]), mend="mend these lines")


@asynccontextmanager
async def _letters(settings: Settings) -> AsyncIterator[TopicReader]:
    async with topic_reader(settings, settings.topic("dead-letters")) as reader:
        yield reader


async def _read(settings: Settings, reader: TopicReader, selection: Selection) -> Contents:
    """Everything from the beginning: a marker stands after its letter, however old that is."""
    contents, topic_of = Contents(), {settings.topic(topic): topic for topic in RANK}
    await reader.from_beginning()
    async for record in reader.to_very_end():
        add(contents, record, topic_of, selection)
    contents.letters.sort(key=lambda letter: letter.id)
    return contents


async def _records(reader: TopicReader, letters: Iterable[Letter]) -> Mapping[LetterId, Record]:
    offsets = defaultdict(list)
    for letter in letters:
        offsets[letter.id.partition].append(letter.id.offset)
    return {
        LetterId(partition, offset): record
        for partition, wanted in offsets.items()
        for offset, record in (await reader.at(partition, sorted(wanted))).items()
    }
