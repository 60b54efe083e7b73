"""What is remembered and written down, as structs of msgspec: devices, windows, buyers, and the tables' records.

Always interpreted: mypyc drops the arguments of their class statements (`omit_defaults`, `gc`).
"""

import msgspec

from schemas.events import BuyerMessage


class Device(msgspec.Struct, gc=False):
    """One device of an agent (L1): whether it is connected, and the own time of the newest status applied (L10)."""

    connected: bool
    status_ms: int
    queued: bool = False
    """Whether the shop's `idle` has an entry of it (T6)."""


class Window(msgspec.Struct, frozen=True, gc=False):
    """A detection window (L3): the agent left at `t0_ms` and is noticed `lag_ms` later."""

    t0_ms: int
    lag_ms: int

    @property
    def deadline_ms(self) -> int:
        """When the platform notices."""
        return self.t0_ms + self.lag_ms


class Buyer(msgspec.Struct, gc=False, eq=False, omit_defaults=True):
    """A remembered buyer. It waits for `owner_id`, or in the message pool, or (neither) for a robot or nobody."""

    buyer_id: str
    last_ms: int = 0
    """The last event or assignment (T5)."""
    contact_id: str | None = None
    contact_ms: int = 0
    """The last contact (T3) and its time."""
    holder: str | None = None
    """The id of the last target, or of whoever replied or was transferred to since."""
    owner_id: str | None = None
    in_pool: bool = False
    message: BuyerMessage | None = None
    """The newest message, kept until a human answers."""
    late_ms: int = 0
    assignments: int = 0
    """How often the newest message was assigned."""
    waiting_messages: int = 0
    first_ms: int = 0
    first_seq: int = 0
    """When the first message since the last human answer came, and its place in the shop's order (T4)."""
    assigned_ms: int = 0
    """When it was last assigned or transferred to its owner (L6)."""
    owned_since_ms: int = 0
    """When it came to its owner (X2)."""
    no_reply_doublings: int = 0
    """How often X2 found nobody else for this owner; each doubles the wait (Y10)."""
    no_reply_moves: int = 0
    waited_for: tuple[str, ...] = ()
    """The owners it has waited for since the last human answer (X2)."""
    taken_from: tuple[str, ...] = ()
    """The agents from whom X2 took it, and who have done nothing since (Y10)."""
    priority: int = 0
    """The highest of its messages since the last human answer (Y7)."""
    wants_human: bool = False
    """It said so since the last human answer (Y13)."""
    group_id: str | None = None
    """The group that a transfer has bound it to (Y8)."""
    given_away_by: str | None = None
    """The agent who transferred it last, and whose goodbye answers nothing (Y12)."""
    digests: bytes = b""
    """Of the last eight event ids, eight bytes each (O4)."""


class DeviceRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """Table `pending_replies`: a device, in a record of its own, since an agent may have thousands in a day."""

    status_ms: int
    connected: bool = False


class AgentRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """Table `pending_replies`: an account, its pending replies, its presence and its shares."""

    pending: int
    seen: bool = False
    last_ms: int = -1
    devices: list[tuple[str, str, bool, int]] = []
    """In format 1 they stood here: kind, id, connected, status_ms."""
    offline_kinds: dict[str, int] = {}
    suspended: bool = False
    no_reply_suspended: bool = False
    no_reply_count: int = 0
    status_ms: int = -1
    seen_ms: int = 0
    mobile_session: bool = False
    window: Window | None = None
    last_share_ms: int = -1
    virtual_times: dict[str, int] = {}


class ShopRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """Table `shops`: the shop's clock and counters."""

    clock_ms: int
    next_seq: int = 0
    heartbeats_since_ms: int = 0
    no_reply_since_ms: int = 0
    pool_clocks: dict[str, int] = {}
    retired_pools: dict[str, int] = {}
