"""Where a test may kill the process: the lane says `faults.reached(point)` at each step of a commit or take-over.

A test's own worker puts its function in the place of `reached`; in the product it does nothing. `after_sends` is
reached once for each topic of a transaction that brokers have taken the records of, in any order with `after_offsets`.
"""

from typing import Literal

Point = Literal[
    "before_begin", "after_begin", "after_sends", "after_offsets", "before_commit", "after_commit",
    "during_takeover", "during_restore",
]  # fmt: skip


def reached(point: Point) -> None:
    """The lane has come to `point`."""
