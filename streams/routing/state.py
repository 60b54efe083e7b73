"""What is remembered: agents, buyers and shops. Plain data; who changes it says so in the other modules.

Times are event times in milliseconds since 1970 UTC.
"""

from collections import OrderedDict
from heapq import heappush
from typing import TYPE_CHECKING

from schemas.decisions import AgentPresence, Assignment, Presence
from streams.routing.message_pool import MessagePool
from streams.routing.plan import DEFAULT_PLAN, Plan
from streams.routing.records import Buyer, Device, Window
from streams.routing.stats import Gauges, Stats

if TYPE_CHECKING:
    from streams.routing.share import Pool

Decision = Assignment | AgentPresence

NEVER_MS = 1 << 62
"""Later than any event."""

DeviceKey = tuple[str, str]
"""A device of an agent (L1): its kind, `pc` or `mobile`, and its id."""


class Agent:
    """An account that can answer: an agent, or a main or proxy account, by id (F6)."""

    __slots__ = (
        "agent_id", "available", "busy", "candidate", "connected", "connected_pcs", "contacts", "devices", "eligible",
        "has_room", "last_ms", "last_share_ms", "limit", "mobile_session", "no_reply_count", "no_reply_suspended",
        "offline_kinds", "online", "pools", "presence", "queued_idle", "queued_ms", "seen", "seen_ms", "status_ms",
        "suspended", "taken", "tier", "virtual_times", "waiting", "weight", "window",
    )  # fmt: skip

    def __init__(self, agent_id: str, plan: Plan) -> None:
        self.agent_id = agent_id
        self.seen = False  # named in an event, so it is known whatever the settings say
        self.last_ms = -1  # the clock when an event last named it, or a buyer last came to wait for it (T6)
        self.devices: dict[DeviceKey, Device] = {}  # `devices` keeps these
        self.connected: dict[DeviceKey, Device] = {}
        self.connected_pcs = 0
        self.offline_kinds: dict[str, int] = {}  # Y16: when a kind of device was last said to be offline altogether
        self.suspended = False
        self.no_reply_suspended = False  # Y11: suspended for want of replies
        self.no_reply_count = 0  # Y11: buyers that X2 took from it in a row
        self.taken: set[str] = set()  # Y10: the buyers that X2 took from it since it did anything
        self.status_ms = -1  # own time of the newest suspended or resumed (L10)
        self.seen_ms = 0  # L9
        self.mobile_session = False  # P5
        self.window: Window | None = None
        self.queued_ms = NEVER_MS  # when the shop's detections look at it: no later than its deadline (L3, L9)
        self.presence: Presence = "offline"
        self.contacts = 0  # remembered buyers whose last contact it is
        self.queued_idle = False  # whether the shop's `idle` has an entry of it
        self.waiting: dict[str, Buyer] = {}  # T1: pending is its length. In order of assigned_ms (L6)
        self.weight = plan.weight(agent_id)
        self.limit = plan.max_pending(agent_id)
        self.tier = plan.tier(agent_id)
        self.last_share_ms = -1  # S2
        self.virtual_times: dict[str, int] = {}  # S2, by the pool's name
        self.pools: list[Pool] = []
        # What follows from the above; `standing.refresh` keeps it.
        self.busy = False  # pending above busy_threshold
        self.online = False  # believed online
        self.available = False  # online and not suspended
        self.eligible = False  # available, weight above 0
        self.candidate = False  # eligible and not full (S2)
        self.has_room = False  # believed online, below busy_threshold and not full (T4)


