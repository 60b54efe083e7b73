"""Sections 4 and 5: one walk down a ladder for one buyer. Deciding changes nothing but S3's levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.decisions import Outcome, Target, TargetKind
from tests.reference import share
from tests.reference.state import Buyer, Shop, digest

if TYPE_CHECKING:
    from schemas.shop import Group

POOL = Target("message_pool", "message_pool")
ROBOT_RUNGS = ("robot_when_unattended", "robot_first", "group_robot")
# T3: these do not set the last contact. The rung counts, also where the rule has another name (F2).
NO_CONTACT = (*ROBOT_RUNGS, "leave_message", "queue", "offline_receiver", "addressed_agent_offline")


@dataclass
class Walk:
    """One decision: how the ladder is walked, and what it came to."""

    shop: Shop
    buyer: Buyer
    excluded: frozenset[str] = frozenset()  # L7, X2, F5: left out of every rung
    no_robots: bool = False  # L7, T4, X2
    strict_full: bool = False  # F4: a full agent is passed over in every rung
    divert_always: bool = False  # X2, F10: offline_diversion is not asked
    drain: bool = False  # T4: the ladder from Q2 or P1, room asked
    spare: str | None = None  # T4, F3: the agent that has room for one buyer whatever its pending
    left_out: frozenset[str] = frozenset()  # Q0's "without that agent"
    trace: list[tuple[str, Outcome]] = field(default_factory=list)
    target: Target | None = None
    rung: str = ""
    pool: str | None = None  # the candidate pool of a share rung
    candidate_count: int | None = None
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
        obstacle = self.obstacle(contact, suspended_ok=self.config.suspended_keeps_recent)
        if obstacle is not None:
            return self.skip("recent_contact", obstacle)
        return self.take("recent_contact", "agent", contact)

    def contact_in_window(self) -> str | None:
        """Q2, P1: the agent of the last human contact, if that is at most the window old (inclusive)."""
        if self.buyer.contact is None:
            return None
        agent_id, time_ms = self.buyer.contact
        window = self.shop.contact_window_ms()
        return agent_id if window is None or self.shop.clock_ms - time_ms <= window else None

    def candidates(self, rung: str, members: set[str]) -> list[str]:
        """S2, R1: those who can be picked; an empty list is written to the trace as `full` or `nobody_available`."""
        staffed = [
            agent_id
            for agent_id in sorted(members)
            if self.shop.available(agent_id) and self.shop.weight(agent_id) > 0 and not self.out(agent_id)
        ]
        found = [agent_id for agent_id in staffed if not self.no_room(agent_id, personal=False)]
        if not found:
            self.skip(rung, "full" if staffed else "nobody_available")
        return found

    def share(self, rung: str, pool: str) -> bool:
        """Q6, Q7, P3: stride scheduling in a pool."""
        found = self.candidates(rung, share.pools(self.shop)[pool])
        if not found:
            return False
        self.pool = pool
        self.candidate_count = len(found)
        return self.take(rung, "agent", share.first_of(self.shop, pool, found))

    def random_online(self) -> bool:
        """P2, P4: R1 among the available agents."""
        found = self.candidates("random_online", set(self.shop.agents))
        if not found:
            return False
        self.candidate_count = len(found)
        return self.take("random_online", "agent", self.r1(found))

    def queue(self) -> bool:
        """X1: the share or random rungs found only full agents. Listed only where it takes (F1)."""
        if any((rung, "full") in self.trace for rung in ("group_share", "group_fallback", "random_online")):
            return self.take("queue", "message_pool", POOL.id)
        return False

    def leave_message(self) -> bool:
        """Q1, Q8, P6: main and proxy accounts receive even offline."""
        setting = self.config.leave_message
        if setting.to == "main_account":
            assert setting.main_account_id is not None, "C2"
            return self.take("leave_message", "main_account", setting.main_account_id)
        if setting.to == "proxy_account":
            return self.take("leave_message", "proxy_account", self.r2(list(setting.proxy_account_ids)))
        return self.take("leave_message", "message_pool", POOL.id)

    # -- Qianniu -----------------------------------------------------------------------------------------------------

    def robot(self, rung: str) -> bool:
        """Q1, Q4, Q5: a robot that is on takes the message. F1: off, excluded, wants_human."""
        if self.no_robots:
            return self.skip(rung, "excluded")
        if self.message.wants_human:
            return self.skip(rung, "wants_human")
        return self.take(rung, "robot", self.config.robot_id)

    def unattended(self) -> bool:
        """Q1."""
        if self.somebody_available():
            return self.skip("leave_message", "not_needed")
        if self.config.robot_first and self.config.robot_when_unattended and self.robot("robot_when_unattended"):
            return True
        return self.leave_message()

    def dedicated_agent(self) -> bool:
        """Q3."""
        if not self.config.dedicated_direct:
            return self.skip("dedicated_agent", "off")
        agent_id = self.config.dedicated_agents.get(self.buyer.buyer_id)
        if agent_id is None:
            return self.skip("dedicated_agent", "no_binding")
        obstacle = self.obstacle(agent_id, suspended_ok=False)
        if obstacle is not None:
            return self.skip("dedicated_agent", obstacle)
        return self.take("dedicated_agent", "agent", agent_id)

    def robot_first(self) -> bool:
        """Q4."""
        return self.robot("robot_first") if self.config.robot_first else self.skip("robot_first", "off")

    def bound_groups(self) -> list[Group]:
        """Q6: the groups that bind order_state, or the one that R1 picks for an unbound state."""
        state = self.message.order_state
        bound = [group for group in self.config.groups if state is not None and state in group.order_states]
        if bound or self.config.unbound_order_state == "all_agents" or not self.config.groups:
            return bound
        picked = self.r1([group.group_id for group in self.config.groups])
        return [group for group in self.config.groups if group.group_id == picked]

    def groups(self) -> bool:
        """Q5, Q6, Q7."""
        bound = self.bound_groups()
        if not bound:
            self.skip("group_robot", "no_binding")
            return self.share("group_share", share.ALL) or self.skip("group_fallback", "no_binding")
        if not any(group.robot for group in bound):
            self.skip("group_robot", "off")
        elif self.robot("group_robot"):
            return True
        return self.share("group_share", share.group_pool(bound)) or self.share("group_fallback", share.ALL)

    def qianniu(self) -> bool:
        """Section 4, from Q0, or from Q2 in a drain."""
        if not self.drain and (self.addressed_agent() or self.unattended()):
            return True
        if self.recent_contact() or self.dedicated_agent() or self.robot_first() or self.groups():
            return True
        return not self.drain and (self.queue() or self.leave_message())  # X1, Q8

    # -- Pinduoduo ---------------------------------------------------------------------------------------------------

    def page_share(self) -> bool:
        """P3."""
        page = self.message.entry_page
        ruled = any(rule.page == page for rule in self.config.pages)
        return self.share("page_share", share.page_pool(page) if ruled and page is not None else share.ALL)

    def offline_receiver(self) -> bool:
        """P5, F5. F1: listed only with nobody available."""
        receivers = self.config.offline_receivers
        if self.somebody_available():
            return False
        if not receivers:
            return self.skip("offline_receiver", "off")
        found = [agent_id for agent_id in receivers if not self.out(agent_id)]
        if not found:
            return self.skip("offline_receiver", "excluded")
        picked = self.r2(found)
        self.push = picked in self.shop.agents and self.shop.agents[picked].app_alive
        return self.take("offline_receiver", "agent", picked)

    def pinduoduo(self) -> bool:
        """Section 5, from P0, or from P1 in a drain."""
        if (not self.drain and self.addressed_agent()) or self.recent_contact():
            return True
        if self.contact_in_window() is None and self.page_share():  # P3; with a contact: P2
            return True
        if self.random_online():  # P2 or P4
            return True
        return not self.drain and (self.offline_receiver() or self.queue() or self.leave_message())


def walk(attempt: Walk) -> Walk:
    """Walk the ladder of the shop's policy."""
    if attempt.config.policy == "qianniu":
        attempt.qianniu()
    else:
        attempt.pinduoduo()
    return attempt


def found_agent(attempt: Walk) -> bool:
    """L7, T4: whether the walk ended with an agent (an account that leaves a message is none)."""
    return attempt.target is not None and attempt.target.kind == "agent"
