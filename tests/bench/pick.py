"""S5: what a decision by share costs with 10,000 agents against 10, and the pick alone.

Large and small take turns (A B A B), and a ratio is of two neighbours, so that noise cancels.
"""

from collections.abc import Callable

from streams.routing import Router
from streams.routing.share import pool, take_share
from streams.routing.state import Shop
from tests.bench.harness import BenchResult, Effort, Figure, Goal, Stopwatch, frozen_heap
from tests.bench.workload import SHOP_ID, Scene, traffic

SMALL, LARGE = 10, 10_000
PICKS = 30_000
GOAL = Goal(2.0, at_least=False)


def run(effort: Effort) -> BenchResult:
    """Measure whole decisions and picks alone, in both sizes."""
    picks = effort.scaled(PICKS)
    figures = []
    for what, prepare, goal in (("decision by share", _decisions, GOAL), ("pick alone", _picks, None)):
        small, large = prepare(SMALL, picks), prepare(LARGE, picks)
        costs: dict[int, list[float]] = {SMALL: [], LARGE: []}
        with frozen_heap():
            for _ in range(1 + effort.repeats):
                costs[SMALL].append(small())
                costs[LARGE].append(large())
        ratios = [b / a for a, b in zip(costs[SMALL], costs[LARGE], strict=True)]
        figures += [Figure(f"{what}, {size:,} agents", "µs of CPU", costs[size][1:]) for size in costs]
        figures.append(Figure(f"{what}, {LARGE:,} against {SMALL} agents", "times", ratios[1:], goal))
    return BenchResult("pick", f"The cost of a pick with {LARGE:,} agents (S5)", figures)


def _decisions(agents: int, count: int) -> Callable[[], float]:
    """Whole decisions for new buyers, from the message to the assignment: µs each."""
    prepared = traffic(Scene(agents, all_rules=False), count)

    def measure() -> float:
        router = Router()
        decided = 0
        for event in prepared.opening:
            router.apply(event)
        for place, block in enumerate(prepared.blocks):
            if place <= 1:
                watch, decided = Stopwatch(), 0
            with watch.timed():
                for message in block.messages:
                    router.apply(message)
            for event in block.others:
                router.apply(event)
            decided += len(block.messages)
        return watch.cpu_s / decided * 1e6

    return measure


def _picks(agents: int, count: int) -> Callable[[], float]:
    """Nothing but the first of the ranking and its step: µs each."""
    shop = _open_shop(agents)
    all_agents = pool(shop, "all")

    def measure() -> float:
        watch = Stopwatch()
        with watch.timed():
            for _ in range(count):
                agent = all_agents.candidates.first(())
                assert agent is not None
                take_share(shop, all_agents, agent)
        return watch.cpu_s / count * 1e6

    return measure


def _open_shop(agents: int) -> Shop:
    router = Router()
    for event in traffic(Scene(agents, all_rules=False), 1).opening:
        router.apply(event)
    return router._shops[SHOP_ID]  # the pick alone has no public door
