"""Hand-computed cases for the reference model, so that the oracle itself is not trusted blindly.

Numbers in the expectations are worked out from the rule text, not taken from the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, convert

from schemas.decisions import AgentPresence, Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from tests.reference.model import ReferenceRouter
from tests.reference.shops import config_change

if TYPE_CHECKING:
    from schemas.events import ReplyKind, StatusName

Decisions = list[Assignment | AgentPresence]


class Desk:
    """One shop, `s`, and short words for what happens in it."""

    def __init__(self, **settings: object) -> None:
        self.router = ReferenceRouter()
        self.events = 0
        if settings:
            self.config(0, **settings)

    def config(self, at_ms: int, **settings: object) -> Decisions:
        return self.router.apply(config_change("s", at_ms, settings))

    def status(self, at_ms: int, agent_id: str, status: StatusName = "online", device: str = "pc") -> Decisions:
        self.events += 1
        document = {"agent_id": agent_id, "status": status, "device": device, "event_id": f"s{self.events}"}
        return self.router.apply(convert({**document, "shop_id": "s", "occurred_at_ms": at_ms}, AgentStatus))

    def message(self, at_ms: int, buyer_id: str, event_id: str, **fields: object) -> Assignment:
        document = {"event_id": event_id, "shop_id": "s", "buyer_id": buyer_id, "occurred_at_ms": at_ms, **fields}
        decision = self.router.apply(convert(document, BuyerMessage))[-1]
        assert isinstance(decision, Assignment)
        return decision

    def reply(
        self, at_ms: int, agent_id: str, buyer_id: str, kind: ReplyKind = "reply", to: str | None = None
    ) -> Decisions:
        self.events += 1
        reply = AgentReply(
            event_id=f"r{self.events}",
            shop_id="s",
            agent_id=agent_id,
            buyer_id=buyer_id,
            occurred_at_ms=at_ms,
            kind=kind,
            to_agent_id=to,
        )
        return self.router.apply(reply)


def owners(decisions: Decisions) -> list[tuple[str, str, str]]:
    """(buyer, rule, target) of the assignments."""
    return [(d.buyer_id, d.rule, d.target.id) for d in decisions if isinstance(d, Assignment)]


def presences(decisions: Decisions) -> list[tuple[str, str, int, int]]:
    """(agent, presence, since, at) of the presence events."""
    return [(d.agent_id, d.presence, d.since_ms, d.at_ms) for d in decisions if isinstance(d, AgentPresence)]


def test_l4_lag_and_l6_stranded_buyers() -> None:
    desk = Desk()
    assert presences(desk.status(500, "a")) == [("a", "online", 500, 500)]
    desk.message(600, "early", "m1")
    # u = 5217386276683509011 / 2**64 = 0.28284…; 120000 + int(180000 * u) = 170910
    (undetected,) = desk.status(1000, "a", "offline")
    assert isinstance(undetected, AgentPresence)
    assert (undetected.presence, undetected.lag_ms, undetected.pending_replies) == ("undetected_offline", 170910, 1)
    assert desk.message(2000, "late", "m2").target_presence == "undetected_offline"
    assert desk.router.fire_timers(171909) == []
    (offline,) = desk.router.fire_timers(171910)
    assert isinstance(offline, AgentPresence)
    assert (offline.presence, offline.since_ms, offline.at_ms, offline.lag_ms) == ("offline", 1000, 171910, 170910)
    assert (offline.pending_replies, offline.stranded_buyers) == (2, 1)


def test_l5_a_reconnection_cancels_the_window() -> None:
    desk = Desk()
    desk.status(0, "a")
    desk.status(1000, "a", "offline")
    assert presences(desk.status(171909, "a")) == [("a", "online", 171909, 171909)]
    assert desk.router.fire_timers(10_000_000) == []


def test_l7_rescue_goes_to_the_others_and_then_to_the_pool() -> None:
    lag = {"min": 60, "max": 60}
    desk = Desk(rescue="all_pending", detection_lag_s=lag)
    desk.status(0, "a")
    desk.message(10, "b1", "m1", addressed_agent_id="a")
    desk.message(20, "b2", "m2")
    desk.status(30, "b")
    desk.status(40, "a", "offline")
    decisions = desk.router.fire_timers(60_040)
    assert presences(decisions) == [("a", "offline", 40, 60_040)]
    assert owners(decisions) == [("b1", "stranded_rescue", "b"), ("b2", "stranded_rescue", "b")]
    first = decisions[1]
    assert isinstance(first, Assignment)
    assert first.assignment_id == "m1#2"
    assert (first.previous_agent_id, first.pending_before, first.weight, first.candidate_count) == ("a", 0, 100, 1)
    assert first.trace == [
        ("addressed_agent", "excluded"),
        ("leave_message", "not_needed"),
        ("recent_contact", "excluded"),
        ("dedicated_agent", "off"),
        ("robot_first", "off"),
        ("group_robot", "no_binding"),
        ("group_share", "taken"),
    ]
    desk.status(70_000, "b", "offline")
    assert owners(desk.router.fire_timers(130_000)) == [
        ("b1", "leave_message", "message_pool"),
        ("b2", "leave_message", "message_pool"),
    ]


def test_l1_l10_suspension_is_kept_apart_from_devices() -> None:
    desk = Desk(detection_lag_s={"min": 0, "max": 0})
    desk.status(10, "a")
    assert presences(desk.status(20, "a", "suspended")) == [("a", "suspended", 20, 20)]
    assert desk.status(30, "a", device="mobile") == []
    assert presences(desk.status(40, "a", "offline")) == [("a", "offline", 40, 40)]  # L11: only offline
    assert desk.status(39, "a") == []  # L10: stale for that device
    assert presences(desk.status(50, "a")) == [("a", "online", 50, 50)]


def test_l8_a_log_out_ends_a_running_window() -> None:
    desk = Desk(logout_is_immediate=True)
    desk.status(500, "a")
    desk.status(1000, "a", "offline")
    (offline,) = desk.status(5000, "a", "logged_out")
    assert isinstance(offline, AgentPresence)
    assert (offline.since_ms, offline.at_ms, offline.lag_ms) == (1000, 5000, 170910)


def test_l9_silence_is_a_disconnection() -> None:
    desk = Desk(expect_heartbeats=True, detection_lag_s={"min": 30, "max": 30})
    desk.status(0, "a")
    desk.message(5_000, "b1", "m1")
    assert desk.status(10_000, "a") == []
    desk.message(20_000, "b2", "m2")
    assert presences(desk.router.fire_timers(39_999)) == []
    (offline,) = desk.router.fire_timers(40_000)
    assert isinstance(offline, AgentPresence)
    assert (offline.presence, offline.since_ms, offline.lag_ms) == ("offline", 10_000, 30_000)
    assert (offline.pending_replies, offline.stranded_buyers) == (2, 1)


def test_l2_a_device_that_counts_no_longer() -> None:
    desk = Desk(mobile_diversion=True)
    desk.status(10, "a", device="mobile")
    decisions = desk.config(50, mobile_diversion=False)
    assert presences(decisions) == [("a", "offline", 50, 50)]
    assert isinstance(decisions[0], AgentPresence)
    assert decisions[0].lag_ms == 0


def test_s2_stride_order_of_300_to_100() -> None:
    desk = Desk(busy_threshold=100, agents=[{"agent_id": "a", "weight": 300}, {"agent_id": "b"}])
    desk.status(0, "a")
    desk.status(0, "b")
    # steps: a 14316557, b 42949672. Both 0: a; b; then a at 14316557, 28633114 and 42949671 (< 42949672); b again.
    order = [desk.message(n, f"b{n}", f"m{n}").target.id for n in range(1, 11)]
    assert order == ["a", "b", "a", "a", "a", "b", "a", "a", "a", "b"]


def test_s1_s3_busy_agents_pay_more_and_newcomers_start_level() -> None:
    desk = Desk(busy_threshold=1)
    desk.status(0, "a")
    for n in range(4):
        desk.message(n, f"b{n}", f"m{n}")
    shop = desk.router.shops["s"]
    # pending before: 0, 1, 2, 3; 2**32 * (1 + 1 + 2 + 3) / 100, each rounded down: 42949672 * 2 + 85899345 + 128849018
    assert shop.virtual_times["all", "a"] == 300647707
    assert shop.pool_clocks["all"] == 42949672 * 2 + 85899345
    desk.status(10, "b")
    assert shop.virtual_times["all", "b"] == 171798689


def test_qianniu_trace_of_a_group_that_nobody_serves() -> None:
    desk = Desk(groups=[{"group_id": "g", "order_states": ["paid"], "agent_ids": ["x"]}], agents=[{"agent_id": "x"}])
    desk.status(0, "a")
    decision = desk.message(1, "b1", "m1", order_state="paid", addressed_agent_id="x")
    assert decision.rule == "group_fallback"
    assert decision.trace == [
        ("addressed_agent", "agent_offline"),
        ("leave_message", "not_needed"),
        ("recent_contact", "no_record"),
        ("dedicated_agent", "off"),
        ("robot_first", "off"),
        ("group_robot", "off"),
        ("group_share", "nobody_available"),
        ("group_fallback", "taken"),
    ]
    assert (decision.new_owner, decision.previous_agent_id, decision.candidate_count) == (True, None, 1)


def test_pinduoduo_traces() -> None:
    desk = Desk(policy="pinduoduo", offline_receivers=["y", "x"], detection_lag_s={"min": 0, "max": 0})
    decision = desk.message(1, "b1", "m1")
    # R2: the digest of "s|b1" is even, so the first of x, y
    assert (decision.target.id, decision.push, decision.weight) == ("x", False, UNSET)
    assert decision.trace == [
        ("addressed_agent", "not_addressed"),
        ("recent_contact", "no_record"),
        ("page_share", "nobody_available"),
        ("random_online", "nobody_available"),
        ("offline_receiver", "taken"),
    ]
    for agent_id in ("a", "b", "c"):
        desk.status(2, agent_id)
    desk.reply(3, "c", "b1")
    desk.status(4, "c", "offline")
    # R1: the digest of "s|b1|m2" is odd, so b of a, b
    decision = desk.message(5, "b1", "m2")
    assert (decision.rule, decision.target.id, decision.candidate_count) == ("random_online", "b", 2)
    assert decision.trace[1:] == [("recent_contact", "agent_offline"), ("random_online", "taken")]


def test_t4_an_overnight_pool_fills_an_agent_to_its_room_and_a_reply_makes_room_for_one() -> None:
    desk = Desk(busy_threshold=2)
    for n in range(4):
        assert desk.message(n, f"b{n}", f"m{n}").rule == "leave_message"
    assert owners(desk.status(10, "a")) == [("b0", "pool_drained", "a"), ("b1", "pool_drained", "a")]
    desk.message(11, "b4", "m4")  # new arrivals are not asked for room: pending 3
    assert owners(desk.reply(20, "a", "b0")) == [("b2", "pool_drained", "a")]
    (last,) = desk.reply(21, "a", "b1", "transfer", "elsewhere")
    assert isinstance(last, Assignment)
    assert (last.buyer_id, last.pending_before, last.waiting_messages) == ("b3", 2, 1)


def test_x1_full_agents_lead_to_the_queue() -> None:
    desk = Desk(agents=[{"agent_id": "a", "max_pending": 1}])
    desk.status(0, "a")
    assert desk.message(1, "b1", "m1").target.id == "a"
    queued = desk.message(2, "b2", "m2")
    assert (queued.rule, queued.target.id, queued.previous_agent_id) == ("queue", "message_pool", None)
    assert queued.trace[-3:] == [("group_share", "full"), ("group_fallback", "no_binding"), ("queue", "taken")]
    assert desk.message(3, "b1", "m3").rule == "recent_contact"
    assert owners(desk.reply(4, "a", "b1")) == [("b2", "pool_drained", "a")]


def test_x2_no_reply_moves_a_buyer_at_most_so_often() -> None:
    desk = Desk(no_reply_reassign_s=30, no_reply_limit=1)
    desk.status(0, "a")
    desk.message(1_000, "b1", "m1")
    assert desk.router.fire_timers(31_000) == []  # nobody else: it stays, and waits twice as long (Y10)
    desk.status(32_000, "b")
    assert desk.router.fire_timers(90_999) == []
    assert owners(desk.router.fire_timers(91_000)) == [("b1", "no_reply", "b")]
    assert desk.router.fire_timers(1_000_000) == []


def test_t5_a_forgotten_buyer_has_no_contact() -> None:
    hour = 3_600_000
    desk = Desk()
    desk.status(0, "a")
    desk.message(0, "b1", "m1")
    assert desk.message(72 * hour, "b1", "m2").rule == "recent_contact"
    again = desk.message(144 * hour + 1, "b1", "m3")
    assert (again.rule, again.new_owner, again.waiting_messages) == ("group_share", True, 1)


def test_o3_o4_late_and_duplicate_messages() -> None:
    desk = Desk()
    desk.status(5_000, "a")
    late = desk.message(4_000, "b1", "m1")
    assert (late.late_ms, late.occurred_at_ms, late.decided_at_ms) == (1_000, 4_000, 5_000)
    duplicate = BuyerMessage(event_id="m1", shop_id="s", buyer_id="b1", occurred_at_ms=4_000)
    assert desk.router.apply(duplicate) == []
