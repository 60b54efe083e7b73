"""`python -m tests.faults.soak`: a long run under faults, with a report. Exit code 0: exactly once; 1: not.

The traffic is a backlog on Apache Kafka (`tests.faults` says why), routed by workers that are held to a rate, while a
nemesis with a seed kills, pauses and restarts them. At the end the oracle compares everything with the replay.
"""

import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import orjson

from tests.faults.nemesis import Nemesis, plan
from tests.faults.run import Run, start_run
from tests.faults.traffic import future_traffic
from tests.kafka.cluster import KafkaCluster, start_cluster

PARTITIONS = 8
_INTERVAL_MS = 100
_STUCK_S = 180.0
"""Without any commit for so long, something hangs."""
_SECONDS_A_KILL = 9.0
"""What a fault costs, about: the session timeout and the take-over."""


@click.command()
@click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(1000), help="How many.")
@click.option("--kills", default=50, show_default=True, type=click.IntRange(0), help="Of workers, by SIGKILL.")
@click.option("--seed", default=1, show_default=True, help="Of the traffic and of the faults.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 16), help="How many.")
@click.option("--brokers", default="1", show_default=True, type=click.Choice(["1", "3"]), help="With 3 they fail too.")
@click.option("--rate", default=4000, show_default=True, type=click.IntRange(100), help="Events a second, at most.")
@click.option("--seconds", type=click.IntRange(30), help="Cut events and kills down to about so many seconds.")
@click.option("--report", type=click.Path(path_type=Path), help="Where the JSON goes.  [default: bench-results/]")
def main(
    events: int, kills: int, seed: int, workers: int, brokers: str, rate: int, seconds: int | None, report: Path | None
) -> None:
    """Route many events under many faults, and compare the outcome with the replay."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if seconds is not None:
        kills = min(kills, int(seconds / 2 / _SECONDS_A_KILL))
        events = min(events, max(1000, int((seconds - kills * _SECONDS_A_KILL) * rate)))
    asked = {"events": events, "kills": kills, "seed": seed, "workers": workers, "brokers": int(brokers), "rate": rate}
    target = report or Path("bench-results") / f"soak-{seed}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="fenliu-soak-") as directory,
        start_cluster(int(brokers), java_options=()) as cluster,
    ):
        result = asyncio.run(_soak(cluster, Path(directory), events, kills, seed, workers, rate))
    target.write_bytes(orjson.dumps({"asked": asked, **result}, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    click.echo(_in_words(asked, result))
    click.echo(f"report: {target}")
    sys.exit(0 if result["exactly_once"] else 1)


async def _soak(
    cluster: KafkaCluster, directory: Path, events: int, kills: int, seed: int, workers: int, rate: int
) -> dict[str, Any]:
    brokers = len(cluster.brokers)
    faults = plan(seed, kills=kills, workers=workers, brokers=brokers)
    _say(f"making {events:,} events and {len(faults)} faults from seed {seed}")
    records = future_traffic(events, seed=seed, shops=64)
    async with start_run(
        cluster.bootstrap_servers,
        directory,
        partitions=PARTITIONS,
        replication=brokers,
        FENLIU_MAX_BATCH_EVENTS=str(max(1, rate * _INTERVAL_MS // 1000 // PARTITIONS)),
        FENLIU_MIN_BATCH_INTERVAL_MS=str(_INTERVAL_MS),
    ) as run:
        await run.backlog(records)
        ends = await run.ends()
        last = sum(ends.values())
        _say("fed; routing")
        began = time.monotonic()
        team = run.workers(workers)
        for worker in team:
            worker.start()
        nemesis = Nemesis(
            faults,
            team,
            cluster,
            reached=lambda share: _reached(run, int(share * last)),
            recovered=lambda: _reached(run, min(run.commits.total + 1, last)),
        )
        failure = await _survive(run, nemesis, last)
        routed_s = time.monotonic() - began
        verdict = None
        if failure is None:
            await run.stop()
            _say("routed; comparing with the replay")
            verdict = await run.judged(strict=False)
            failure = "\n".join(verdict.differences) or None
        return {
            "exactly_once": failure is None,
            "failure": failure,
            "verdict": None if verdict is None else asdict(verdict),
            "routed_s": round(routed_s, 1),
            "faults": dict(nemesis.done),
            "exits": {str(code): count for code, count in sorted(run.supervisor.exits().items())},
            "recovery_s": {kind: _spread(times) for kind, times in nemesis.recovery_s.items()},
            "longest_pause_s": {p: round(s, 1) for p, s in sorted(run.commits.longest_pause_s.items())},
        }


async def _survive(run: Run, nemesis: Nemesis, last: int) -> str | None:
    """Faults until the end, and the end; what went wrong in words."""
    failures: list[str] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(nemesis.run())
            tasks.create_task(_watch(run, last))
    except* AssertionError as group:
        failures += map(str, group.exceptions)
    return "\n".join(failures) or None


async def _watch(run: Run, last: int) -> None:
    """Tell how far it is; fail when nothing moves any more."""
    told = 0
    while run.commits.total < last:
        await run.commits.grown_by(1, within_s=_STUCK_S)
        if run.commits.total * 20 // last > told:
            told = run.commits.total * 20 // last
            _say(f"{told * 5} %, exits {dict(run.supervisor.exits())}")


async def _reached(run: Run, total: int) -> None:
    """Wait for offsets; that they grow at all is watched by `_watch`."""
    commits = run.commits
    await commits.until(lambda: commits.total >= total, within_s=3600, what=lambda: f"{commits.total} of {total}")


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median": round(ordered[len(ordered) // 2], 1), "max": round(ordered[-1], 1), "count": len(ordered)}


def _in_words(asked: dict[str, Any], result: dict[str, Any]) -> str:
    verdict = result["verdict"] or {}
    outcome = "exactly once" if result["exactly_once"] else "NOT exactly once"
    asked_for = f"seed {asked['seed']}, {asked['workers']} workers, {asked['brokers']} broker(s)"
    lines = [
        f"{outcome}: {asked['events']:,} events, {asked_for}, {result['routed_s']} s",
        f"  faults: {', '.join(f'{count} x {kind}' for kind, count in sorted(result['faults'].items())) or 'none'}",
        f"  worker exits by code: {result['exits']}",
        *(f"  {name.replace('_', ' ')}: {verdict[name]:,}" for name in verdict if name != "differences"),
        *(
            f"  next commit after '{kind}': median {spread['median']} s, at most {spread['max']} s"
            for kind, spread in sorted(result["recovery_s"].items())
        ),
        f"  longest pause of a partition: {max(result['longest_pause_s'].values(), default=0)} s",
    ]
    if result["failure"]:
        lines.append(result["failure"])
    return "\n".join(lines)


def _say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


if __name__ == "__main__":
    main()
