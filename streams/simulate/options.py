"""What a simulation is asked for. Times are integer milliseconds since 1970 UTC."""

from dataclasses import dataclass
from typing import Literal

from schemas.events import MAX_TIME_MS, MIN_TIME_MS
from streams.errors import UsageError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BEIJING_OFFSET_MS = 8 * HOUR_MS

SINGLES_DAY_MS = 1_762_821_000_000
"""2025-11-11T08:30:00+08:00 (双十一): shops are about to open, so that even two hours hold a night's rest of messages,
the morning's drain, the peak and the promotion at 10."""


class OptionsError(UsageError):
    """A simulation was asked for that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """One simulation. The same options give the same records.

    Args:
        seed: another one gives other traffic of the same kind.
        shops: how many; a shop's cast and settings do not depend on it.
        agents: in each shop.
        buyers: in each shop.
        rate: buyer messages a second, the mean over all shops and all hours. Replies and status events come on top.
        hours: of event time.
        start_ms: the first instant.
        bad_share: bad records for each good one, 0 to 1; they are added and change no other record.
        bad_routing: bad records that only Kafka can hold, too: null values, wrong keys and partitions, skewed clocks.
        replies: who is believed to answer a buyer: the product's own router, or a cheap guess (`sticky`).
        promotion_ms: when the promotion begins; None: in the first evening, or where the hours leave room.
        utc_offset_ms: the shops' local time less UTC; shifts and the daily curve follow it.
    """

    seed: int = 1
    shops: int = 20
    agents: int = 8
    buyers: int = 2000
    rate: float = 200.0
    hours: float = 24.0
    start_ms: int = SINGLES_DAY_MS
    bad_share: float = 0.0
    bad_routing: bool = False
    replies: Literal["router", "sticky"] = "router"
    promotion_ms: int | None = None
    utc_offset_ms: int = BEIJING_OFFSET_MS

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("shops", self.shops, 1, 100_000),
            ("agents", self.agents, 1, 10_000),
            ("buyers", self.buyers, 1, 10_000_000),
            ("rate", self.rate, 0.001, 1_000_000),
            ("hours", self.hours, 0.01, 24 * 366),
            ("bad-share", self.bad_share, 0, 1),
        ):
            if not low <= value <= high:
                raise OptionsError(
                    f"is {value}, which cannot be simulated", where=f"--{name}", mend=f"give {low} to {high}"
                )
        if self.start_ms < MIN_TIME_MS + DAY_MS or self.end_ms > MAX_TIME_MS:
            raise OptionsError("lies outside of 2000 to 2100", where="--start", mend="give another --start or --hours")

    @property
    def end_ms(self) -> int:
        """The instant after the last one."""
        return self.start_ms + self.span_ms

    @property
    def span_ms(self) -> int:
        """`hours` in milliseconds."""
        return round(self.hours * HOUR_MS)
