"""The settings of a shop (rules, sections 3, 11 and 13) and the event that brings them.

`ShopConfig` holds a valid configuration with its defaults filled in; `ShopConfigChange` is one on its way in.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from schemas.events import Id, TimeMs

Weight = Annotated[int, Meta(ge=0, le=10000)]
MaxPending = Annotated[int, Meta(ge=1, le=10000)]
WindowHours = Annotated[int, Meta(ge=1, le=8760)]
Tier = Annotated[int, Meta(ge=1, le=9)]
LagSeconds = Annotated[int, Meta(ge=0, le=3600)]

DEFAULT_VERSION = "default"
"""The `config_version` of a shop without settings (C1)."""

MIN_HEARTBEAT_LAG_S = 30
"""The least `detection_lag_s.min` with `expect_heartbeats`: heartbeats need time to arrive."""


class AgentSettings(Struct, frozen=True, kw_only=True, gc=False):
    """One agent's share of the work.

    Attributes:
        agent_id: The agent (客服子账号).
        weight: Its share beside the others' (分流权重); 0 gets nothing by share.
        tier: Share and chance ask those of a higher number only where nobody of a lower one can take the buyer (Y4).
        max_pending: With so many waiting buyers it is full (X1); null is `default_max_pending`.
    """

    agent_id: Id
    weight: Weight = 100
    tier: Tier = 1
    max_pending: MaxPending | None = None


class Group(Struct, frozen=True, kw_only=True, gc=False):
    """A group of agents, bound to order states (客服分组).

    Attributes:
        group_id: The group's name.
        order_states: Messages of buyers whose order is in one of these come to this group.
        robot: The robot answers for this group first.
        agent_ids: The group's agents.
    """

    group_id: Id
    order_states: tuple[Id, ...] = ()
    robot: bool = False
    agent_ids: tuple[Id, ...] = ()


class Page(Struct, frozen=True, kw_only=True, gc=False):
    """Who answers buyers that write from a page (Pinduoduo's 页面分流).

    Attributes:
        page: The page, as `entry_page` of a message names it.
        agent_ids: The agents that answer there.
    """

    page: Id
    agent_ids: tuple[Id, ...] = ()


class DetectionLag(Struct, frozen=True, kw_only=True, gc=False):
    """How long the platform takes to notice that an agent is gone (L4), in seconds.

    Attributes:
        min: At least so long; 30 or more with `expect_heartbeats`.
        max: At most so long; not less than `min`.
    """

    min: LagSeconds = 120
    max: LagSeconds = 300


class LeaveMessage(Struct, frozen=True, kw_only=True, gc=False):
    """Where messages go while nobody is available (主账号 / 代理账号 / 留言池).

    Attributes:
        to: The main account, one of the proxy accounts, the pool that waits for an agent, or the buyer's last contact,
            whether it is there or not (Y6).
        main_account_id: Required with `main_account`.
        proxy_account_ids: At least one with `proxy_account`.
    """

    to: Literal["main_account", "proxy_account", "message_pool", "recent_contact"] = "message_pool"
    main_account_id: Id | None = None
    proxy_account_ids: tuple[Id, ...] = ()


class ShopConfig(Struct, frozen=True, kw_only=True, gc=False):
    """Every setting of a shop; the defaults are those of rules sections 3, 11 and 13.

    Attributes:
        policy: The ladder: Qianniu's (千牛) or Pinduoduo's (拼多多).
        offline_diversion: Messages to an agent who is offline are diverted (开启离线分流).
        mobile_diversion: A mobile counts as a device (手机分流).
        detection_lag_s: How long an agent's going offline stays unnoticed, in seconds (L4).
        logout_is_immediate: `logged_out` needs no detection (L8).
        expect_heartbeats: Silence is a disconnection (L9).
        rescue: What happens to the buyers of an agent found offline: they stay, the stranded ones are routed again, or
            all that wait (L7).
        recent_contact_window_h: For how many hours a buyer comes back to its last agent; null is as long as the buyer
            is remembered. Absent, it is 72 with `qianniu` and null with `pinduoduo`.
        suspended_keeps_recent: A suspended agent still gets the buyers that it already talks to.
        dedicated_direct: A buyer goes straight to its dedicated agent (直连专属客服).
        dedicated_agents: The dedicated agent of each such buyer: buyer_id to agent_id.
        robot_first: The robot answers first (机器人优先).
        robot_id: The robot's id.
        robot_when_unattended: With nobody available and `robot_first` on, the robot answers.
        leave_message: Where messages go while nobody is available.
        busy_threshold: An agent is busy while more buyers than this wait for it (待回复人数).
        agents: The agents with their weights; one that is not listed has `unlisted_agent_weight`.
        groups: The groups and the order states bound to them.
        unbound_order_state: Who answers for an order state that no group binds: all agents, or a group by chance.
        pages: Who answers on which page (`pinduoduo`).
        offline_receivers: Who receives messages while nobody is online (`pinduoduo`).
        pool_drain: Waiting buyers are handed to agents as these become available (T4).
        default_max_pending: `max_pending` of the agents that have none (X1); null is no limit.
        full_keeps_recent: A full agent still gets the buyers that it already talks to (X1).
        no_reply_reassign_s: A buyer who has waited so many seconds for one owner is routed again (X2); null is never.
        no_reply_limit: At most so many times until a human answers (X2).
        suspended_keeps_recent_h: For so many hours `suspended_keeps_recent` holds (Y1); null is as long as the window.
        recent_contact_scope: Whether a last contact is asked for in the whole shop, or in the groups that bind the
            message's order state alone (Y2).
        fallback: What becomes of a message whose groups or page have nobody: all agents are asked, or it waits in the
            pool for theirs (Y3).
        unlisted_agent_weight: The weight of an agent that `agents` does not list (Y5).
        no_reply_else: What becomes of a buyer whom nobody else can take (Y10): it stays, or goes where messages are
            left.
        no_reply_suspend_after: An agent from whom X2 takes so many buyers in a row is suspended (Y11); null is never.
    """

    policy: Literal["qianniu", "pinduoduo"] = "qianniu"
    offline_diversion: bool = True
    mobile_diversion: bool = False
    detection_lag_s: DetectionLag = DetectionLag()
    logout_is_immediate: bool = False
    expect_heartbeats: bool = False
    rescue: Literal["none", "stranded", "all_pending"] = "none"
    recent_contact_window_h: WindowHours | UnsetType | None = UNSET
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
    suspended_keeps_recent_h: WindowHours | None = None
    recent_contact_scope: Literal["shop", "group"] = "shop"
    fallback: Literal["all_agents", "queue"] = "all_agents"
    unlisted_agent_weight: Weight = 100
    no_reply_else: Literal["stay", "leave_message"] = "stay"
    no_reply_suspend_after: Annotated[int, Meta(ge=1, le=100)] | None = None

    @property
    def recent_window_h(self) -> int | None:
        """`recent_contact_window_h` in hours with the policy's default applied; None means as long as remembered."""
        if self.recent_contact_window_h is UNSET:
            return 72 if self.policy == "qianniu" else None
        return self.recent_contact_window_h


class ShopConfigEnvelope(Struct, frozen=True, kw_only=True, gc=False):
    """A shop's settings, all of them: what a record does not give has its default, whatever an earlier one gave.

    A record without a value (tombstone) returns the shop to the defaults; so does `reset`.

    Attributes:
        shop_id: The shop, and the record's key.
        event_id: The event's id.
        occurred_at_ms: When they were set, in milliseconds since 1970 UTC. Absent, it is the record's timestamp; a line
            of a file needs it.
    """

    shop_id: Id
    event_id: Id | None = None
    occurred_at_ms: TimeMs | UnsetType = UNSET


class ShopConfigChange(Struct, frozen=True, kw_only=True, gc=False):
    """A shop's settings as they came: `settings` validated, `given` as orjson wrote what the shop gave (C1).

    A tombstone, or `reset`, has the default settings, `given` None and the version `default`.

    Attributes:
        shop_id: The shop, and the record's key.
        occurred_at_ms: When they were set, in milliseconds since 1970 UTC; in a record the timestamp, if absent.
        settings: The settings with their defaults.
        version: The `config_version` of assignments under them.
        given: The known settings as they were given, as JSON: what a store keeps, to be read again by `parse_settings`.
        event_id: The event's id, if it has one.
    """

    shop_id: Id
    occurred_at_ms: TimeMs
    settings: ShopConfig
    version: str
    given: bytes | None
    event_id: Id | None = None
