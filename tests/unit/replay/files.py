"""Event files, and `fenliu replay` of them in this process."""

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.cli import main

Event = dict[str, Any]

START_MS = 1_772_409_600_000
"""The instant 0 of the events below: 2 March 2026, 00:00 UTC."""


def message(event_id: str, at_ms: int, *, shop: str = "s", buyer: str = "li", **fields: object) -> Event:
    return {
        "type": "buyer_message",
        "event_id": event_id,
        "shop_id": shop,
        "buyer_id": buyer,
        "occurred_at_ms": START_MS + at_ms,
        **fields,
    }


def status(status_: str, at_ms: int, *, shop: str = "s", agent: str = "an") -> Event:
    return {
        "type": "agent_status",
        "event_id": f"{agent}-{at_ms}",
        "shop_id": shop,
        "agent_id": agent,
        "occurred_at_ms": START_MS + at_ms,
        "status": status_,
    }


def reply(at_ms: int, *, shop: str = "s", agent: str = "an", buyer: str = "li") -> Event:
    return {
        "type": "agent_reply",
        "event_id": f"r{at_ms}",
        "shop_id": shop,
        "agent_id": agent,
        "buyer_id": buyer,
        "occurred_at_ms": START_MS + at_ms,
    }


def config(at_ms: int, *, shop: str = "s", **settings: object) -> Event:
    return {"type": "shop_config", "shop_id": shop, "occurred_at_ms": START_MS + at_ms, **settings}


def lines(events: Iterable[Event]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


@dataclass(frozen=True)
class Done:
    """How the command ended, and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def decisions(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.stdout.splitlines()]

    @property
    def ids(self) -> list[str]:
        return [decision["assignment_id"] for decision in self.decisions]


@dataclass
class Replaying:
    """Runs `fenliu replay`; relative names are files of a directory of the test's own."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    place: Path

    def write(self, name: str, content: bytes | Sequence[Event]) -> Path:
        """Make a file, of bytes or of events."""
        path = self.place / name
        path.write_bytes(content if isinstance(content, bytes) else lines(content))
        return path

    def __call__(self, *args: str | Path, stdin: bytes = b"") -> Done:
        out = io.TextIOWrapper(io.BytesIO())
        with self.patch.context() as patch:
            patch.chdir(self.place)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr(sys, "stdout", out)
            with pytest.raises(SystemExit) as leaving:
                main(["replay", *map(str, args)])
        assert isinstance(leaving.value.code, int)
        written = out.detach()
        assert isinstance(written, io.BytesIO)
        return Done(leaving.value.code, written.getvalue(), self.capture.readouterr().err)
