"""Event files as lines: plain, gzipped or standard input, each line with where it stands."""

import gzip
import io
import os
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from streams.errors import UsageError
from streams.replay import forms

STANDARD_INPUT = "-"

_FIRST_OF_MARK = BOM_UTF8[0]
_BETWEEN = 1000
"""Lines between two looks at how far the file is read."""


class Line(NamedTuple):
    """A line that is not blank, without its line end."""

    file: str
    number: int
    text: bytes

    @property
    def place(self) -> str:
        """Where it stands, as editors and compilers write it: `FILE:LINE`."""
        return f"{shown(self.file)}:{self.number}"


def shown(name: str) -> str:
    """A file's name as it can be written: not every one is UTF-8."""
    return os.fsencode(name).decode(errors="replace")


def read_lines(names: tuple[str, ...], advance: Callable[[int], None] = lambda _: None) -> Iterator[Line]:
    """The lines of some files, one file after another; blank ones are skipped, and a byte order mark is taken off.

    Args:
        names: the files; `-` is standard input, and what is gzipped is unpacked, whatever its name is.
        advance: called with how many bytes were read since the last call, as the files are stored.

    Raises:
        UsageError: a file cannot be read, or is of another form.
    """
    for name in names:
        try:
            with _open(name) as (stream, position_bytes):
                told_bytes = 0
                for number, text in enumerate(stream, start=1):
                    if text[0] == _FIRST_OF_MARK:  # of every file that was put behind another, too
                        text = text.removeprefix(BOM_UTF8) or b"\n"  # noqa: PLW2901
                    if not text.isspace():
                        yield Line(name, number, text.rstrip(b"\r\n"))
                    if not number % _BETWEEN:
                        now_bytes = position_bytes()
                        advance(now_bytes - told_bytes)
                        told_bytes = now_bytes
                advance(position_bytes() - told_bytes)
        except EOFError:
            raise forms.cut(shown(name)) from None
        except (gzip.BadGzipFile, zlib.error):
            raise forms.damaged(shown(name)) from None
        except OSError as error:
            raise UsageError(
                f"cannot be read: {error.strerror}",
                where=shown(name),
                mend="give a JSON Lines file, or - for standard input",
            ) from None


def size_bytes(names: tuple[str, ...]) -> int | None:
    """How large the files are together, as they are stored; None if standard input is among them."""
    if STANDARD_INPUT in names:
        return None
    return sum(path.stat().st_size for name in names if (path := Path(name)).is_file())


@contextmanager
def _open(name: str) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The bytes of a file, unpacked, and how many bytes of it as it is stored were read (0 for standard input)."""
    with _stored(name) as stored:
        head = stored.peek(forms.HEAD_BYTES)
        position_bytes = (lambda: 0) if name == STANDARD_INPUT else stored.tell
        if head.startswith(forms.GZIP):
            with (
                gzip.GzipFile(fileobj=stored) as unpacked,
                io.BufferedReader(unpacked, forms.HEAD_BYTES) as stream,
            ):
                forms.refuse_other_forms(stream.peek(forms.HEAD_BYTES), shown(name))
                yield stream, position_bytes
        elif name.endswith(".gz") and head:
            raise forms.not_gzipped(shown(name))
        else:
            forms.refuse_other_forms(head, shown(name))
            yield stored, position_bytes


@contextmanager
def _stored(name: str) -> Iterator["io.BufferedReader[io.RawIOBase]"]:
    """The bytes of a file as it is stored."""
    if name != STANDARD_INPUT:
        with Path(name).open("rb", buffering=0) as raw:
            stored: io.BufferedReader[io.RawIOBase] = io.BufferedReader(raw, forms.HEAD_BYTES)
            yield stored
        return
    stream = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer), forms.HEAD_BYTES)
    try:
        yield stream
    finally:
        stream.detach()  # standard input stays open
