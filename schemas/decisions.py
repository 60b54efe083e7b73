"""What consumers read: assignments, agent presence and dead letters (rules, section 1, outputs).

Fields that only some rules give are `UNSET` elsewhere and then absent from the JSON.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.errors import Code
from schemas.events import Id

TargetKind = Literal["agent", "robot", "main_account", "proxy_account", "message_pool"]
Presence = Literal["online", "suspended", "undetected_offline", "offline"]
Cause = Literal["silence", "no_reply"]
Outcome = Literal[
    "taken", "off", "not_addressed", "not_needed", "no_record", "expired", "agent_offline", "agent_suspended",
    "agent_unknown", "no_binding", "wants_human", "nobody_available", "excluded", "full", "out_of_group",
]  # fmt: skip
Count = Annotated[int, Meta(ge=0)]
Instant = Annotated[int, Meta(ge=0)]


class Target(Struct, frozen=True, gc=False):
    """Who must answer.

    Attributes:
        kind: What it is.
        id: An agent's or account's id, the shop's robot_id, or `message_pool`.
    """

    kind: TargetKind
    id: Id


class Assignment(Struct, frozen=True, kw_only=True, gc=False):
    """Who must answer a message, and why.

    Attributes:
        assignment_id: The message's id, for its second and later assignments with `#2`, `#3`, … behind it. A consumer
            may drop one that it has seen.
        message_id: The event_id of the buyer's message.
        shop_id: The shop, and the record's key.
        buyer_id: Who wrote.
        target: Who must answer.
        rule: The rung of the ladder that took the message, or what moved the buyer (`pool_drained`, `stranded_rescue`,
            `no_reply`, `group_transfer`).
        policy: The shop's ladder.
        previous_agent_id: The agent of the buyer's last contact before this assignment.
        new_owner: The buyer has another owner than before, or had none.
        target_presence: The target's presence as the router believed it; null for a robot and the pool.
        pending_before: How many buyers waited for the target before, this one counted if it was among them; null for a
            robot and the pool.
        weight: The target's weight, where a share picked it.
        candidate_count: How many were compared, where a share or a chance picked the target.
        push: An offline receiver's mobile app is still logged in and can be reached.
        waiting_messages: The buyer's messages since a human last answered.
        late_ms: By how many milliseconds the message was older than the shop's clock.
        trace: Every rung whose turn came and what became of it, in the order tried; the last one is `taken`.
        occurred_at_ms: The message's time, in milliseconds since 1970 UTC.
        decided_at_ms: The shop's clock at the decision, in milliseconds since 1970 UTC.
        config_version: The version of the shop's settings; `default` if it has none.
    """

    type: Literal["assignment"] = "assignment"
    assignment_id: str
    message_id: Id
    shop_id: Id
    buyer_id: Id
    target: Target
    rule: str
    policy: Literal["qianniu", "pinduoduo"]
    previous_agent_id: Id | None
    new_owner: bool
    target_presence: Presence | None
    pending_before: Count | None
    weight: Count | UnsetType = UNSET
    candidate_count: Count | UnsetType = UNSET
    push: bool | UnsetType = UNSET
    waiting_messages: Annotated[int, Meta(ge=1)]
    late_ms: Count
    trace: list[tuple[str, Outcome]]
    occurred_at_ms: Instant
    decided_at_ms: Instant
    config_version: str


class AgentPresence(Struct, frozen=True, kw_only=True, gc=False):
    """An agent's presence changed, as the router believes it.

    Attributes:
        shop_id: The shop, and the record's key.
        agent_id: Whose presence it is.
        presence: `undetected_offline` is gone, but still believed online.
        since_ms: Since when, in milliseconds since 1970 UTC; for both offline kinds the time of the disconnection.
        at_ms: The shop's clock when it was published, in milliseconds since 1970 UTC.
        lag_ms: How long the disconnection stays unnoticed; with `undetected_offline` and `offline`.
        pending_replies: How many buyers wait for the agent.
        stranded_buyers: How many of these came while it was gone and not yet noticed; with `offline`.
        cause: Why, where it is not the agent's own doing: `silence` (`offline`, L9) or `no_reply` (`suspended`, Y11).
    """

    type: Literal["agent_presence"] = "agent_presence"
    shop_id: Id
    agent_id: Id
    presence: Presence
    since_ms: Instant
    at_ms: Instant
    lag_ms: Count | UnsetType = UNSET
    pending_replies: Count
    stranded_buyers: Count | UnsetType = UNSET
    cause: Cause | UnsetType = UNSET


_Digits = Annotated[str, Meta(pattern=r"^-?[0-9]+$")]


class DeadLetterHeaders(Struct, frozen=True, kw_only=True, gc=False):
    """What the headers of a dead letter say about the record that could not be used; all are UTF-8 text.

    The record's key, value and other headers are as they came; a value over 1 MiB is cut to its first 64 KiB.

    Attributes:
        error: Why, as a code.
        detail: The path in the record and what was expected there; never the record's own text.
        topic: The topic that it came from.
        partition: The partition that it came from.
        offset: Its offset there.
        timestamp: Its timestamp, in milliseconds since 1970 UTC; -1 if it had none.
        cut: What was shortened or left out: `value`, `key`, `headers`, several with commas between; `null` if an empty
            value stands for none.
        redrive_of: Only if the record was sent back before: the dead letter that it was then, as `partition:offset`.
    """

    error: Code = field(name="fenliu.error")
    detail: str = field(name="fenliu.error.detail")
    topic: str = field(name="fenliu.topic")
    partition: _Digits = field(name="fenliu.partition")
    offset: _Digits = field(name="fenliu.offset")
    timestamp: _Digits = field(name="fenliu.timestamp")
    cut: str | UnsetType = field(default=UNSET, name="fenliu.cut")
    redrive_of: str | UnsetType = field(default=UNSET, name="fenliu.redrive.of")
