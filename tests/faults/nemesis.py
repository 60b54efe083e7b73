"""What goes wrong in a long run, and when: a plan made from a seed, carried out as the run makes progress.

A fault has its place in the run as a share of the events, not as a time, so that a slow machine meets it too.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Literal, NamedTuple, get_args

from streams.lane.faults import Point
from tests.faults.faulty_worker import Misfortune, Mishap
from tests.faults.workers import Worker
from tests.kafka.cluster import KafkaCluster

Kind = Literal[
    "kill",  # a worker, from outside, at any moment
    "kill at a point",  # a worker, at a point of the lane, chosen when it starts the next time
    "pause",  # a worker, past the session timeout: it wakes as a zombie
    "terminate",  # a worker, as a rolling restart does
    "kill a broker",  # and start it again
    "pause a broker",
]

_PAUSE_S = 9.0
"""Session timeout (6 s) and some."""
_BROKER_DOWN_S = 4.0
_BROKER_PAUSE_S = 5.0
_FIRST, _LAST = 0.02, 0.97
"""Between these shares of the run: there is something to do before and after every fault."""
_MAX_NTH = 40
_MAX_NTH_OF_TAKE_OVERS = 3
"""A process comes to those points only a few times."""


class Fault(NamedTuple):
    """One fault of a plan."""

    at: float
    """When so much of the events is routed, 0 to 1."""
    kind: Kind
    target: int
    """Number of the worker or broker."""
    point: Point = "before_commit"
    nth: int = 1


def plan(seed: int, *, kills: int, workers: int, brokers: int) -> list[Fault]:
    """A plan of faults in order.

    Args:
        seed: the same one gives the same plan.
        kills: of workers by SIGKILL, every second one at a point of the lane; of the other kinds there are fewer.
        workers: how many there are.
        brokers: how many there are; with less than three no broker fails.
    """
    rng = Random(f"nemesis/{seed}")  # noqa: S311  a plan, no secrets
    counts: dict[Kind, int] = {
        "kill": kills - kills // 2,
        "kill at a point": kills // 2,
        "pause": kills // 8,
        "terminate": kills // 8,
    }
    if brokers >= 3:
        counts |= {"kill a broker": kills // 10, "pause a broker": kills // 10}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    rng.shuffle(kinds)
    width = (_LAST - _FIRST) / max(1, len(kinds))
    points = get_args(Point)
    return [
        Fault(
            at=_FIRST + width * (number + rng.random()),
            kind=kind,
            target=rng.randrange(brokers if "broker" in kind else workers),
            point=(point := rng.choice(points)),
            nth=rng.randint(1, _MAX_NTH_OF_TAKE_OVERS if point.startswith("during") else _MAX_NTH),
        )
        for number, kind in enumerate(kinds)
    ]


class Nemesis:
    """Carries a plan out, one fault after another.

    Args:
        faults: the plan.
        workers: the targets.
        cluster: of the brokers.
        reached: waits until such a share of the events is routed, 0 to 1.
        recovered: waits until routing goes on after a fault.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        workers: Sequence[Worker],
        cluster: KafkaCluster,
        *,
        reached: Callable[[float], Awaitable[None]],
        recovered: Callable[[], Awaitable[None]],
    ) -> None:
        self._faults = faults
        self._workers = workers
        self._cluster = cluster
        self._reached = reached
        self._recovered = recovered
        self.done: Counter[str] = Counter()
        self.recovery_s: dict[str, list[float]] = {}
        """By kind: from the fault to the next commit after it, anywhere."""

    async def run(self) -> None:
        """Do all of it."""
        for fault in self._faults:
            await self._reached(fault.at)
            began = time.monotonic()
            await self._do(fault)
            self.done[fault.kind] += 1
            await self._recovered()
            self.recovery_s.setdefault(fault.kind, []).append(time.monotonic() - began)

    async def _do(self, fault: Fault) -> None:
        if "broker" in fault.kind:
            await self._hurt_broker(fault)
            return
        worker = self._workers[fault.target]
        starts = worker.starts
        if fault.kind == "kill":
            worker.signal(signal.SIGKILL)
        elif fault.kind == "kill at a point":
            # It is restarted, and its next process kills itself when it comes to the point.
            worker.misfortunes.append(Misfortune(mishaps=(Mishap(point=fault.point, nth=fault.nth),)))
            worker.signal(signal.SIGTERM)
        elif fault.kind == "pause":
            worker.signal(signal.SIGSTOP)
            await asyncio.sleep(_PAUSE_S)
            worker.signal(signal.SIGCONT)
        else:
            worker.signal(signal.SIGTERM)
        if fault.kind != "pause":
            # A second signal would end at once a worker that is about to stop.
            await worker.started_again(starts)

    async def _hurt_broker(self, fault: Fault) -> None:
        broker = self._cluster.brokers[fault.target]
        if fault.kind == "kill a broker":
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(_BROKER_DOWN_S)
            await asyncio.to_thread(broker.start)
        else:
            broker.suspend()
            await asyncio.sleep(_BROKER_PAUSE_S)
            broker.resume()
        # Two of three copies must be in sync: another broker may only fail when this one is back.
        await asyncio.to_thread(self._cluster.wait_until_in_sync)
