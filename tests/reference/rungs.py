"""The state of one decision, and the rungs that both ladders have. Deciding changes nothing but S3's levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.decisions import Outcome, Target, TargetKind
from tests.reference import share
from tests.reference.state import HOUR_MS, Buyer, Shop, digest

if TYPE_CHECKING:
    from schemas.shop import Group

POOL = Target("message_pool", "message_pool")


@dataclass
class Rungs:
    """One decision: how a ladder is walked, and what it came to."""

    shop: Shop
    buyer: Buyer
    excluded: frozenset[str] = frozenset()  # L7, X2, F5: left out of every rung
    no_robots: bool = False  # L7, T4, X2
    strict_full: bool = False  # F4: a full agent is passed over in every rung
    divert_always: bool = False  # X2, F10: offline_diversion is not asked
    from_recent: bool = False  # Y8: the ladder from Q2 or P1
    drain: bool = False  # T4: the same, but no further than agents, and room asked
    spare: str | None = None  # T4, F3: the agent that has room for one buyer whatever its pending
    left_out: frozenset[str] = frozenset()  # Q0's "without that agent"
    trace: list[tuple[str, Outcome]] = field(default_factory=list)
    target: Target | None = None
    rung: str = ""
    pool: str | None = None  # the candidate pool of a share rung, of which Y4's tiers are parts
    compared: list[str] = field(default_factory=list)  # share and random rungs: those with a weight above 0
    outsider: str | None = None  # Y2: the contact that is passed over for its group
    unserved: bool = False  # Y3: the bound groups or the page have no candidate, and nobody else is asked
    push: bool | None = None

    def __post_init__(self) -> None:
        assert self.buyer.message is not None, "only a buyer with a message is routed"
        self.message = self.buyer.message
        self.config = self.shop.config
        self.key = f"{self.shop.shop_id}|{self.buyer.buyer_id}"
        share.level(self.shop, self.buyer.buyer_id)  # F10: levelled before the pick

    # -- small words -------------------------------------------------------------------------------------------------

    def skip(self, rung: str, outcome: Outcome) -> bool:
        """Write that a rung did not take the message."""
        self.trace.append((rung, outcome))
        return False

    def take(self, rung: str, kind: TargetKind, target_id: str) -> bool:
        """Write that a rung took the message."""
        self.trace.append((rung, "taken"))
        self.rung = rung
        self.target = Target(kind, target_id)
        return True

    def out(self, agent_id: str) -> bool:
        """L7, F5: whether this decision leaves the agent out."""
        return agent_id in self.excluded or agent_id in self.left_out

    def no_room(self, agent_id: str, *, personal: bool) -> bool:
        """X1, F4, T4, F3: `full`. `personal` rungs reach a full agent where full_keeps_recent says so."""
        passes_full = personal and self.config.full_keeps_recent and not self.strict_full
        if not passes_full and self.shop.full(agent_id, self.buyer.buyer_id):
            return True
        busy = self.shop.pending(agent_id) >= self.config.busy_threshold
        return self.drain and busy and agent_id != self.spare

    def outside(self, agent_id: str) -> bool:
        """Y8: whether the buyer is bound to a group of which the agent is no member."""
        group = self.shop.group(self.buyer.group_id)
        return group is not None and agent_id not in group.agent_ids

    def obstacle(self, agent_id: str, *, suspended_ok: bool) -> Outcome | None:
        """F1: the first reason why a rung that names one agent cannot take it."""
        if self.out(agent_id):
            return "excluded"
        if not self.shop.known(agent_id):
            return "agent_unknown"
        if not self.shop.believed_online(agent_id):
            return "agent_offline"
        if self.shop.suspended(agent_id) and not suspended_ok:
            return "agent_suspended"
        return "full" if self.no_room(agent_id, personal=True) else None

    def somebody_available(self) -> bool:
        """Q1, P5: somebody who is not left out is available."""
        return any(self.shop.available(agent_id) and not self.out(agent_id) for agent_id in self.shop.agents)

    def r1(self, ids: list[str]) -> str:
        """R1: a replayable pick for a message."""
        return sorted(ids)[digest(f"{self.key}|{self.message.event_id}") % len(ids)]

    def r2(self, ids: list[str]) -> str:
        """R2: a replayable pick for a buyer."""
        return sorted(ids)[digest(self.key) % len(ids)]

    def groups_of_state(self) -> list[Group]:
        """Q6: the groups that bind order_state."""
        state = self.message.order_state
        return [group for group in self.config.groups if state is not None and state in group.order_states]

    # -- rungs of both ladders ---------------------------------------------------------------------------------------

    def addressed_agent(self) -> bool:
        """Q0, P0."""
        agent_id = self.message.addressed_agent_id
        if agent_id is None:
            return self.skip("addressed_agent", "not_addressed")
        obstacle = self.obstacle(agent_id, suspended_ok=True)
        if obstacle is None:
            return self.take("addressed_agent", "agent", agent_id)
        self.skip("addressed_agent", obstacle)
        if obstacle == "agent_offline" and not self.config.offline_diversion and not self.divert_always:
            return self.take("addressed_agent_offline", "agent", agent_id)
        if obstacle in ("agent_offline", "agent_unknown"):
            self.left_out = frozenset({agent_id})  # F5
        return False

    def recent_contact(self) -> bool:
        """Q2, P1."""
        contact = self.contact_in_window()
        if contact is None:
            return self.skip("recent_contact", "no_record" if self.buyer.contact is None else "expired")
        if self.outside(contact) or self.out_of_scope(contact):
            self.outsider = contact
            self.shop.applied["Y8" if self.outside(contact) else "Y2"] += 1
            return self.skip("recent_contact", "out_of_group")
        obstacle = self.obstacle(contact, suspended_ok=self.keeps_suspended())
        if obstacle is not None:
            return self.skip("recent_contact", obstacle)
        return self.take("recent_contact", "agent", contact)

    def out_of_scope(self, agent_id: str) -> bool:
        """Y2: whether only the groups that bind the state are asked, and the agent is in none of them."""
        if self.buyer.group_id is not None or self.config.policy != "qianniu":
            return False
        groups = self.groups_of_state()
        asked = self.config.recent_contact_scope == "group" and groups
        return bool(asked) and not any(agent_id in group.agent_ids for group in groups)

    def keeps_suspended(self) -> bool:
        """Q2, Y1, Y11: whether the last contact takes the message although it is suspended."""
        assert self.buyer.contact is not None, "there is a contact"
        agent_id, time_ms = self.buyer.contact
        hours = self.config.suspended_keeps_recent_h
        fresh = hours is None or self.shop.clock_ms - time_ms <= hours * HOUR_MS
        suspension = self.shop.suspensions.get(agent_id)
        kept = self.config.suspended_keeps_recent
        self.shop.applied["Y1"] += kept and suspension == "own" and not fresh
        self.shop.applied["Y11 keeps"] += kept and suspension == "no_reply"
        return kept and fresh and suspension == "own"

    def contact_in_window(self) -> str | None:
        """Q2, P1: the agent of the last human contact, if that is at most the window old (inclusive)."""
        if self.buyer.contact is None:
            return None
        agent_id, time_ms = self.buyer.contact
        window = self.shop.contact_window_ms()
        return agent_id if window is None or self.shop.clock_ms - time_ms <= window else None

    def candidates(self, rung: str, members: set[str], sole: str | None = None) -> list[str]:
        """S2, R1, Y4: those who are compared; none are written to the trace as `full` or `nobody_available`.

        `sole` is compared alone if it is a candidate (Y2).
        """
        staffed = [
            agent_id
            for agent_id in sorted(members)
            if self.shop.available(agent_id) and self.shop.weight(agent_id) > 0 and not self.out(agent_id)
        ]
        found = [agent_id for agent_id in staffed if not self.no_room(agent_id, personal=False)]
        if not found:
            self.skip(rung, "full" if staffed else "nobody_available")
            return []
        lowest = min(self.shop.tier(agent_id) for agent_id in found)
        of_tier = [agent_id for agent_id in found if self.shop.tier(agent_id) == lowest]
        if sole in found:
            self.shop.applied["Y2 sole"] += of_tier != [sole]
            return [sole]
        self.shop.applied["Y4"] += of_tier != found
        return of_tier

    def share(self, rung: str, pool: str, sole: str | None = None) -> bool:
        """Q6, Q7, P3: stride scheduling in a pool."""
        self.compared = self.candidates(rung, share.pools(self.shop)[pool], sole)
        if not self.compared:
            return False
        self.pool = pool
        return self.take(rung, "agent", share.first_of(self.shop, pool, self.compared))

    def random_online(self, sole: str | None = None) -> bool:
        """P2, P4: R1 among the available agents."""
        self.compared = self.candidates("random_online", set(self.shop.agents), sole)
        if not self.compared:
            return False
        return self.take("random_online", "agent", self.r1(self.compared))

    def nobody_else(self, rung: str) -> bool:
        """Y3: Q7 and P4 are off."""
        self.unserved = True
        self.shop.applied["Y3"] += 1
        return self.skip(rung, "off")

    def queue(self) -> bool:
        """X1: the share or random rungs found only full agents. Y3. Listed only where it takes (F1)."""
        full = any((rung, "full") in self.trace for rung in ("group_share", "group_fallback", "random_online"))
        return (full or self.unserved) and self.take("queue", "message_pool", POOL.id)

    def leave_message(self) -> bool:
        """Q1, Q8, P6: main and proxy accounts receive even offline. Y6: so does the last contact."""
        setting = self.config.leave_message
        if setting.to == "recent_contact" and self.buyer.contact is not None:
            contact = self.buyer.contact[0]
            if not self.out(contact) and not self.outside(contact):
                self.shop.applied["Y6"] += 1
                return self.take("leave_message", "agent", contact)
        if setting.to == "main_account":
            assert setting.main_account_id is not None, "C2"
            return self.take("leave_message", "main_account", setting.main_account_id)
        if setting.to == "proxy_account":
            return self.take("leave_message", "proxy_account", self.r2(list(setting.proxy_account_ids)))
        return self.take("leave_message", "message_pool", POOL.id)
