"""Traffic as JSON lines in a file, compressed if its name ends in .gz, or on standard output."""

import contextlib
import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from streams.errors import UsageError
from streams.simulate.record import Record

_BUFFER_BYTES = 1 << 20


def write_lines(records: Iterable[Record], path: str) -> None:
    """Write each record's value as a line; `-` is standard output.

    Raises:
        UsageError: if the file cannot be written.
    """
    try:
        with _opened(path) as out:
            for record in records:
                if record.value is not None:
                    out.write(record.value)
                    out.write(b"\n")
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise UsageError(f"cannot be written: {exc.strerror}", where=path, mend="give another --out FILE") from exc


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(path).open("wb", buffering=_BUFFER_BYTES) as file:
        if not path.endswith(".gz"):
            yield file
            return
        # No name and no time in the header: the same traffic gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=5, fileobj=file, mtime=0) as packed:
            yield cast("BinaryIO", packed)
