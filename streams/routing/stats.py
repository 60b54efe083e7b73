"""What a router counts for people: events that meant little, and how the shops stand now."""

from dataclasses import dataclass, field, fields, replace

MISDIRECTED = ("agent_unknown", "agent_offline", "group_unknown")
"""Why a transfer reaches nobody who can answer (Y9)."""


@dataclass(slots=True)
class Stats:
    """Counted since last asked. Times are in milliseconds of event time."""

    late_events: int = 0
    duplicate_messages: int = 0
    stale_statuses: int = 0
    auto_replies: int = 0
    stranded_buyers: int = 0
    rescued_buyers: int = 0
    no_reply_moves: int = 0
    expired_buyers: int = 0
    no_reply_suspensions: int = 0
    farewells: int = 0
    misdirected_transfers: dict[str, int] = field(default_factory=dict)
    """Y9: how many, by reason (`MISDIRECTED`)."""
    reply_times_ms: list[int] = field(default_factory=list)
    """X3: for each answered buyer, the time since its first unanswered message."""
    detection_lags_ms: list[int] = field(default_factory=list)
    """L4: the lag of each disconnection."""
    fired_deadlines_ms: list[int] = field(default_factory=list)
    """O1: the deadline of each timer that fired."""
    uncounted_onlines: list[tuple[str, str]] = field(default_factory=list)
    """L2: shop and agent of each `online` of a device that does not count, while none that counts is connected."""

    def misdirect(self, reason: str) -> None:
        """Count a misdirected transfer (Y9)."""
        self.misdirected_transfers[reason] = self.misdirected_transfers.get(reason, 0) + 1

    def take(self) -> "Stats":
        """The figures so far; counting begins anew."""
        taken = replace(self)
        for name, fresh in Stats().items():
            setattr(self, name, fresh)
        return taken

    def items(self) -> list[tuple[str, int | list[int] | list[tuple[str, str]] | dict[str, int]]]:
        """Every figure by name."""
        return [(each.name, getattr(self, each.name)) for each in fields(self)]


@dataclass(slots=True)
class Gauges:
    """How the shops of a router stand now; kept as things change, so reading it costs nothing."""

    pending_replies: int = 0
    busy_agents: int = 0
    message_pool: int = 0
    unattended_shops: int = 0
    agent_keys: int = 0
    device_keys: int = 0
    buyer_keys: int = 0
    configured_shops: int = 0
    agents: dict[str, int] = field(
        default_factory=lambda: {"online": 0, "suspended": 0, "undetected_offline": 0, "offline": 0}
    )
