"""Event files as lines: plain, gzipped or standard input, each line with where it stands."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from streams.errors import UsageError

STANDARD_INPUT = "-"


class Line(NamedTuple):
    """A line that is not blank, without its line end."""

    file: str
    number: int
    text: bytes


def read_lines(names: tuple[str, ...]) -> Iterator[Line]:
    """The lines of some files, one file after another; blank ones are skipped.

    Raises:
        UsageError: a file cannot be read.
    """
    for name in names:
        try:
            with _open(name) as stream:
                for number, text in enumerate(stream, start=1):
                    stripped = text.strip()
                    if stripped:
                        yield Line(name, number, stripped)
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


def _open(name: str) -> "IO[bytes] | nullcontext[IO[bytes]]":
    if name == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    if name.endswith(".gz"):
        return gzip.open(name)
    return Path(name).open("rb")
