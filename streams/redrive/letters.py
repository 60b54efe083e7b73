"""What lies in the dead-letters topic: letters, and markers that say which of them were sent back. It knows no broker.

A marker is a record in the letters' own partition, written in the transaction that sent them back. So it is read
together with them, goes when they go, and nothing else (an offset of a group, say) has to be kept as long as they are.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from schemas.codec import Topic
from streams.dead_letters import REDRIVE_OF, Header, Record

REDRIVEN = "fenliu.redriven"
"""The header of a marker: how many letters of its partition it is about. Its value names their offsets."""


class LetterId(NamedTuple):
    """Where a letter is in the dead-letters topic; it never changes, and people write it `3:17`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "LetterId":
        """From `3:17`.

        Raises:
            ValueError: if it is none.
        """
        partition, colon, offset = text.partition(":")
        if not (colon and partition.isdecimal() and offset.isdecimal()):
            raise ValueError(f"{text!r} is no letter: write it as `fenliu dlq show` does, partition:offset, like 3:17")
        return cls(int(partition), int(offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter without its value. Times are milliseconds since 1970."""

    id: LetterId
    refused_at_ms: int
    """Its timestamp in the dead-letters topic."""
    key: bytes | None
    code: str
    detail: str
    topic: str
    """Where it came from, as the documents call it (without prefix)."""
    partition: int
    offset: int
    timestamp_ms: int
    """The broker's timestamp of the refused record; -1 if it had none."""
    cut: frozenset[str] = frozenset()
    """What of it was shortened or left out; `null`: an empty value stands for none."""
    returned: str = ""
    """The letter that was sent back before and came back as this one."""

    @property
    def shop(self) -> str:
        """The key as text, which is the shop unless the key was what was wrong."""
        return "" if self.key is None else self.key.decode(errors="replace")


@dataclass(slots=True)
class Contents:
    """What a look at the topic found."""

    letters: list[Letter] = field(default_factory=list)
    """In the order of each partition."""
    redriven: set[LetterId] = field(default_factory=set)
    """Those that were sent back; some may be gone from the topic."""
    others: int = 0
    """Records that fenliu did not write."""

    def open(self) -> list[Letter]:
        """Those that were not sent back."""
        return [letter for letter in self.letters if letter.id not in self.redriven]


class Selection(NamedTuple):
    """Which letters are meant; what is empty or None leaves none out."""

    ids: frozenset[LetterId] = frozenset()
    codes: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    shops: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is one of them; `until_ms` itself is not."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.codes or letter.code in self.codes)
            and (not self.topics or letter.topic in self.topics)
            and (not self.shops or letter.shop in self.shops)
            and (self.since_ms is None or letter.refused_at_ms >= self.since_ms)
            and (self.until_ms is None or letter.refused_at_ms < self.until_ms)
        )


def add(contents: Contents, record: Record, topic_of: dict[str, Topic], selection: Selection) -> None:
    """Take one record of the topic, in the order of its partition.

    Args:
        contents: what was found so far.
        record: the next one.
        topic_of: the documents' name of each input topic by its name on the cluster.
        selection: letters that it does not take are passed over.
    """
    names = {name for name, _ in record.headers}
    if REDRIVEN in names:
        contents.redriven.update(LetterId(record.partition, offset) for offset in _marked(record))
        return
    letter = _letter(record, topic_of) if "fenliu.error" in names else None
    if letter is None:
        contents.others += 1
    elif selection.takes(letter):
        contents.letters.append(letter)


def marker(offsets: Sequence[int]) -> tuple[bytes, list[Header]]:
    """Value and headers of the marker of these letters of one partition."""
    value = orjson.dumps({"type": "redriven", "offsets": list(offsets)})
    return value, [(REDRIVEN, str(len(offsets)).encode())]


def original_headers(headers: Iterable[Header]) -> list[Header]:
    """The headers that the record came with."""
    return [header for header in headers if not header[0].startswith("fenliu.")]


def _marked(record: Record) -> list[int]:
    try:
        offsets = orjson.loads(record.value or b"null")["offsets"]
    except (ValueError, TypeError, KeyError):
        return []
    return [offset for offset in offsets if isinstance(offset, int)] if isinstance(offsets, list) else []


def _letter(record: Record, topic_of: dict[str, Topic]) -> Letter | None:
    told = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    cuts = [(value or b"").decode(errors="replace") for name, value in record.headers if name == "fenliu.cut"]
    try:
        return Letter(
            id=LetterId(record.partition, record.offset),
            refused_at_ms=record.timestamp,
            key=record.key,
            code=told["fenliu.error"],
            detail=told.get("fenliu.error.detail", ""),
            topic=topic_of.get(told["fenliu.topic"], told["fenliu.topic"]),
            partition=int(told["fenliu.partition"]),
            offset=int(told["fenliu.offset"]),
            timestamp_ms=int(told["fenliu.timestamp"]),
            cut=frozenset(part for cut in cuts for part in cut.split(",")),
            returned=told.get(REDRIVE_OF, ""),
        )
    except (KeyError, ValueError):
        return None


# Counting, for `dlq ls`


class Group(NamedTuple):
    """How many letters have the same of what is grouped by. Times are milliseconds since 1970."""

    by: tuple[str, ...]
    letters: int
    open: int
    returned: int
    first_ms: int
    last_ms: int


def grouped(contents: Contents, by: Sequence[str], instant: Callable[[int], str]) -> list[Group]:
    """The letters counted, the largest group first; by time, the oldest first.

    Args:
        contents: what was found.
        by: any of `code`, `topic`, `shop`, `hour`, `day`.
        instant: an instant in words, `2025-11-11T08:30`, of which the beginning tells day and hour.
    """
    groups: dict[tuple[str, ...], list[Letter]] = {}
    for letter in contents.letters:
        groups.setdefault(tuple(_part(letter, each, instant) for each in by), []).append(letter)
    return sorted(
        (_group(name, letters, contents.redriven) for name, letters in groups.items()),
        key=lambda group: (group.by if {"hour", "day"} & set(by) else (), -group.open, -group.letters, group.by),
    )


def _part(letter: Letter, by: str, instant: Callable[[int], str]) -> str:
    if by in {"hour", "day"}:
        return instant(letter.refused_at_ms)[: 13 if by == "hour" else 10]
    return str(getattr(letter, by))


def _group(name: tuple[str, ...], letters: list[Letter], redriven: Collection[LetterId]) -> Group:
    times = [letter.refused_at_ms for letter in letters]
    return Group(
        by=name,
        letters=len(letters),
        open=sum(letter.id not in redriven for letter in letters),
        returned=sum(bool(letter.returned) for letter in letters),
        first_ms=min(times),
        last_ms=max(times),
    )
