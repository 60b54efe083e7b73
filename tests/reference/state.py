"""What the reference router remembers of one shop, and the questions that the rules ask about it.

Nothing is cached: every question is answered by scanning.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

from schemas.shop import DEFAULT_VERSION, ShopConfig

if TYPE_CHECKING:
    from schemas.decisions import Presence, Target
    from schemas.events import BuyerMessage
    from schemas.shop import AgentSettings, Group

HOUR_MS = 3_600_000
FORGET_WITHOUT_WINDOW_MS = 720 * HOUR_MS  # T5: 30 days
FORGET_AT_LEAST_MS = 72 * HOUR_MS  # T5
NO_REPLY_WAIT_MOST_S = 3600  # Y10: the doubled wait ends here, or at no_reply_reassign_s
Device = tuple[str, str]  # L1: device and device_id
Suspension = Literal["own", "no_reply"]  # whose doing it is: the agent's (L1), or the router's (Y11)
HUMAN_KINDS = ("agent", "main_account", "proxy_account")


def digest(text: str) -> int:
    """The 8-byte number that L4, R1 and R2 take."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass
class Window:
    """A running detection window (L3): since `t0_ms`, found out `lag_ms` later."""

    t0_ms: int
    lag_ms: int


@dataclass
class Agent:
    """An agent of whom at least one event was seen."""

    agent_id: str
    connected_devices: set[Device] = field(default_factory=set)
    newest_of_device_ms: dict[Device, int] = field(default_factory=dict)
    newest_of_kind_ms: dict[str, int] = field(default_factory=dict)  # Y16: of a status that named no device
    window: Window | None = None
    last_seen_ms: int = -1  # L9's s, before the config's own time is considered
    app_alive: bool = False  # P5's push
    published: Presence = "offline"
    last_share_ms: int = -1  # S2
    last_ms: int = -1  # T6: the clock when an event named it, or a buyer came to wait for it


@dataclass
class Buyer:
    """A buyer that is remembered (T5). It waits while `owner` is set."""

    buyer_id: str
    last_ms: int  # T5: the newest event or assignment, by the shop's clock
    last_event_ids: list[str] = field(default_factory=list)  # O4
    contact: tuple[str, int] | None = None  # T3: agent and time
    holder: str | None = None  # new_owner compares with this
    message: BuyerMessage | None = None  # the newest one
    late_ms: int = 0
    times_assigned: int = 0  # of the newest message
    waiting_messages: int = 0
    priority: int = 0  # Y7: the highest since the last human answer
    asked_for_human: bool = False  # Y13: since the last human answer
    place: int = 0  # T4, L7: the order of the first waiting messages
    group_id: str | None = None  # Y8: the group that it is bound to
    given_away_by: str | None = None  # Y12: whose replies are farewells
    owner: Target | None = None
    assigned_at_ms: int = 0  # L6: the newest assignment or transfer to the owner
    wait_start_ms: int = 0  # X2: when the buyer came to the owner
    waited_for: list[str] = field(default_factory=list)  # X2: human owners since the last human answer
    no_reply_moves: int = 0  # X2
    doublings: int = 0  # Y10: how often X2 found nobody at this owner
    taken_from: list[str] = field(default_factory=list)  # Y10: whom T4 leaves out


