"""What consumers read: assignments and agent presence (routing-rules.md section 1, outputs).

Fields that only some rules give are `UNSET` elsewhere and then absent from the JSON.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from schemas.events import Id

TargetKind = Literal["agent", "robot", "main_account", "proxy_account", "message_pool"]
Presence = Literal["online", "suspended", "undetected_offline", "offline"]
Outcome = Literal[
    "taken", "off", "not_addressed", "not_needed", "no_record", "expired", "agent_offline", "agent_suspended",
    "agent_unknown", "no_binding", "wants_human", "nobody_available", "excluded", "full",
]  # fmt: skip


class Target(Struct, frozen=True, gc=False):
    """Who must answer."""

    kind: TargetKind
    id: Id


class Assignment(Struct, frozen=True, kw_only=True, gc=False):
    """Who must answer a message, and why."""

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
    pending_before: int | None
    weight: int | UnsetType = UNSET
    candidate_count: int | UnsetType = UNSET
    push: bool | UnsetType = UNSET
    waiting_messages: int
    late_ms: int
    trace: list[tuple[str, Outcome]]
    occurred_at_ms: int
    decided_at_ms: int
    config_version: str


class AgentPresence(Struct, frozen=True, kw_only=True, gc=False):
    """An agent's presence changed, as the router believes it."""

    type: Literal["agent_presence"] = "agent_presence"
    shop_id: Id
    agent_id: Id
    presence: Presence
    since_ms: int
    at_ms: int
    lag_ms: int | UnsetType = UNSET
    pending_replies: int
    stranded_buyers: int | UnsetType = UNSET
