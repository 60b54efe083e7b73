"""When Python looks for garbage in cycles. It decides nothing about what is kept.

A batch makes some ten thousand objects that all go with it, and the routers keep millions that stay: looking through
them at Python's default thresholds costs a third of the lane's throughput, and pauses of a second with a full state.
"""

import gc


def collect_seldom() -> None:
    """Look for cycles about once a batch among what is new, and seldom among the rest."""
    gc.set_threshold(100_000, 50, 100)


def state_arrived() -> None:
    """A partition was restored: what is alive now stays, so do not look through it again."""
    gc.freeze()


def state_left() -> None:
    """Partitions went to other workers: find what of their state holds cycles, once, and leave the rest alone again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
