"""Header names that are no UTF-8, which any client can send: aiokafka cannot read them and would stop there for ever.

Importing this module makes every consumer of the process read such a record all the same, with each byte in question
as a backslash, an x and two hexadecimal digits. Records are read by aiokafka as before, at no cost, until one fails;
then the rest of that fetch is read once more, by the slower reader that aiokafka has in Python, with more patience.
"""

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class _PatientBytes(bytearray):
    """Decodes whatever it holds."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _PatientBytes(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _PatientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    """A batch whose header names may be anything."""

    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _PatientBytes(self._buffer)


class _PatientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What a fetch brought, from the batch that holds an offset."""

    def __init__(self, content: bytes, offset: int) -> None:
        super().__init__(content)
        while self._next_slice is not None and self._batch(self._next_slice).next_offset <= offset:
            self._cache_next()

    def next_batch(self) -> Any:
        content = self._next_slice
        self._cache_next()
        return self._batch(content)

    def _batch(self, content: Any) -> Any:
        if content[self.MAGIC_OFFSET] >= 2:
            return _PatientBatch(content)
        return _MemoryRecordsPy(content).next_batch()  # such old ones have no headers


class KeptRecords(MemoryRecords):  # type: ignore[misc]
    """What a fetch brought, which keeps the bytes that it was made of."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of a fetch, in order; aiokafka's own, but for what it does when one cannot be read."""

    _records: Any
    _records_iterator: Any

    def __next__(self) -> Any:
        try:
            return next(self._records_iterator)
        except StopIteration:
            self._records_iterator = None
            raise
        except UnicodeDecodeError:
            # What was learned of aborted transactions holds: it is that of the batch at which reading goes on.
            self._records = _PatientRecords(self._records.content, self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return next(self._records_iterator)


fetcher.MemoryRecords = KeptRecords
fetcher.PartitionRecords = PartitionRecords
