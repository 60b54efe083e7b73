"""Share by weight and busyness: stride scheduling in integers (S1 to S5).

A `Pool` is a set of candidates with a clock; a `Ranking` keeps some of its agents in order of (virtual time, last share
assignment, id), so a pick costs the logarithm of their number. Keys only grow: entries are mended as they surface.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush, heapreplace

from streams.routing.plan import tier_of_pool, tier_pool_name
from streams.routing.state import Agent, Shop

STRIDE = 2**32

_SLACK = 16
"""So many entries of agents who are gone may lie in any heap; in a long one as many as of those who are there."""


class Ranking:
    """Agents of one pool: their ids in order, and the one that share takes first."""

    __slots__ = ("_agents", "_heap", "_pool", "_queued", "_ranked", "ids", "weight")

    def __init__(self, pool: str, agents: dict[str, Agent], members: Iterable[Agent]) -> None:
        self._pool = pool
        self._agents = agents
        self.ids = sorted(agent.agent_id for agent in members)
        self._heap = [(*self._key(agents[agent_id]), agent_id) for agent_id in self.ids]
        heapify(self._heap)
        self._queued = set(self.ids)  # who has an entry in the heap
        self._ranked = set(self.ids)
        self.weight = sum(agents[agent_id].weight for agent_id in self.ids)

    def _key(self, agent: Agent) -> tuple[int, int]:
        return agent.virtual_times.get(self._pool, 0), agent.last_share_ms

    def __contains__(self, agent_id: str) -> bool:
        return agent_id in self._ranked

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, agent: Agent) -> None:
        """Rank an agent that is not in."""
        insort(self.ids, agent.agent_id)
        self.weight += agent.weight
        self._ranked.add(agent.agent_id)
        if agent.agent_id not in self._queued:
            self._queued.add(agent.agent_id)
            heappush(self._heap, (*self._key(agent), agent.agent_id))

    def remove(self, agent: Agent) -> None:
        """Rank an agent no longer; its entry goes when it surfaces."""
        del self.ids[bisect_left(self.ids, agent.agent_id)]
        self.weight -= agent.weight
        self._ranked.discard(agent.agent_id)

    def forget(self, agent_id: str) -> None:
        """An agent that is not in is gone (T6); its entry goes when it surfaces, or with many others."""
        self._queued.discard(agent_id)
        if len(self._heap) > 2 * len(self._queued) + _SLACK:
            self._heap = [(*self._key(self._agents[each]), each) for each in self._queued]
            heapify(self._heap)

    def first(self, without: Collection[str]) -> Agent | None:
        """The agent with the smallest (virtual time, last share assignment, id), passing over some ids."""
        heap, agents, pool = self._heap, self._agents, self._pool
        passed: list[tuple[int, int, str]] = []
        found: Agent | None = None
        while heap:
            v, last_share_ms, agent_id = heap[0]
            agent = agents.get(agent_id)
            if agent is None:  # T6
                heappop(heap)
                continue
            now = agent.virtual_times.get(pool, 0)
            if now != v or agent.last_share_ms != last_share_ms:
                heapreplace(heap, (now, agent.last_share_ms, agent_id))
            elif agent_id not in self._ranked:
                heappop(heap)
                self._queued.discard(agent_id)
            elif agent_id in without:
                passed.append(heappop(heap))
            else:
                found = agent
                break
        for entry in passed:
            heappush(heap, entry)
        return found


class Pool:
    """The agents of one tier that compete for some messages (S2, Y4): of all, of some groups, or of a page."""

    __slots__ = ("_members", "_tier", "candidates", "eligible_count", "name", "roomy")

    def __init__(self, shop: Shop, name: str) -> None:
        self.name = name
        self._tier, _ = tier_of_pool(name)
        self._members = shop.plan.pools[name]
        shop.pool_clocks.setdefault(name, 0)
        members = [agent for agent in _agents_of(shop, self._members) if agent.tier == self._tier]
        for agent in members:
            agent.pools.append(self)
        self.eligible_count = sum(agent.eligible for agent in members)
        self.candidates = Ranking(name, shop.agents, [agent for agent in members if agent.candidate])
        self.roomy = Ranking(name, shop.agents, [agent for agent in members if agent.candidate and agent.has_room])

    def has_member(self, agent: Agent) -> bool:
        """Whether the agent belongs to the pool, candidate or not."""
        return agent.tier == self._tier and (self._members is None or agent.agent_id in self._members)

    def forget(self, agent: Agent) -> None:
        """An agent is gone (T6); it was no candidate."""
        self.candidates.forget(agent.agent_id)
        self.roomy.forget(agent.agent_id)

    def level(self, shop: Shop, agent: Agent) -> None:
        """S3: an agent that becomes a candidate starts level with the pool's clock."""
        clock = shop.pool_clocks[self.name]
        if agent.virtual_times.get(self.name, 0) < clock:
            agent.virtual_times[self.name] = clock
            shop.changed_agents.add(agent.agent_id)


def _agents_of(shop: Shop, members: frozenset[str] | None) -> Iterator[Agent]:
    """The agents of a pool who are here; a group is often much smaller than its shop."""
    if members is None:
        yield from shop.agents.values()
    else:
        for agent_id in members:
            agent = shop.agents.get(agent_id)
            if agent is not None:
                yield agent


def pool(shop: Shop, name: str) -> Pool:
    """The pool of this name, made at its first use: all start at 0, so that is as if it had always been there."""
    found = shop.pools.get(name)
    if found is None:
        found = shop.pools[name] = Pool(shop, name)
    return found


def tiers(shop: Shop, name: str) -> list[Pool]:
    """Y4: the pool's tiers, in the order in which they are asked."""
    return [pool(shop, tier_pool_name(tier, name)) for tier in shop.plan.tiers]


def take_share(shop: Shop, pool_: Pool, agent: Agent) -> None:
    """The agent gets a message by share: its virtual time steps (S1, S2), the pool's clock follows (S3)."""
    v = agent.virtual_times.get(pool_.name, 0)
    shop.pool_clocks[pool_.name] = max(shop.pool_clocks[pool_.name], v)
    agent.virtual_times[pool_.name] = v + _step(shop, agent)
    agent.last_share_ms = shop.clock_ms
    shop.changed_agents.add(agent.agent_id)


def charge(shop: Shop, name: str, agent: Agent, compared_weight: int) -> None:
    """Y14: an agent who did not answer moves on in the pool out of which another was picked instead."""
    pool_ = pool(shop, tier_pool_name(agent.tier, name))
    if agent.weight and pool_.has_member(agent):
        v = agent.virtual_times.get(pool_.name, 0)
        agent.virtual_times[pool_.name] = v + max(_step(shop, agent), STRIDE // compared_weight)
        shop.changed_agents.add(agent.agent_id)


def _step(shop: Shop, agent: Agent) -> int:
    """S1, S2: by the agent's weight, and by its pending replies if it is busy."""
    pending, threshold = len(agent.waiting), shop.plan.config.busy_threshold
    return STRIDE // agent.weight if pending <= threshold else STRIDE * pending // (agent.weight * threshold)
