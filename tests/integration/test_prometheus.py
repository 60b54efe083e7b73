"""A real Prometheus watches a real worker: something breaks and an alert fires; it is mended, and the alert ends."""

import asyncio
import itertools
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.integration.prometheus import Prometheus, faster
from tests.integration.running import WITHIN_S, Worker, produce
from tests.integration.traffic import Record, message, status
from tests.unit.deploy.places import alerts, recorded
from tests.unit.deploy.programs import find

pytestmark = pytest.mark.broker

SHOP = "shop-1"
EVERY_S = 0.1
"""Between two messages of the traffic."""


@pytest.fixture
def program() -> str:
    """The binary of Prometheus; asked for before anything is started."""
    return find("prometheus", debian_package="prometheus")


@pytest.fixture
def worker(
    program: str,  # noqa: ARG001
    cluster_settings: Settings,  # noqa: ARG001  its topics exist
    environment: dict[str, str],
    tmp_path: Path,
) -> Iterator[Worker]:
    """One that stays a member of its group while it is stopped."""
    with Worker(environment | {"FENLIU_SESSION_TIMEOUT_S": "60"}, log=tmp_path / "worker.log") as running:
        yield running


@pytest.fixture
def prometheus(program: str, worker: Worker, environment: dict[str, str], tmp_path: Path) -> Iterator[Prometheus]:
    """It has read the worker once its partitions are restored."""

    def routing() -> bool:
        worker.check_alive()
        return bool(running.samples("fenliu_input_lag_seconds"))

    with Prometheus(program, [f"127.0.0.1:{environment['FENLIU_HTTP_PORT']}"], tmp_path / "prometheus") as running:
        running.wait_until(routing, "the worker's partitions are scraped", WITHIN_S)
        yield running


def test_the_rules_are_made_faster_and_not_otherwise() -> None:
    alert = "expr: sum(increase(a_total[10m] offset 30m)) > 60\nfor: 2m\nannotations:\n  description: for 5 minutes"
    assert faster(alert) == (
        "expr: sum(increase(a_total[20000ms] offset 60000ms)) > 60\nfor: 4000ms\n"
        "annotations:\n  description: for 5 minutes"
    )


async def test_a_broken_producer_is_reported_until_it_is_mended(
    cluster_settings: Settings, prometheus: Prometheus
) -> None:
    async with publishing(cluster_settings, broken=True):
        await asyncio.to_thread(until_it_fires, prometheus, "FenliuDeadLetters")
        severities = {alert["labels"]["severity"]: alert for alert in prometheus.firing("FenliuDeadLetters")}
        assert severities["critical"]["labels"]["job"] == "fenliu"
        assert "% of the records go to dead-letters" in severities["critical"]["annotations"]["description"]
    async with publishing(cluster_settings, broken=False):
        await asyncio.to_thread(until_it_ends, prometheus, "FenliuDeadLetters")
    rules = prometheus.rules()
    assert len(rules) == len(alerts()) + len(recorded())
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []


def test_a_worker_that_does_not_answer_is_reported_until_it_does(worker: Worker, prometheus: Prometheus) -> None:
    worker.signal(signal.SIGSTOP)
    until_it_fires(prometheus, "FenliuWorkerDown")
    (alert,) = prometheus.firing("FenliuWorkerDown")
    assert alert["labels"]["instance"] in alert["annotations"]["summary"]
    worker.signal(signal.SIGCONT)
    until_it_ends(prometheus, "FenliuWorkerDown")
    assert worker.stop() == 0


def until_it_fires(prometheus: Prometheus, alert: str) -> None:
    prometheus.wait_until(lambda: bool(prometheus.firing(alert)), f"{alert} fires", WITHIN_S)


def until_it_ends(prometheus: Prometheus, alert: str) -> None:
    prometheus.wait_until(lambda: not prometheus.firing(alert), f"{alert} ends", WITHIN_S)


@asynccontextmanager
async def publishing(settings: Settings, *, broken: bool) -> AsyncIterator[None]:
    """Messages, one after another, while the block runs; of a broken producer every second one is no JSON."""

    async def publish() -> None:
        await produce(settings, [status(SHOP, "agent-1", now_ms())])
        for number in itertools.count():
            if enough.is_set():
                return
            records = [message(SHOP, f"m-{broken}-{number}", now_ms())]
            if broken:
                records.append(Record("buyer-messages", SHOP.encode(), b"{"))
            await produce(settings, records)
            await asyncio.sleep(EVERY_S)

    # Not cancelled: a producer that is cancelled while it connects is never closed.
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publish())
        try:
            yield
        finally:
            enough.set()


def now_ms() -> int:
    return int(time.time() * 1000)
