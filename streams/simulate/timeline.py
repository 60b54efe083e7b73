"""What is to happen next: a heap of calls in order of time. It knows nothing of shops."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Call = Callable[[Any, int], None]


class Timeline:
    """The future of one shop, and its clock.

    Calls of the same instant run in the order in which they were asked for, so a run never depends on hash order.
    """

    __slots__ = ("_asked", "_heap", "now_ms")

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self._heap: list[tuple[int, int, Call, Any, int]] = []
        self._asked = 0

    def call_at(self, at_ms: int, call: Call, subject: Any = None, token: int = 0) -> None:
        """Run `call(subject, token)` at an instant, or right away if that has passed."""
        self._asked += 1
        heappush(self._heap, (at_ms, self._asked, call, subject, token))

    def advance(self, end_ms: int) -> bool:
        """Run the next call before `end_ms`; False if there is none."""
        heap = self._heap
        if not heap or heap[0][0] >= end_ms:
            return False
        at_ms, _, call, subject, token = heappop(heap)
        self.now_ms = max(self.now_ms, at_ms)
        call(subject, token)
        return True
