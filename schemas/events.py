"""What producers publish: buyer messages, agent status, agent replies (rules, section 1).

All times are event times, integer milliseconds since 1970 UTC. Records are keyed by `shop_id`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MIN_TIME_MS = 946684800000
"""2000-01-01T00:00:00Z, the earliest event time that is accepted. A smaller number is a time in seconds."""
MAX_TIME_MS = 4102444800000
"""2100-01-01T00:00:00Z, the latest event time that is accepted."""

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_BLANK = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's white space, controls left out.
_WORD = f"[^{_CONTROL}{_BLANK}](?:[^{_CONTROL}]*[^{_CONTROL}{_BLANK}])?"
# The patterns are for the JSON Schemas, and tell `schemas.careful` what is an id: to hold every id against one would be
# nine tenths of the time of `msgspec.convert`. `$` alone lets a final newline through in Python; elsewhere the
# lookahead changes nothing.
Id = Annotated[
    str,
    Meta(min_length=1, max_length=128, extra_json_schema={"pattern": rf"^{_WORD}$(?!\n)"}),
]
DeviceId = Annotated[str, Meta(max_length=128, extra_json_schema={"pattern": rf"^(?:{_WORD})?$(?!\n)"})]
# The codec asks for the least, not the type: state that an earlier version wrote may hold a smaller one.
TimeMs = Annotated[int, Meta(le=MAX_TIME_MS, extra_json_schema={"minimum": MIN_TIME_MS}, extra={"unit": "ms"})]
Priority = Annotated[int, Meta(ge=0, le=9)]

StatusName = Literal["online", "offline", "logged_out", "suspended", "resumed"]
DeviceName = Literal["pc", "mobile"]
ReplyKind = Literal["reply", "transfer", "close", "auto"]


class BuyerMessage(Struct, frozen=True, kw_only=True, gc=False):
    """A buyer wrote to a shop; somebody must answer.

    Attributes:
        event_id: The message's id. A second message of the buyer with it is a duplicate and is ignored.
        shop_id: The shop, and the record's key.
        buyer_id: Who wrote.
        occurred_at_ms: When it was written, in milliseconds since 1970 UTC.
        order_state: The state of the buyer's order; groups of agents are bound to states.
        entry_page: The page that the buyer came from; Pinduoduo's shops divert by page (页面分流).
        addressed_agent_id: The agent that the buyer wrote to by name.
        wants_human: The buyer asked for a person: robots let the buyer pass until a human answers.
        priority: How urgent the buyer is, 9 the most: the pool is handed out by it (Y7).
    """

    event_id: Id
    shop_id: Id
    buyer_id: Id
    occurred_at_ms: TimeMs
    order_state: Id | None = None
    entry_page: Id | None = None
    addressed_agent_id: Id | None = None
    wants_human: bool = False
    priority: Priority = 0


class AgentStatus(Struct, frozen=True, kw_only=True, gc=False):
    """A device of an agent connected or disconnected, or the account was suspended (挂起) or resumed.

    Attributes:
        event_id: The event's id.
        shop_id: The shop, and the record's key.
        agent_id: Whose status it is.
        occurred_at_ms: When it changed, in milliseconds since 1970 UTC.
        status: `online`, `offline` and `logged_out` are of the device, `suspended` and `resumed` of the account.
            Another `online` is a heartbeat.
        device: Where the agent is logged in; a mobile counts only in a shop with `mobile_diversion`.
        device_id: Tells two devices of one kind on one account apart; may be empty. Absent, it is the empty one with
            `online`, and every device of the kind with `offline` and `logged_out` (Y16).
    """

    event_id: Id
    shop_id: Id
    agent_id: Id
    occurred_at_ms: TimeMs
    status: StatusName
    device: DeviceName = "pc"
    device_id: DeviceId | None = None


class AgentReply(Struct, frozen=True, kw_only=True, gc=False):
    """An agent answered, closed or transferred a buyer, or the platform answered by itself (`auto`).

    Attributes:
        event_id: The event's id.
        shop_id: The shop, and the record's key.
        agent_id: Who answered.
        buyer_id: Who was answered.
        occurred_at_ms: When, in milliseconds since 1970 UTC.
        kind: `reply` and `close` answer the buyer, `transfer` hands it to `to_agent_id` or to the group `to_group_id`,
            `auto` changes nothing.
        to_agent_id: Who has the buyer now. A `transfer` names this or `to_group_id`.
        to_group_id: The group that has the buyer now (Y8); ignored with another kind than `transfer`.
    """

    event_id: Id
    shop_id: Id
    agent_id: Id
    buyer_id: Id
    occurred_at_ms: TimeMs
    kind: ReplyKind = "reply"
    to_agent_id: Id | None = None
    to_group_id: Id | None = None
