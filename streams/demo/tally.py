"""What the demo counts. Seconds are those of the monotonic clock."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import UNSET

from schemas.decisions import AgentPresence, Assignment
from streams.demo.reader import Seen


class Tally:
    """Everything that was read from the outputs, and how long it took."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.presence: Counter[str] = Counter()
        self.stranded_buyers = 0
        self.late = 0
        self.latencies_s: list[float] = []
        self.first_at_s: float | None = None
        self.caught_up_at_s: float | None = None
        self.first_assignments = 0
        self._backlog: set[str] = set()
        self._live: dict[str, float] = {}

    @property
    def assignments(self) -> int:
        """All of them, later ones of the same message included."""
        return self.rules.total()

    @property
    def dead_letters(self) -> int:
        """All of them."""
        return self.codes.total()

    @property
    def backlog_left(self) -> int:
        """Messages of the backlog that were not assigned yet."""
        return len(self._backlog)

    def sent(self, message_id: str, at_s: float, *, live: bool) -> None:
        """A buyer message went to Kafka."""
        if live:
            self._live[message_id] = at_s
        else:
            self._backlog.add(message_id)

    def count(self, seen: Seen) -> None:
        """A committed record was read."""
        if isinstance(seen, Assignment):
            self._assignment(seen)
        elif isinstance(seen, AgentPresence):
            self.presence[seen.presence] += 1
            if seen.stranded_buyers is not UNSET:
                self.stranded_buyers += seen.stranded_buyers
        else:
            self.codes[seen.code] += 1

    def _assignment(self, assignment: Assignment) -> None:
        self.rules[assignment.rule] += 1
        self.late += assignment.late_ms > 0
        if self.first_at_s is None:
            self.first_at_s = time.monotonic()
        if assignment.assignment_id != assignment.message_id:
            return  # of a message that was assigned before
        self.first_assignments += 1
        self._backlog.discard(assignment.message_id)
        sent_at_s = self._live.pop(assignment.message_id, None)
        if sent_at_s is not None and self.caught_up_at_s is not None and sent_at_s > self.caught_up_at_s:
            self.latencies_s.append(time.monotonic() - sent_at_s)

    def note_caught_up(self) -> None:
        """The backlog has been routed: from now on latencies mean something."""
        self.caught_up_at_s = time.monotonic()


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the values do not exceed, or None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, and of equals in order of name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
