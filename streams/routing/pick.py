"""Whom share and random rungs pick (R1, S2), with the room that the decision asks for (X1, T4)."""

from bisect import bisect_left

from schemas.decisions import Outcome
from streams.routing.case import Case
from streams.routing.draws import draw_for_message
from streams.routing.plan import ALL_AGENTS
from streams.routing.share import Pool, Ranking, pool, take_share
from streams.routing.state import Agent


def pick_by_share(case: Case, pool_name: str) -> Outcome:
    """S2: the candidate with the smallest virtual time, last share assignment and id."""
    shop = case.shop
    pool_ = pool(shop, pool_name)
    ranking = pool_.roomy if case.drain else pool_.candidates
    extra = _favoured(case, pool_)
    agent = ranking.first(case.without)
    if extra is not None and (agent is None or _key(extra, pool_name) < _key(agent, pool_name)):
        agent = extra
    if agent is None:
        return _nobody(case, pool_)
    case.weight = agent.weight
    case.candidate_count = len(ranking) - len(_left_out(case, ranking)) + (extra is not None)
    take_share(shop, pool_, agent)
    return case.give("agent", agent.agent_id)


def pick_random(case: Case) -> Outcome:
    """R1 among the available agents of a weight above 0, sorted by id."""
    shop, message = case.shop, case.message
    pool_ = pool(shop, ALL_AGENTS)
    ranking = pool_.roomy if case.drain else pool_.candidates
    extra = _favoured(case, pool_)
    left_out = _left_out(case, ranking)
    count = len(ranking) - len(left_out) + (extra is not None)
    if not count:
        return _nobody(case, pool_)
    case.candidate_count = count
    place = draw_for_message(shop.shop_id, case.buyer.buyer_id, message.event_id, count)
    if extra is not None:
        before_extra = bisect_left(ranking.ids, extra.agent_id)
        if place == before_extra:
            return case.give("agent", extra.agent_id)
        place -= place > before_extra
    for position in left_out:
        place += place >= position
    return case.give("agent", ranking.ids[place])


def _key(agent: Agent, pool_name: str) -> tuple[int, int, str]:
    return agent.virtual_times.get(pool_name, 0), agent.last_share_ms, agent.agent_id


def _left_out(case: Case, ranking: Ranking) -> list[int]:
    """Where the ids that this decision leaves out stand in the ranking, in order."""
    if not case.without:
        return []
    return sorted(bisect_left(ranking.ids, agent_id) for agent_id in case.without if agent_id in ranking)


def _favoured(case: Case, pool_: Pool) -> Agent | None:
    """T4: whom a drain grants room for one buyer, if it has none of its own; max_pending holds for it too (F3)."""
    if case.favoured is None:
        return None
    agent = case.shop.agents[case.favoured]
    return agent if agent.candidate and not agent.has_room and pool_.has_member(agent.agent_id) else None


def _nobody(case: Case, pool_: Pool) -> Outcome:
    """Why nobody was picked: all who could be are full, or there is none."""
    left = pool_.eligible_count
    for agent_id in case.without:
        agent = case.shop.agents.get(agent_id)
        left -= agent is not None and agent.eligible and pool_.has_member(agent_id)
    if not left:
        return "nobody_available"
    case.found_only_full = True
    return "full"
