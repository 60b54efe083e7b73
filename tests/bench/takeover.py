"""`kill -9` of the worker that holds a million keys, while another is up: how long until its partition routes again.

All keys are in one partition, since the partitions of a worker are restored side by side and one is the slowest case.
Messages go on all the time; the partition routes again when one that was sent after the kill is committed. What the
restore took is what the worker's own metrics say.
"""

import asyncio
import re
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from streams.embedded import free_port
from streams.settings import Settings
from streams.simulate.publisher import Publisher, publisher
from tests.bench import backlog
from tests.bench.brokers import SESSION_TIMEOUT_S, Ground, ground
from tests.bench.harness import BenchResult, Effort, Figure, Goal
from tests.bench.processes import Program
from tests.bench.progress import Ask, committed, watch

KEYS = 1_000_000
SHOPS = 100
PROBE_EVERY_S = 0.05
WITHIN_S = 90.0


@dataclass(slots=True)
class Member:
    """One worker and where its metrics are."""

    program: Program
    port: int

    async def metric(self, name: str) -> float:
        """One of its metrics; 0 before it answers."""
        return await metric(self.port, name)


async def metric(port: int, name: str) -> float:
    """A metric of the worker that listens on a port of the loopback; 0 before it answers."""
    return await asyncio.to_thread(_metric, port, name)


def _metric(port: int, name: str) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return 0.0
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def member(here: Ground, settings: Settings, **environment: str) -> Member:
    """Start a worker whose metrics can be asked for."""
    port = free_port()
    return Member(here.worker(settings, **{**environment, "FENLIU_HTTP_PORT": str(port)}), port)


def run(effort: Effort) -> BenchResult:
    """Fill the state once; then kill whoever holds it, several times."""
    return asyncio.run(_run(effort))


@dataclass(slots=True)
class _Found:
    seconds: list[float] = field(default_factory=list)
    restore_s: list[float] = field(default_factory=list)
    keys_per_s: list[float] = field(default_factory=list)


async def _run(effort: Effort) -> BenchResult:
    keys = effort.scaled(KEYS)
    found = _Found()
    async with ground() as here:
        settings = await here.settings(partitions=1)
        async with publisher(settings) as out, committed(settings) as ask:
            await out.publish(backlog.first_messages(SHOPS, keys))
            holder, other = member(here, settings), member(here, settings)
            await watch(ask, keys, [holder.program, other.program], here.broker_pid)
            async with _probes(out, keys) as sent:
                for _ in range(effort.few):
                    if await other.metric("fenliu_partitions"):
                        holder, other = other, holder
                    await _kill(holder, other, ask, sent, found)
                    here.programs.remove(holder.program)
                    holder, other = other, member(here, settings)
                    await _joined(other)
    within = Goal(15.0, at_least=False)
    fast = None if effort.quick else Goal(150_000, at_least=True)
    return BenchResult(
        "takeover",
        f"kill -9 of a worker with {keys:,} keys in one partition, session timeout {SESSION_TIMEOUT_S} s",
        [
            Figure("from the kill until it routes again", "seconds", found.seconds, within),
            Figure("of it the restore, fence and checks", "seconds", found.restore_s),
            Figure("restore from Kafka", "keys/s", found.keys_per_s, fast),
        ],
    )


class Sent:
    """How many records there are on the broker in all."""

    def __init__(self, count: int) -> None:
        self.count = count


@asynccontextmanager
async def _probes(out: Publisher, already: int) -> AsyncIterator[Sent]:
    """Messages of known buyers, twenty a second."""
    sent = Sent(already)

    async def go_on() -> None:
        for record in backlog.first_messages(SHOPS, already):
            await out.send([record._replace(value=(record.value or b"").replace(b'"m-', b'"again-'))])
            sent.count += 1
            await asyncio.sleep(PROBE_EVERY_S)

    task = asyncio.create_task(go_on())
    try:
        yield sent
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _kill(holder: Member, other: Member, ask: Ask, sent: Sent, found: _Found) -> None:
    before = await _restored(other)
    killed_at = time.monotonic()
    holder.program.kill()
    goal = sent.count + 2  # one may have been on its way
    await until(ask, goal)
    found.seconds.append(time.monotonic() - killed_at)
    after = await _restored(other)
    restore_s = after[0] - before[0]
    found.restore_s.append(restore_s)
    found.keys_per_s.append((after[1] - before[1]) / restore_s)


async def _restored(of: Member) -> tuple[float, float]:
    return await of.metric("fenliu_restore_seconds_sum"), await of.metric("fenliu_restored_keys_total")


async def until(ask: Ask, goal: int) -> None:
    """Wait until so much is committed."""
    deadline = time.monotonic() + WITHIN_S
    while await ask() < goal:
        assert time.monotonic() < deadline, f"not {goal:,} after {WITHIN_S} s"
        await asyncio.sleep(0.02)


async def _joined(newcomer: Member) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not await newcomer.metric("fenliu_rebalances_total"):
        newcomer.program.check_alive()
        assert time.monotonic() < deadline, newcomer.program.log_tail()
        await asyncio.sleep(0.1)
