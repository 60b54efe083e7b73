"""What is sent back for a letter, or why nothing is: decided here as the lane would decide it. It knows no broker."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from schemas.codec import RANK, Topic
from schemas.errors import InvalidEvent
from streams.dead_letters import REDRIVE_OF, Header, Record
from streams.lane.inputs import Reader
from streams.partitioner import partition_of
from streams.redrive.letters import Letter, LetterId, original_headers
from streams.redrive.mended import Mended

Reason = Literal["already_sent", "came_back", "cut", "gone", "newer_settings", "still_refused", "unknown_topic"]
"""Why a letter is not sent. `already_sent` alone is as it should be."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Resend(NamedTuple):
    """A record to send to an input topic."""

    letter: LetterId
    topic: Topic
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    mended: bool


class LeftOut(NamedTuple):
    """A letter that is not sent; `detail` never holds its text."""

    letter: LetterId
    reason: Reason
    detail: str


@dataclass(slots=True)
class Outcome:
    """What was sent (or, in a dry run, would be), and what was not."""

    sent: list[Resend] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def count(self, reason: Reason) -> int:
        """How many were left out for a reason."""
        return sum(each.reason == reason for each in self.left_out)

    @property
    def findings(self) -> list[LeftOut]:
        """Those that somebody has to look at."""
        return [each for each in self.left_out if each.reason != "already_sent"]


@dataclass(slots=True)
class _Again:
    """The record as it would arrive."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    offset: int = 0
    headers: Sequence[Header] = ()


class Planner:
    """Decides what becomes of each letter.

    Args:
        partition_count: of the input topics.
        max_clock_skew_ms: as the workers have it.
        now_ms: the timestamp that the records will get from the broker, about.
    """

    def __init__(self, *, partition_count: int, max_clock_skew_ms: int, now_ms: int) -> None:
        self._partition_count = partition_count
        self._reader = Reader(max_clock_skew_ms=max_clock_skew_ms, partition_count=partition_count)
        self._now_ms = now_ms

    def plan(self, letter: Letter, record: Record | None, mended: Mended | None) -> Resend | LeftOut:
        """What to send for a letter.

        It goes to the partition of its key: where it was, unless its partition or its key was what was wrong.

        Args:
            letter: the letter.
            record: the same with its value; None if it is gone from the topic.
            mended: what to send in its place; None: itself.
        """
        if letter.topic not in RANK:
            return LeftOut(letter.id, "unknown_topic", f"it came from {letter.topic}: see FENLIU_TOPIC_PREFIX")
        if record is None:
            return LeftOut(letter.id, "gone", "the topic's retention has removed it")
        topic: Topic = letter.topic
        key, value = record.key, record.value
        if "null" in letter.cut:
            value = None
        cut = letter.cut & {"key", "value"}
        if mended is not None:
            value = mended.value
            key = key if mended.key is None else mended.key
            cut = cut - {"value"} if mended.key is None else frozenset()
        if cut:
            return LeftOut(letter.id, "cut", f"its {' and '.join(sorted(cut))} was cut: publish it anew")
        partition = letter.partition if key is None else partition_of(key, self._partition_count)
        again = _Again(topic, partition, key, value, self._now_ms)
        event = self._reader.read(topic, again)
        if isinstance(event, InvalidEvent):
            return LeftOut(letter.id, "still_refused", f"{event.code}: {event.detail}")
        headers = [*original_headers(record.headers), (REDRIVE_OF, str(letter.id).encode())]
        return Resend(letter.id, topic, partition, key, value, headers, mended is not None)


def of_letters(
    letters: Sequence[Letter], redriven: set[LetterId], *, also_returned: bool
) -> tuple[list[Letter], list[LeftOut]]:
    """The letters to plan for, and those that are left out without a look at their values.

    Args:
        letters: what was selected.
        redriven: what was sent back before.
        also_returned: whether those count that were sent back and came back: left alone, a record that the workers
            refuse again and again would be sent at every run.
    """
    wanted, left_out = [], []
    for letter in letters:
        if letter.id in redriven:
            left_out.append(LeftOut(letter.id, "already_sent", "it was sent back before"))
        elif letter.returned and not also_returned:
            left_out.append(LeftOut(letter.id, "came_back", f"it was sent back as {letter.returned} and refused again"))
        else:
            wanted.append(letter)
    return wanted, left_out
