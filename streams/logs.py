"""Logs on standard error, as text or as one JSON object a line: ids and numbers, never the payload of a record."""

import logging
import sys
import time
from typing import Literal

import orjson

REPEAT_S = 5.0
"""A client that cannot reach a broker says so at every attempt, up to 200 times a second; once in five is enough."""

CLIENT_LOGGERS = ("aiokafka", "faust", "mode", "asyncio")
"""These log keys and values at DEBUG, so they never log below WARNING, whatever FENLIU_LOG_LEVEL says."""

_MISLEADING = ("NotEnoughReplicas", "NOT_ENOUGH_REPLICAS")


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
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS, default=str).decode()


class ClientNoise(logging.Filter):
    """Lets a client's warning through once in `REPEAT_S`, and one that only looks like trouble never.

    Brokers answer the first produce of a transaction with NotEnoughReplicas while they verify it (from 3.6 on);
    aiokafka tries again a few milliseconds later, and nothing is wrong with the replicas.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show the record."""
        if record.levelno < logging.WARNING and str(record.msg).startswith("[^"):
            return False  # Faust's services say when they start and stop, in the name of the class that they are of.
        if not record.name.startswith(CLIENT_LOGGERS):
            return True
        text = record.getMessage()
        if record.name == "aiokafka.producer.sender" and any(word in text for word in _MISLEADING):
            return False
        if record.levelno < logging.WARNING:
            return True
        now, key = time.monotonic(), (record.name, str(record.msg))
        if now - self._shown_at.get(key, -REPEAT_S) < REPEAT_S:
            return False
        self._shown_at[key] = now
        return True


def configure(log_format: Literal["text", "json"], level: str) -> None:
    """Send all logs of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(ClientNoise())
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What they say of themselves at every step is of use to their own developers; warnings are shown. Never DEBUG.
    for name in CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
