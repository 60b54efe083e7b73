"""A header name that is no UTF-8 stops nobody."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from streams.dead_letters import Header
from streams.lane import header_names

GOOD: list[Header] = [("naïve", b"1")]


class BadName(str):
    """A name that a client in another language sends."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:  # noqa: ARG002
        return b"x\xff"


BAD: list[Header] = [(BadName(), b"2"), ("after", None)]


def batch(first: int, *headers: list[Header], compression: int = 0, producer_id: int = -1) -> bytes:
    """Records with these headers, one each; their values are their numbers."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=compression,
        is_transactional=int(producer_id >= 0),
        producer_id=producer_id,
        producer_epoch=0,
        base_sequence=0,
        batch_size=1 << 20,
    )
    for number, each in enumerate(headers):
        builder.append(number, 1_000, b"k", str(first + number).encode(), each)
    built = builder.build()
    built[0:8] = first.to_bytes(8, "big")  # the base offset, which the CRC does not cover
    return bytes(built)


def read(content: bytes, start: int = 0, aborted: list[tuple[int, int]] | None = None) -> list[Any]:
    records = fetcher.MemoryRecords(content)
    return list(fetcher.PartitionRecords(TopicPartition("t", 0), records, aborted, start, None, None, True, 1))


def test_the_consumers_of_this_process_are_patient() -> None:
    assert fetcher.PartitionRecords is header_names.PartitionRecords


@pytest.mark.parametrize("compression", [0, 1, 3])
def test_every_record_comes_once_and_in_order(compression: int) -> None:
    first = batch(0, GOOD, GOOD, compression=compression)
    content = first + (
        batch(2, GOOD, BAD, GOOD, BAD, compression=compression)
        + batch(7, GOOD, compression=compression)
        + batch(8, BAD, compression=compression)
    )
    found = read(content)
    assert [(each.offset, each.value) for each in found] == [
        (offset, str(offset).encode()) for offset in (0, 1, 2, 3, 4, 5, 7, 8)
    ]
    assert [each.headers for each in found if each.offset in {3, 4}] == [
        (("x\\xff", b"2"), ("after", None)),
        (("naïve", b"1"),),
    ]
    assert [each.offset for each in read(content[len(first) :], start=4)] == [4, 5, 7, 8]


def test_what_was_aborted_stays_out() -> None:
    content = batch(0, BAD, producer_id=5) + batch(1, GOOD, BAD, producer_id=6) + batch(3, BAD, producer_id=5)
    assert [each.offset for each in read(content, aborted=[(5, 0)])] == [1, 2]


def test_other_defects_are_told() -> None:
    broken = bytearray(batch(0, BAD))
    broken[-1] ^= 1
    with pytest.raises(fetcher.Errors.CorruptRecordException):
        read(bytes(broken))
