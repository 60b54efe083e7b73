"""The settings of a shop (routing-rules.md sections 3 and 11) and the event that brings them.

`ShopConfig` holds a valid configuration with its defaults filled in; `ShopConfigChange` is one on its way in.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.events import Id, TimeMs

Weight = Annotated[int, Meta(ge=0, le=10000)]
MaxPending = Annotated[int, Meta(ge=1, le=10000)]
WindowHours = Annotated[int, Meta(ge=1, le=8760)]
LagSeconds = Annotated[int, Meta(ge=0, le=3600)]

DEFAULT_VERSION = "default"
"""The `config_version` of a shop without settings (C1)."""


class AgentSettings(Struct, frozen=True, kw_only=True, gc=False):
    """One agent's share of the work."""

    agent_id: Id
    weight: Weight = 100
    max_pending: MaxPending | None = None


class Group(Struct, frozen=True, kw_only=True, gc=False):
    """A group of agents, bound to order states (客服分组)."""

    group_id: Id
    order_states: tuple[Id, ...] = ()
    robot: bool = False
    agent_ids: tuple[Id, ...] = ()


class Page(Struct, frozen=True, kw_only=True, gc=False):
    """Who answers buyers that write from a page (Pinduoduo's 页面分流)."""

    page: Id
    agent_ids: tuple[Id, ...] = ()


class DetectionLag(Struct, frozen=True, kw_only=True, gc=False):
    """How long the platform takes to notice that an agent is gone (L4), in seconds."""

    min: LagSeconds = 120
    max: LagSeconds = 300


class LeaveMessage(Struct, frozen=True, kw_only=True, gc=False):
    """Where messages go while nobody is available (主账号 / 代理账号 / 留言池)."""

    to: Literal["main_account", "proxy_account", "message_pool"] = "message_pool"
    main_account_id: Id | None = None
    proxy_account_ids: tuple[Id, ...] = ()


class ShopConfig(Struct, frozen=True, kw_only=True, gc=False):
    """Every setting of a shop; the defaults are those of routing-rules.md sections 3 and 11."""

    policy: Literal["qianniu", "pinduoduo"] = "qianniu"
    offline_diversion: bool = True
    mobile_diversion: bool = False
    detection_lag_s: DetectionLag = DetectionLag()
    logout_is_immediate: bool = False
    expect_heartbeats: bool = False
    rescue: Literal["none", "stranded", "all_pending"] = "none"
    recent_contact_window_h: WindowHours | None | UnsetType = UNSET
    suspended_keeps_recent: bool = True
    dedicated_direct: bool = False
    dedicated_agents: dict[Id, Id] = field(default_factory=dict)
    robot_first: bool = False
    robot_id: Id = "robot"
    robot_when_unattended: bool = False
    leave_message: LeaveMessage = LeaveMessage()
    busy_threshold: Annotated[int, Meta(ge=1, le=10000)] = 4
    agents: tuple[AgentSettings, ...] = ()
    groups: tuple[Group, ...] = ()
    unbound_order_state: Literal["all_agents", "random_group"] = "all_agents"
    pages: tuple[Page, ...] = ()
    offline_receivers: tuple[Id, ...] = ()
    pool_drain: bool = True
    default_max_pending: MaxPending | None = None
    full_keeps_recent: bool = True
    no_reply_reassign_s: Annotated[int, Meta(ge=30, le=86400)] | None = None
    no_reply_limit: Annotated[int, Meta(ge=0, le=10000)] = 1

    @property
    def recent_window_h(self) -> int | None:
        """`recent_contact_window_h` in hours with the policy's default applied; None means as long as remembered."""
        if self.recent_contact_window_h is UNSET:
            return 72 if self.policy == "qianniu" else None
        return self.recent_contact_window_h


class ShopConfigChange(Struct, frozen=True, kw_only=True, gc=False):
    """A shop's settings as they came: `settings` validated, `given` as orjson wrote what the shop gave (C1).

    A tombstone, or `reset` in a file, has the default settings, `given` None and the version `default`.
    """

    shop_id: Id
    occurred_at_ms: TimeMs
    settings: ShopConfig
    version: str
    given: bytes | None
    event_id: Id | None = None
