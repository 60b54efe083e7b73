"""Where the demo speaks: a terminal with a line of figures that stays at the bottom, or plain lines anywhere else."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

_PLAIN_WIDTH = 120
_WIDE = 110
_PLAIN_STATUS_EVERY_S = 5.0


class DemoConsole(Console):
    """A console that lets the command end quietly when nobody reads it any more."""

    def on_broken_pipe(self) -> NoReturn:
        """As for every other command: the caller deals with it."""
        raise BrokenPipeError


class Screen:
    """Says what happens. Colours only on a terminal and without NO_COLOR; control characters only on a terminal."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # a terminal without Chinese shows question marks
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._console = DemoConsole(
            force_terminal=self.is_terminal,
            width=None if self.is_terminal else _PLAIN_WIDTH,
            highlight=False,
            soft_wrap=False,
        )
        self._live: Live | None = None
        self._status_at_s = time.monotonic()

    @property
    def is_narrow(self) -> bool:
        """Whether lines with every column would be cut too early."""
        return self._console.width < _WIDE

    def say(self, text: RenderableType = "") -> None:
        """A paragraph or a table."""
        if self.is_terminal:
            self._console.print(text)
            return
        with self._console.capture() as captured:
            self._console.print(text)
        self._console.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))
        self._console.file.flush()

    def line(self, text: Text) -> None:
        """A line of the record: cut at a terminal's edge, whole elsewhere."""
        if self.is_terminal:
            self._console.print(text, no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(text, soft_wrap=True)

    def step(self, name: str, text: str) -> None:
        """A part is up."""
        self.line(Text.assemble(("✓ ", "green"), (f"{name:<9}", "bold"), text))

    @contextmanager
    def figures(self) -> Iterator[None]:
        """While this is open, `status` has a place of its own at the bottom of a terminal."""
        if not self.is_terminal:
            yield
            return
        with Live(Text(""), console=self._console, refresh_per_second=5, transient=True) as self._live:
            yield
        self._live = None

    def status(self, text: str) -> None:
        """The figures of this moment; without a terminal a line every few seconds."""
        if self._live is not None:
            self._live.update(Text.assemble(("─ ", "dim"), (text, "bold")))
        elif time.monotonic() - self._status_at_s >= _PLAIN_STATUS_EVERY_S:
            self._status_at_s = time.monotonic()
            self.line(Text(f"-- {text}"))