@dataclass
class Shop:
    """All state of one shop."""

    shop_id: str
    clock_ms: int = 0
    config: ShopConfig = field(default_factory=ShopConfig)
    version: str = DEFAULT_VERSION
    given: bool = False  # whether it has settings of its own
    heartbeats_on_ms: int = -1  # L9: own time of the config that turned them on
    no_reply_on_ms: int = -1  # X2: clock of the config that turned it on
    agents: dict[str, Agent] = field(default_factory=dict)
    suspensions: dict[str, Suspension] = field(default_factory=dict)  # L1, Y11
    newest_of_account_ms: dict[str, int] = field(default_factory=dict)  # L10
    no_reply_takes: dict[str, int] = field(default_factory=dict)  # Y11: in a row
    counted: Counter[str] = field(default_factory=Counter)  # L10, Y9, Y11, Y12
    applied: Counter[str] = field(default_factory=Counter)  # how often a rule of section 13 made a difference
    buyers: dict[str, Buyer] = field(default_factory=dict)
    messages_seen: int = 0
    virtual_times: dict[tuple[str, str], int] = field(default_factory=dict)  # S2: (pool, agent)
    pool_clocks: dict[str, int] = field(default_factory=dict)  # S3
    candidates: set[tuple[str, str]] = field(default_factory=set)  # S3: who was a candidate after the last change
    retired_pools: dict[str, int] = field(default_factory=dict)  # T6: the clock at the config that had them no longer
    forgotten: bool = False  # T6: the next event begins anew

    def counts(self, device: Device) -> bool:
        """L2: whether a device counts."""
        return device[0] == "pc" or self.config.mobile_diversion

    def connected(self, agent_id: str) -> bool:
        """L2: whether any counting device is connected."""
        agent = self.agents.get(agent_id)
        return agent is not None and any(self.counts(device) for device in agent.connected_devices)

    def believed_online(self, agent_id: str) -> bool:
        """L3: connected, or not yet found out."""
        agent = self.agents.get(agent_id)
        return agent is not None and (agent.window is not None or self.connected(agent_id))

    def suspended(self, agent_id: str) -> bool:
        """L1, Y11: the account's own flag, or for want of replies."""
        return agent_id in self.suspensions

    def available(self, agent_id: str) -> bool:
        """Section 2's last line: believed online and not suspended."""
        return self.believed_online(agent_id) and not self.suspended(agent_id)

    def presence(self, agent_id: str) -> Presence:
        """L11: `undetected_offline` stands before `suspended`."""
        agent = self.agents.get(agent_id)
        if agent is None or not self.believed_online(agent_id):
            return "offline"
        if agent.window is not None:
            return "undetected_offline"
        return "suspended" if self.suspended(agent_id) else "online"

    def named(self) -> set[str]:
        """The agents that the config names; main and proxy accounts are not known by the config alone (F6)."""
        config = self.config
        named = {agent.agent_id for agent in config.agents} | set(config.dedicated_agents.values())
        named |= set(config.offline_receivers)
        for group in config.groups:
            named |= set(group.agent_ids)
        for page in config.pages:
            named |= set(page.agent_ids)
        return named

    def known_agents(self) -> set[str]:
        """Section 2's last line."""
        return self.named() | set(self.agents)

    def known(self, agent_id: str) -> bool:
        """Section 2's last line."""
        return agent_id in self.known_agents()

    def held(self, agent: Agent) -> bool:
        """T6: what keeps an agent from being forgotten."""
        return (
            agent.agent_id in self.named()
            or bool(agent.connected_devices)
            or agent.window is not None
            or self.pending(agent.agent_id) > 0
            or any(b.contact is not None and b.contact[0] == agent.agent_id for b in self.buyers.values())
        )

    def listed(self, agent_id: str) -> AgentSettings | None:
        """Section 3: what `agents` says of an agent."""
        found = [agent for agent in self.config.agents if agent.agent_id == agent_id]
        return found[0] if found else None

    def weight(self, agent_id: str) -> int:
        """Section 3, Y5."""
        agent = self.listed(agent_id)
        return self.config.unlisted_agent_weight if agent is None else agent.weight

    def tier(self, agent_id: str) -> int:
        """Y4, Y5."""
        agent = self.listed(agent_id)
        return 1 if agent is None else agent.tier

    def limit(self, agent_id: str) -> int | None:
        """X1: max_pending, the shop's default where the agent has none."""
        agent = self.listed(agent_id)
        own = None if agent is None else agent.max_pending
        return self.config.default_max_pending if own is None else own

    def group(self, group_id: str | None) -> Group | None:
        """Y8: the group of that name, if there is one."""
        found = [group for group in self.config.groups if group.group_id == group_id]
        return found[0] if found else None

    def waiting_for(self, owner_id: str) -> list[Buyer]:
        """T1, F6: buyers who wait for a human owner, by id, in the order in which a rescue takes them (L7, Y7)."""
        found = [
            buyer
            for buyer in self.buyers.values()
            if buyer.owner is not None and buyer.owner.kind in HUMAN_KINDS and buyer.owner.id == owner_id
        ]
        return sorted(found, key=lambda buyer: (-buyer.priority, buyer.place))

    def pool(self) -> list[Buyer]:
        """T4, Y7: the message pool in order."""
        found = [b for b in self.buyers.values() if b.owner is not None and b.owner.kind == "message_pool"]
        return sorted(found, key=lambda buyer: (-buyer.priority, buyer.place))

    def pending(self, owner_id: str) -> int:
        """T1: 待回复人数."""
        return len(self.waiting_for(owner_id))

    def full(self, agent_id: str, buyer_id: str | None) -> bool:
        """X1: pending at the limit, the buyer in question (if there is one) not counted."""
        limit = self.limit(agent_id)
        others = [buyer for buyer in self.waiting_for(agent_id) if buyer.buyer_id != buyer_id]
        return limit is not None and len(others) >= limit

    def lag_ms(self, agent_id: str, t0_ms: int) -> int:
        """L4: the detection lag of one case."""
        low = self.config.detection_lag_s.min * 1000
        high = self.config.detection_lag_s.max * 1000
        u = digest(f"{self.shop_id}|{agent_id}|{t0_ms}") / 2**64
        return low + int((high - low) * u)

    def last_seen_ms(self, agent: Agent) -> int:
        """L9: s, at least the own time of the config that turned heartbeats on."""
        return max(agent.last_seen_ms, self.heartbeats_on_ms)

    def contact_window_ms(self) -> int | None:
        """Section 3: recent_contact_window_h in ms; None means as long as the buyer is remembered."""
        hours = self.config.recent_window_h
        return None if hours is None else hours * HOUR_MS

    def forget_after_ms(self) -> int:
        """T5: how long a silent buyer is remembered."""
        window = self.contact_window_ms()
        return FORGET_WITHOUT_WINDOW_MS if window is None else max(window, FORGET_AT_LEAST_MS)

    def no_reply_wait_ms(self, buyer: Buyer) -> int | None:
        """X2, Y10: how long this buyer waits for its owner before it is routed again."""
        wait_s = self.config.no_reply_reassign_s
        if wait_s is None:
            return None
        return 1000 * min(wait_s << buyer.doublings, max(wait_s, NO_REPLY_WAIT_MOST_S))

    def timers(self) -> list[tuple[int, int, str, str]]:
        """O1: (deadline, rank of the kind, id, what it is) of everything that is running."""
        running: list[tuple[int, int, str, str]] = []
        for agent in self.agents.values():
            if agent.window is not None:
                running.append((agent.window.t0_ms + agent.window.lag_ms, 0, agent.agent_id, "window"))  # L3
            if self.config.expect_heartbeats and agent.connected_devices:
                seen = self.last_seen_ms(agent)
                running.append((seen + self.lag_ms(agent.agent_id, seen), 0, agent.agent_id, "silence"))  # L9
        for buyer in self.buyers.values():
            running.append((buyer.last_ms + self.forget_after_ms() + 1, 1, buyer.buyer_id, "expiry"))  # T5
            wait_ms = self.no_reply_wait_ms(buyer)
            if wait_ms is None or buyer.owner is None or buyer.owner.kind not in HUMAN_KINDS:
                continue
            if buyer.no_reply_moves < self.config.no_reply_limit:
                start = max(buyer.wait_start_ms, self.no_reply_on_ms)
                running.append((start + wait_ms, 2, buyer.buyer_id, "no_reply"))  # X2
        return sorted([*running, *self.idle()])

    def idle(self) -> list[tuple[int, int, str, str]]:
        """T6: the same of all that is to be forgotten; the id of a device is made of three."""
        found: list[tuple[int, int, str, str]] = []
        after_ms = self.forget_after_ms() + 1
        for agent in self.agents.values():
            for device, status_ms in agent.newest_of_device_ms.items():
                if device not in agent.connected_devices:
                    newest_ms = max(status_ms, agent.newest_of_kind_ms.get(device[0], -1))
                    found.append((newest_ms + after_ms, 3, "\x1f".join((agent.agent_id, *device)), "device"))
            if not self.held(agent):
                found.append((agent.last_ms + after_ms, 3, agent.agent_id, "agent"))
        found += [(since_ms + after_ms, 3, name, "pool") for name, since_ms in self.retired_pools.items()]
        if not (self.agents or self.buyers or self.given or self.forgotten):
            found.append((self.clock_ms + after_ms, 3, "", "shop"))
        return found
