"""Sections 4, 5 and 13: the two ladders, rung after rung."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.reference import share
from tests.reference.rungs import POOL, Rungs

if TYPE_CHECKING:
    from schemas.shop import Group

ROBOT_RUNGS = ("robot_when_unattended", "robot_first", "group_robot")
# T3: these do not set the last contact. The rung counts, also where the rule has another name (F2).
NO_CONTACT = (*ROBOT_RUNGS, "leave_message", "queue", "offline_receiver", "addressed_agent_offline")


@dataclass
class Walk(Rungs):
    """One walk down the ladder of the shop's policy."""

    # -- Qianniu -----------------------------------------------------------------------------------------------------

    def robot(self, rung: str) -> bool:
        """Q1, Q4, Q5, Y8, Y13: a robot that is on takes the message. F1: off, excluded, wants_human."""
        if self.no_robots or self.buyer.group_id is not None:
            return self.skip(rung, "excluded")
        if self.buyer.asked_for_human or self.buyer.owner == POOL:
            self.shop.applied["Y13"] += not self.message.wants_human
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
        if self.outside(agent_id):
            self.shop.applied["Y8 dedicated"] += 1
            return self.skip("dedicated_agent", "out_of_group")
        obstacle = self.obstacle(agent_id, suspended_ok=False)
        if obstacle is not None:
            return self.skip("dedicated_agent", obstacle)
        return self.take("dedicated_agent", "agent", agent_id)

    def robot_first(self) -> bool:
        """Q4."""
        return self.robot("robot_first") if self.config.robot_first else self.skip("robot_first", "off")

    def bound_groups(self) -> list[Group]:
        """Q6, Y8: the buyer's own group, or those that bind order_state."""
        own = self.shop.group(self.buyer.group_id)
        return self.groups_of_state() if own is None else [own]

    def group_by_lot(self) -> list[Group]:
        """Q6: the one that R1 picks for an unbound state."""
        if self.config.unbound_order_state == "all_agents" or not self.config.groups:
            return []
        picked = self.r1([group.group_id for group in self.config.groups])
        return [group for group in self.config.groups if group.group_id == picked]

    def groups(self) -> bool:
        """Q5, Q6, Q7, Y3."""
        bound = self.bound_groups()
        asked = bound or self.group_by_lot()
        if not asked:
            self.skip("group_robot", "no_binding")
            return self.share("group_share", share.ALL) or self.skip("group_fallback", "no_binding")
        if not any(group.robot for group in asked):
            self.skip("group_robot", "off")
        elif self.robot("group_robot"):
            return True
        if self.share("group_share", share.group_pool(asked)):
            return True
        if bound and self.config.fallback == "queue":
            return self.nobody_else("group_fallback")
        return self.share("group_fallback", share.ALL, self.outsider)

    def qianniu(self) -> bool:
        """Section 4, from Q0, or from Q2."""
        if not (self.drain or self.from_recent) and (self.addressed_agent() or self.unattended()):
            return True
        if self.recent_contact() or self.dedicated_agent() or self.robot_first() or self.groups():
            return True
        return not self.drain and (self.queue() or self.leave_message())  # X1, Q8

    # -- Pinduoduo ---------------------------------------------------------------------------------------------------

    def bound_pool(self) -> str | None:
        """P3, Y8: the pool of the buyer's own group, or of the page that has a rule."""
        own = self.shop.group(self.buyer.group_id)
        if own is not None:
            return share.group_pool([own])
        page = self.message.entry_page
        ruled = page is not None and any(rule.page == page for rule in self.config.pages)
        return share.page_pool(page) if ruled and page is not None else None

    def pages(self) -> bool:
        """P3, P4, Y3."""
        bound = self.bound_pool()
        if self.share("page_share", share.ALL if bound is None else bound):
            return True
        if bound is not None and self.config.fallback == "queue":
            return self.nobody_else("random_online")
        return self.random_online(self.outsider)

    def offline_receiver(self) -> bool:
        """P5, F5, Y15. F1: listed only with nobody available, or nobody of a weight above 0."""
        receivers = self.config.offline_receivers
        available = [
            agent_id for agent_id in self.shop.agents if self.shop.available(agent_id) and not self.out(agent_id)
        ]
        if any(self.shop.weight(agent_id) > 0 for agent_id in available):
            return False
        if not receivers:
            return self.skip("offline_receiver", "off")
        found = [agent_id for agent_id in receivers if not self.out(agent_id)]
        if not found:
            return self.skip("offline_receiver", "excluded")
        self.shop.applied["Y15"] += bool(available)
        picked = self.r2(found)
        self.push = picked in self.shop.agents and self.shop.agents[picked].app_alive
        return self.take("offline_receiver", "agent", picked)

    def pinduoduo(self) -> bool:
        """Section 5, from P0, or from P1. Y8: while it binds, every contact that cannot receive counts as none."""
        if not (self.drain or self.from_recent) and self.addressed_agent():
            return True
        if self.recent_contact():
            return True
        no_contact = self.contact_in_window() is None or self.buyer.group_id is not None
        if self.pages() if no_contact else self.random_online():  # P3 and P4, or P2
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
    """L7, T4, Y8: whether the walk ended with an agent. To leave a message is no find, with whomever it waits (Y6)."""
    return attempt.target is not None and attempt.target.kind == "agent" and attempt.rung != "leave_message"
