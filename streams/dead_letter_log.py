"""Says in a worker's log that records were refused: at once, and then how many, not one line for each."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

TOLD_EVERY_S = 10.0
"""A producer that is broken makes hundreds a second; nobody would read so many lines."""


class DeadLetterLog:
    """Counts dead letters by code and tells them at most every TOLD_EVERY_S.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: Counter[str] = Counter()
        self._told_at = now() - TOLD_EVERY_S

    def note(self, codes: Mapping[str, int]) -> None:
        """A batch with so many of each code was committed."""
        if codes:
            self._counts.update(codes)
            self.tell()

    def tell(self) -> None:
        """Log what there is, if it is time."""
        now = self._now()
        if not self._counts or now - self._told_at < TOLD_EVERY_S:
            return
        logger.warning(
            "Records that cannot be used went to dead-letters: %s (fenliu dlq ls --since 15m shows which)",
            ", ".join(f"{count} {code}" for code, count in self._counts.most_common()),
        )
        self._told_at = now
        self._counts.clear()
