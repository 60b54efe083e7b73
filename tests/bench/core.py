"""The pure core: decisions a second on one core, by size of the shop, policy, settings and buyers.

A decision is one `Assignment`. Messages alone give decisions/s; with the replies, heartbeats and network drops between
them they give mixed events/s. All cases take turns, so that what disturbs the machine disturbs all of them alike.
"""

from dataclasses import dataclass, field

from streams.routing import Router
from tests.bench.harness import BenchResult, Effort, Figure, Goal, Stopwatch, frozen_heap
from tests.bench.workload import Scene, Traffic, traffic

MESSAGES = 30_000
GOAL = Goal(100_000, at_least=True)
SCENES = (
    *(Scene(agents) for agents in (10, 100, 1_000, 10_000)),
    Scene(10, buyers="returning"),
    Scene(10, all_rules=False),
    Scene(10, all_rules=False, buyers="returning"),
    Scene(10, policy="pinduoduo"),
    Scene(10, policy="pinduoduo", buyers="returning"),
    Scene(1_000, policy="pinduoduo"),
)


@dataclass(slots=True)
class _Case:
    scene: Scene
    traffic: Traffic
    decisions_cpu: list[float] = field(default_factory=list)
    decisions_wall: list[float] = field(default_factory=list)
    mixed_cpu: list[float] = field(default_factory=list)


def run(effort: Effort) -> BenchResult:
    """Measure every scene."""
    cases = [_Case(scene, traffic(scene, effort.scaled(MESSAGES))) for scene in SCENES]
    with frozen_heap():
        for _ in range(effort.repeats):
            for case in cases:
                _measure(case)
    figures = []
    for case in cases:
        goal = GOAL if case.scene == Scene(10) else None
        figures += [
            Figure(f"{case.scene}: decisions", "decisions/s of CPU", case.decisions_cpu, goal),
            Figure(f"{case.scene}: decisions", "decisions/s of wall time", case.decisions_wall),
            Figure(f"{case.scene}: messages, replies, heartbeats", "mixed events/s of CPU", case.mixed_cpu),
        ]
    return BenchResult("core", "The pure core on one core", figures)


def _measure(case: _Case) -> None:
    """Go through the traffic with a fresh router; the opening and the first block warm up."""
    router = Router()
    apply = router.apply
    messages, others = Stopwatch(), Stopwatch()
    decisions = events = 0
    for event in case.traffic.opening:
        apply(event)
    for place, block in enumerate(case.traffic.blocks):
        if place == 1:
            messages, others = Stopwatch(), Stopwatch()
            decisions = events = 0
        with messages.timed():
            for message in block.messages:
                apply(message)
        with others.timed():
            for event in block.others:
                apply(event)
        decisions += len(block.messages)
        events += len(block.messages) + len(block.others)
    case.decisions_cpu.append(decisions / messages.cpu_s)
    case.decisions_wall.append(decisions / messages.wall_s)
    case.mixed_cpu.append(events / (messages.cpu_s + others.cpu_s))
