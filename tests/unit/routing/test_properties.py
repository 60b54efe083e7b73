"""What holds at every moment, whatever the events are (S4, T1, section 13)."""

from collections import Counter
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import AgentSettings, ShopConfig, ShopConfigChange
from streams.routing import Router
from streams.routing.share import STRIDE
from tests.reference.traffic import Item, event_sequences

MOST_AGENTS = 9
"""Those of the traffic, with accounts and strangers that come online."""
MOST_MOVES = 10


@given(event_sequences(ticks=True))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_buyer_waits_for_one_owner_and_pending_counts_the_waiting(items: list[Item]) -> None:
    router = Router()
    for item in items:
        _ = router.fire_timers(item) if isinstance(item, int) else router.apply(item)
        gauges = router.gauges()
        pooled = pending = busy = 0
        for shop in router._shops.values():
            waiting = Counter(buyer_id for agent in shop.agents.values() for buyer_id in agent.waiting)
            assert all(count == 1 for count in waiting.values())
            for agent in shop.agents.values():
                assert all(buyer.owner_id == agent.agent_id for buyer in agent.waiting.values())
                busy += len(agent.waiting) > shop.plan.config.busy_threshold
            owned = {buyer_id for buyer_id, buyer in shop.buyers.items() if buyer.owner_id is not None}
            in_pool = {buyer_id for buyer_id, buyer in shop.buyers.items() if buyer.in_pool}
            assert owned == set(waiting)
            assert not owned & in_pool
            assert [buyer_id for *_, buyer_id in shop.message_pool.everyone.places()] == sorted(
                in_pool, key=lambda buyer_id: (-shop.buyers[buyer_id].priority, shop.buyers[buyer_id].first_seq)
            )
            assert all(shop.buyers[buyer_id].message is not None for buyer_id in owned | in_pool)
            pending += len(owned)
            pooled += len(in_pool)
        assert (gauges.pending_replies, gauges.message_pool, gauges.busy_agents) == (pending, pooled, busy)
        assert gauges.agent_keys == sum(gauges.agents.values())


@given(event_sequences(ticks=True, section_13=True))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_message_is_assigned_and_none_goes_round_without_end(items: list[Item]) -> None:
    """Without another event each agent is found out once, and X2 moves a buyer no_reply_limit times (10 at most here).

    Each of these may put it into the pool, from where it is drained once.
    """
    router = Router()
    told: set[str] = set()
    for item in items:
        decisions = router.fire_timers(item) if isinstance(item, int) else router.apply(item)
        assigned = Counter(decision.message_id for decision in decisions if isinstance(decision, Assignment))
        told.update(assigned)
        if isinstance(item, BuyerMessage):
            assert item.event_id in told
        assert all(count <= 3 + 2 * (MOST_AGENTS + MOST_MOVES) for count in assigned.values())
        ids = [decision.assignment_id for decision in decisions if isinstance(decision, Assignment)]
        assert len(ids) == len(set(ids))


@given(
    st.lists(st.integers(1, 10_000), min_size=2, max_size=6),
    st.integers(1, 400),
)
@settings(max_examples=60, deadline=None)
def test_shares_stay_within_one_step_of_each_other(weights: list[int], messages: int) -> None:
    """S4, from a level start with nobody busy.

    At every moment |v_i - v_j| <= max(step_i, step_j), so over any window |n_i/w_i - n_j/w_j| <= 1/w_i + 1/w_j.
    """
    router = Router()
    agents = [f"a{number}" for number in range(len(weights))]
    configured = tuple(AgentSettings(agent_id=a, weight=w) for a, w in zip(agents, weights, strict=True))
    router.apply(
        ShopConfigChange(
            shop_id="s", occurred_at_ms=0, settings=ShopConfig(agents=configured), version="v", given=b"{}"
        )
    )
    for number, agent_id in enumerate(agents):
        router.apply(
            AgentStatus(event_id=f"s{number}", shop_id="s", agent_id=agent_id, occurred_at_ms=0, status="online")
        )
    taken: list[str] = []
    times = dict.fromkeys(agents, 0)
    for number in range(messages):
        message = BuyerMessage(event_id=f"m{number}", shop_id="s", buyer_id=f"b{number}", occurred_at_ms=number)
        (assignment,) = router.apply(message)
        assert isinstance(assignment, Assignment)
        assert assignment.candidate_count == len(agents)
        agent_id = assignment.target.id
        taken.append(agent_id)
        times[agent_id] += STRIDE // weights[agents.index(agent_id)]
        for one, other in combinations(range(len(agents)), 2):
            steps = STRIDE // weights[one], STRIDE // weights[other]
            assert abs(times[agents[one]] - times[agents[other]]) <= max(steps)
        router.apply(
            AgentReply(
                event_id=f"r{number}", shop_id="s", agent_id=agent_id, buyer_id=f"b{number}", occurred_at_ms=number
            )
        )
    window = Counter(taken[len(taken) // 3 :])
    for one, other in combinations(range(len(agents)), 2):
        gap = window[agents[one]] * weights[other] - window[agents[other]] * weights[one]
        # Steps are rounded down to whole numbers, which over a window adds up to far less than one message.
        assert abs(gap) <= weights[one] + weights[other] + 1
