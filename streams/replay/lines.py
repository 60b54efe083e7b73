"""Event files as lines: plain, gzipped or standard input, each line with where it stands."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from streams.errors import UsageError

STANDARD_INPUT = "-"

_BETWEEN = 1000
"""Lines between two looks at how far the file is read."""


class Line(NamedTuple):
    """A line that is not blank, without its line end."""

    file: str
    number: int
    text: bytes


def read_lines(names: tuple[str, ...], advance: Callable[[int], None] = lambda _: None) -> Iterator[Line]:
    """The lines of some files, one file after another; blank ones are skipped.

    Args:
        names: the files; `-` is standard input, and what ends in .gz is unpacked.
        advance: called with how many bytes were read since the last call, as the files are stored.

    Raises:
        UsageError: a file cannot be read.
    """
    for name in names:
        try:
            with _open(name) as (stream, position_bytes):
                told_bytes = 0
                for number, text in enumerate(stream, start=1):
                    if not text.isspace():
                        yield Line(name, number, text.rstrip(b"\r\n"))
                    if not number % _BETWEEN:
                        now_bytes = position_bytes()
                        advance(now_bytes - told_bytes)
                        told_bytes = now_bytes
                advance(position_bytes() - told_bytes)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot be read: {reason}", where=name, mend="give a JSON Lines file, or - for standard input"
            ) from None


def size_bytes(names: tuple[str, ...]) -> int | None:
    """How large the files are together, as they are stored; None if standard input is among them."""
    if STANDARD_INPUT in names:
        return None
    return sum(path.stat().st_size for name in names if (path := Path(name)).is_file())


@contextmanager
def _open(name: str) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The bytes of a file, unpacked, and how many bytes of it as it is stored were read (0 for standard input)."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer, lambda: 0
        return
    with Path(name).open("rb") as stored:
        if name.endswith(".gz"):
            with gzip.GzipFile(fileobj=stored) as unpacked, io.BufferedReader(unpacked) as stream:
                yield stream, stored.tell
        else:
            yield stored, stored.tell
