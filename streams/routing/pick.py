"""Whom share and random rungs pick (R1, S2), with the room that the decision asks for (X1, T4), tier by tier (Y4)."""

from bisect import bisect_left

from schemas.decisions import Outcome
from streams.routing.case import Case
from streams.routing.draws import draw_for_message
from streams.routing.plan import ALL_AGENTS, tier_pool_name
from streams.routing.share import Pool, Ranking, pool, take_share, tiers
from streams.routing.state import Agent


def pick_by_share(case: Case, name: str, *, only: str | None = None) -> Outcome:
    """S2: the candidate with the smallest virtual time, last share assignment and id, of the lowest tier that has one.

    `only` is the one agent to compare, if it is a candidate (Y2).
    """
    lone = _lone(case, name, only)
    if lone is not None:
        pool_, agent = lone
        return _take(case, name, pool_, agent, count=1, compared_weight=agent.weight)
    for pool_ in tiers(case.shop, name):
        ranking = pool_.roomy if case.drain else pool_.candidates
        extra = _favoured(case, pool_)
        found = ranking.first(case.without)
        if extra is not None and (found is None or _key(extra, pool_.name) < _key(found, pool_.name)):
            found = extra
        if found is not None:
            left_out = _left_out(case, ranking)
            weight = ranking.weight - sum(case.shop.agents[ranking.ids[place]].weight for place in left_out)
            count = len(ranking) - len(left_out)
            if extra is not None:
                count, weight = count + 1, weight + extra.weight
            return _take(case, name, pool_, found, count=count, compared_weight=weight)
    return _nobody(case, name)


def pick_random(case: Case, *, only: str | None = None) -> Outcome:
    """R1 among the available agents of a weight above 0, sorted by id, of the lowest tier that has one; `only`: Y2."""
    lone = _lone(case, ALL_AGENTS, only)
    if lone is not None:
        case.candidate_count = 1
        return case.give("agent", lone[1].agent_id)
    for pool_ in tiers(case.shop, ALL_AGENTS):
        agent_id = _drawn(case, pool_)
        if agent_id is not None:
            return case.give("agent", agent_id)
    return _nobody(case, ALL_AGENTS)


def _take(case: Case, name: str, pool_: Pool, agent: Agent, *, count: int, compared_weight: int) -> Outcome:
    case.weight = agent.weight
    case.candidate_count = count
    case.share_pool, case.compared_weight = name, compared_weight
    take_share(case.shop, pool_, agent)
    return case.give("agent", agent.agent_id)


def _lone(case: Case, name: str, agent_id: str | None) -> tuple[Pool, Agent] | None:
    """Y2: the agent, and its tier of the pool, if it is a candidate there for this decision."""
    agent = None if agent_id is None else case.shop.agents.get(agent_id)
    if agent is None or agent.agent_id in case.without:
        return None
    pool_ = pool(case.shop, tier_pool_name(agent.tier, name))
    ranking = pool_.roomy if case.drain else pool_.candidates
    return (pool_, agent) if agent.agent_id in ranking or _favoured(case, pool_) is agent else None


def _drawn(case: Case, pool_: Pool) -> str | None:
    """R1 in one tier; None if it has no candidate."""
    shop, message = case.shop, case.message
    ranking = pool_.roomy if case.drain else pool_.candidates
    extra = _favoured(case, pool_)
    left_out = _left_out(case, ranking)
    count = len(ranking) - len(left_out) + (extra is not None)
    if not count:
        return None
    case.candidate_count = count
    place = draw_for_message(shop.shop_id, case.buyer.buyer_id, message.event_id, count)
    if extra is not None:
        before_extra = bisect_left(ranking.ids, extra.agent_id)
        before_extra -= sum(position < before_extra for position in left_out)
        if place == before_extra:
            return extra.agent_id
        place -= place > before_extra
    for position in left_out:
        place += place >= position
    return ranking.ids[place]


def _key(agent: Agent, pool_name: str) -> tuple[int, int, str]:
    return agent.virtual_times.get(pool_name, 0), agent.last_share_ms, agent.agent_id


def _left_out(case: Case, ranking: Ranking) -> list[int]:
    """Where the ids that this decision leaves out stand in the ranking, in order."""
    if not case.without:
        return []
    return sorted({bisect_left(ranking.ids, agent_id) for agent_id in case.without if agent_id in ranking})


def _favoured(case: Case, pool_: Pool) -> Agent | None:
    """T4: whom a drain grants room for one buyer, if it has none of its own; max_pending holds for it too (F3)."""
    if case.favoured is None or case.favoured in case.without:
        return None
    agent = case.shop.agents[case.favoured]
    return agent if agent.candidate and not agent.has_room and pool_.has_member(agent) else None


def _nobody(case: Case, name: str) -> Outcome:
    """Why nobody was picked: all who could be are full, or there is none."""
    pools = tiers(case.shop, name)
    left = sum(pool_.eligible_count for pool_ in pools)
    for agent_id in dict.fromkeys(case.without):
        agent = case.shop.agents.get(agent_id)
        left -= agent is not None and agent.eligible and any(pool_.has_member(agent) for pool_ in pools)
    if not left:
        return "nobody_available"
    case.found_only_full = True
    return "full"
