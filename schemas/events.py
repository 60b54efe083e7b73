"""What producers publish: buyer messages, agent status, agent replies (routing-rules.md section 1).

All times are event times, integer milliseconds since 1970 UTC. Records are keyed by `shop_id`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MAX_TIME_MS = 4102444800000
"""2100-01-01T00:00:00Z, the latest event time that is accepted."""

Id = Annotated[
    str,
    # `$` alone would let a final newline through in Python; the lookahead does not change what it means elsewhere.
    Meta(min_length=1, max_length=128, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$(?!\n)"),
]
TimeMs = Annotated[int, Meta(ge=0, le=MAX_TIME_MS)]

StatusName = Literal["online", "offline", "logged_out", "suspended", "resumed"]
DeviceName = Literal["pc", "mobile"]
ReplyKind = Literal["reply", "transfer", "close", "auto"]


class BuyerMessage(Struct, frozen=True, kw_only=True, gc=False):
    """A buyer wrote to a shop; somebody must answer."""

    event_id: Id
    shop_id: Id
    buyer_id: Id
    occurred_at_ms: TimeMs
    order_state: Id | None = None
    entry_page: Id | None = None
    addressed_agent_id: Id | None = None
    wants_human: bool = False


class AgentStatus(Struct, frozen=True, kw_only=True, gc=False):
    """A device of an agent connected or disconnected, or the account was suspended (挂起) or resumed."""

    event_id: Id
    shop_id: Id
    agent_id: Id
    occurred_at_ms: TimeMs
    status: StatusName
    device: DeviceName = "pc"
    device_id: Annotated[str, Meta(max_length=128, pattern=r"^[^\u0000-\u001f\u007f-\u009f]*$(?!\n)")] = ""


class AgentReply(Struct, frozen=True, kw_only=True, gc=False):
    """An agent answered, closed or transferred a buyer, or the platform answered by itself (`auto`)."""

    event_id: Id
    shop_id: Id
    agent_id: Id
    buyer_id: Id
    occurred_at_ms: TimeMs
    kind: ReplyKind = "reply"
    to_agent_id: Id | None = None