class Shop:
    """One shop: its settings, its people, its clock. `out` collects what it decides."""

    def __init__(self, shop_id: str, stats: Stats, gauges: Gauges, out: list[Decision]) -> None:
        self.shop_id = shop_id
        self.blank = True  # nothing is remembered of it, so it has no record (T6)
        self.plan: Plan = DEFAULT_PLAN
        self.given: bytes | None = None
        self.clock_ms = 0
        self.heartbeats_since_ms = 0  # L9: own time of the config that turned them on
        self.no_reply_since_ms = 0  # X2: the clock at the config that turned it on
        self.next_seq = 0
        self.agents: dict[str, Agent] = {}
        self.buyers: OrderedDict[str, Buyer] = OrderedDict()  # in order of last_ms, so the first is the next to go (T5)
        self.message_pool = MessagePool()  # T4
        self.pools: dict[str, Pool] = {}
        self.pool_clocks: dict[str, int] = {}  # S3
        self.retired_pools: dict[str, int] = {}  # T6: the clock at the config that had them no longer, in order of it
        self.available_count = 0
        self.detections: list[tuple[int, str]] = []  # a heap of (when to look, agent id), some of them stale
        self.no_replies: dict[str, int] = {}  # buyer id: deadline (X2)
        self.no_reply_heap: list[tuple[int, str]] = []  # (deadline, buyer id), some of them stale
        self.bound: set[str] = set()  # Y8: buyers who are bound to a group
        self.idle: list[tuple[int, str, str, str]] = []  # T6: a heap of (since when, agent id, device or two times "")
        self.wake_ms = NEVER_MS  # no timer is due before this
        self.queued_ms = NEVER_MS  # when the router looks at the shop: no later than that
        self.stats = stats
        self.gauges = gauges
        self.out = out
        self.changed_agents: set[str] = set()
        self.changed_devices: set[tuple[str, str, str]] = set()
        self.changed_buyers: set[str] = set()
        self.changed = False
        self.settings_changed = False

    def agent(self, agent_id: str) -> Agent:
        """The account of this id, made at its first mention."""
        agent = self.agents.get(agent_id)
        if agent is None:
            agent = self.agents[agent_id] = Agent(agent_id, self.plan)
            agent.pools.extend(pool for pool in self.pools.values() if pool.has_member(agent))
            self.gauges.agent_keys += 1
            self.gauges.agents["offline"] += 1
            self.changed_agents.add(agent_id)
        return agent

    def known(self, agent_id: str) -> bool:
        """Whether the settings or any event named this agent (section 2)."""
        agent = self.agents.get(agent_id)
        return (agent is not None and agent.seen) or agent_id in self.plan.named

    def buyer(self, buyer_id: str) -> Buyer:
        """The buyer, remembered from now on; its last event is now (T5)."""
        buyer = self.buyers.get(buyer_id)
        if buyer is None:
            buyer = self.buyers[buyer_id] = Buyer(buyer_id, self.clock_ms)
            self.gauges.buyer_keys += 1
            self.wake_by(self.clock_ms + self.plan.forget_after_ms + 1)
            self.changed_buyers.add(buyer_id)
        else:
            self.touch(buyer)
        return buyer

    def touch(self, buyer: Buyer) -> None:
        """The buyer had an event or assignment now (T5)."""
        if buyer.last_ms != self.clock_ms:
            buyer.last_ms = self.clock_ms
            self.buyers.move_to_end(buyer.buyer_id)
        self.changed_buyers.add(buyer.buyer_id)

    def set_contact(self, buyer: Buyer, agent: Agent) -> None:
        """The agent is the buyer's last contact from now on (T3), and is not forgotten as long as it is (T6)."""
        if buyer.contact_id != agent.agent_id:
            self.release_contact(buyer)
            buyer.contact_id = agent.agent_id  # the agent's own string: its buyers share one
            agent.contacts += 1
        buyer.contact_ms = self.clock_ms

    def release_contact(self, buyer: Buyer) -> None:
        """The buyer has another last contact, or is forgotten."""
        if buyer.contact_id is not None:
            agent = self.agents[buyer.contact_id]
            agent.contacts -= 1
            self.release(agent)

    def holds(self, agent: Agent) -> bool:
        """T6: whether the agent is needed, however long it has been idle."""
        return (
            agent.contacts > 0
            or len(agent.waiting) > 0
            or len(agent.connected) > 0
            or agent.window is not None
            or agent.agent_id in self.plan.named
        )

    def release(self, agent: Agent) -> None:
        """T6: what held the agent may be over; if so, it is forgotten when it has been idle for long enough."""
        if not agent.queued_idle and not self.holds(agent):
            agent.queued_idle = True
            heappush(self.idle, (agent.last_ms, agent.agent_id, "", ""))
            self.wake_by(agent.last_ms + self.plan.forget_after_ms + 1)

    def begin(self) -> None:
        """Something is remembered of the shop from now on."""
        if self.blank:
            self.blank = False
            self.gauges.unattended_shops += 1

    def become_blank(self) -> None:
        """T6: the shop itself is forgotten, and begins anew if it has another event."""
        self.blank = self.changed = True
        self.gauges.unattended_shops -= 1
        self.clock_ms = self.heartbeats_since_ms = self.no_reply_since_ms = self.next_seq = 0
        self.pools.clear()
        self.pool_clocks.clear()
        self.retired_pools.clear()
        self.detections.clear()
        self.idle.clear()

    def look_at(self, agent: Agent, at_ms: int) -> None:
        """Remember to look at an agent at an instant, or before."""
        if at_ms < agent.queued_ms:
            agent.queued_ms = at_ms
            heappush(self.detections, (at_ms, agent.agent_id))
            self.wake_by(at_ms)

    def wake_by(self, deadline_ms: int) -> None:
        """Something may be due at this instant."""
        self.wake_ms = min(self.wake_ms, deadline_ms)

    def enter_message_pool(self, buyer: Buyer) -> None:
        """Queue the buyer by its first waiting message (T4)."""
        buyer.in_pool = True
        self.message_pool.add(buyer, self.plan.dedicated.get(buyer.buyer_id))
        self.gauges.message_pool += 1

    def prioritise(self, buyer: Buyer, priority: int) -> None:
        """Y7: the buyer's priority rises; in the pool it moves on."""
        if buyer.in_pool:
            self.message_pool.remove(buyer.buyer_id)
        buyer.priority = priority
        if buyer.in_pool:
            self.message_pool.add(buyer, self.plan.dedicated.get(buyer.buyer_id))

    def leave_message_pool(self, buyer: Buyer) -> None:
        """Take the buyer out of the message pool, if it is there."""
        if buyer.in_pool:
            buyer.in_pool = False
            self.message_pool.remove(buyer.buyer_id)
            self.gauges.message_pool -= 1
