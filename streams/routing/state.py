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


class Agent:
    """An account that can answer: an agent, or a main or proxy account, by id (F6)."""

    __slots__ = (
        "agent_id", "available", "busy", "candidate", "devices", "eligible", "has_room", "last_share_ms",
        "limit", "mobile_session", "no_reply_count", "no_reply_suspended", "offline_kinds", "online", "pools",
        "presence", "queued_ms", "seen", "seen_ms", "status_ms", "suspended", "taken", "tier", "virtual_times",
        "waiting", "weight", "window",
    )  # fmt: skip

    def __init__(self, agent_id: str, plan: Plan) -> None:
        self.agent_id = agent_id
        self.seen = False  # named in an event, so it is known whatever the settings say
        self.devices: dict[tuple[str, str], Device] = {}
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
        self.available_count = 0
        self.detections: list[tuple[int, str]] = []  # a heap of (when to look, agent id), some of them stale
        self.no_replies: dict[str, int] = {}  # buyer id: deadline (X2)
        self.no_reply_heap: list[tuple[int, str]] = []  # (deadline, buyer id), some of them stale
        self.bound: set[str] = set()  # Y8: buyers who are bound to a group
        self.wake_ms = NEVER_MS  # no timer is due before this
        self.queued_ms = NEVER_MS  # when the router looks at the shop: no later than that
        self.stats = stats
        self.gauges = gauges
        self.out = out
        self.changed_agents: set[str] = set()
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
