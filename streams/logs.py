"""Logs on standard error, as text or as one JSON object a line: ids and numbers, never the payload of a record."""

import logging
import sys
import time
from dataclasses import dataclass
from typing import Literal, TextIO

import orjson

MINUTE_S = 60.0
OURS_A_MINUTE = 10
"""So often the same warning of ours is shown in a minute; how many more there were is told when it is over."""
CLIENTS_A_MINUTE = 4
"""A client that cannot reach a broker says so at every attempt, up to 200 times a second."""

CLIENT_LOGGERS = ("aiokafka", "faust", "mode", "asyncio")
"""These log keys and values at DEBUG, so they never log below WARNING, whatever FENLIU_LOG_LEVEL says."""

_MISLEADING = ("NotEnoughReplicas", "NOT_ENOUGH_REPLICAS")
_OF_SINGLE_MESSAGES = ("Has not committed", "Stream has not started processing", "Stream stopped processing")
"""What Faust says of a partition whose messages it does not see one by one, and whose offsets it does not commit."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without line breaks."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        left_out: int = getattr(record, "left_out", 0)
        if left_out:
            line["left_out"] = left_out
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS, default=str).decode()


class ClientNoise(logging.Filter):
    """Lets what clients say of themselves through from WARNING on, and what only looks like trouble never.

    Brokers answer the first produce of a transaction with NotEnoughReplicas while they verify it (from 3.6 on);
    aiokafka tries again a few milliseconds later, and nothing is wrong with the replicas. Faust watches a path of
    single messages that the lane replaces; whether partitions make progress say /healthz and the metrics.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show the record."""
        if record.levelno < logging.WARNING and str(record.msg).startswith("[^"):
            return False  # Faust's services say when they start and stop, in the name of the class that they are of.
        if any(words in str(record.msg) for words in _OF_SINGLE_MESSAGES):
            return False
        return not (
            record.name == "aiokafka.producer.sender" and any(word in record.getMessage() for word in _MISLEADING)
        )


@dataclass(slots=True)
class _Repeats:
    """The same warning, within a minute of its first time."""

    until: float
    last: logging.LogRecord
    shown: int = 0
    left_out: int = 0


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Shows the same warning a few times a minute, and then how many more there were.

    The same are those of one logger whose text is the same before the figures are put in. Our own errors are never left
    out: each says something that was lost or has ended. Clients write theirs at every retry.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._repeats: dict[tuple[str, str], _Repeats] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record, or count it. The caller holds the handler's lock."""
        now = time.monotonic()
        self._tell_left_out(now)
        of_a_client = record.name.startswith(CLIENT_LOGGERS)
        if not logging.WARNING <= record.levelno < (logging.CRITICAL if of_a_client else logging.ERROR):
            if record.levelno >= logging.ERROR:
                self._tell_left_out(float("inf"))  # what led to it stands before it
            super().emit(record)
            return
        repeats = self._repeats.setdefault((record.name, _text(record)), _Repeats(now + MINUTE_S, record))
        repeats.last = record
        if repeats.shown < (CLIENTS_A_MINUTE if of_a_client else OURS_A_MINUTE):
            repeats.shown += 1
            super().emit(record)
        else:
            repeats.left_out += 1

    def close(self) -> None:
        """Say what was left out, at the end of the process."""
        self._tell_left_out(float("inf"))
        super().close()

    def _tell_left_out(self, now: float) -> None:
        for key, repeats in [(key, repeats) for key, repeats in self._repeats.items() if repeats.until <= now]:
            del self._repeats[key]
            if repeats.left_out:
                super().emit(_summary(repeats))


def _text(record: logging.LogRecord) -> str:
    """What tells a warning from others: its text before the figures are put in, unless it is nothing but a figure."""
    text = str(record.msg)
    return record.getMessage() if text in {"%s", "%r"} else text


def _summary(repeats: _Repeats) -> logging.LogRecord:
    """The newest of those that were left out, and how many they were."""
    last = repeats.last
    summary = logging.LogRecord(
        last.name, last.levelno, last.pathname, last.lineno, "%s (and %d more like it in a minute, left out)",
        (last.getMessage(), repeats.left_out - 1), None,
    )  # fmt: skip
    summary.left_out = repeats.left_out
    return summary


def configure(log_format: Literal["text", "json"], level: str) -> None:
    """Send all logs of this process to standard error."""
    handler = LimitedHandler(sys.stderr)
    handler.addFilter(ClientNoise())
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What they say of themselves at every step is of use to their own developers; warnings are shown. Never DEBUG.
    for name in CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
