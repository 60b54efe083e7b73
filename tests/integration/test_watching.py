"""What a running worker tells those who watch it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams import __version__
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import WITHIN_S, Worker, consume, produce, total
from tests.integration.traffic import SHOPS, Record, config, message, status

pytestmark = pytest.mark.broker


@pytest.fixture
def worker(environment: dict[str, str], cluster_settings: Settings, tmp_path: Path) -> Iterator[Worker]:  # noqa: ARG001
    with Worker({**environment, "FENLIU_METRICS_SHOPS": SHOPS[0]}, log=tmp_path / "worker.log") as worker:
        yield worker


@pytest.fixture
async def http(cluster_settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    base = f"http://{cluster_settings.http_host}:{cluster_settings.http_port}"
    async with aiohttp.ClientSession(base) as session:
        yield session


async def until_ready(http: aiohttp.ClientSession, worker: Worker) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            worker.check_alive()
            try:
                async with http.get("/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def figures(http: aiohttp.ClientSession) -> dict[str, float]:
    async with http.get("/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        return {
            ",".join([sample.name, *(f"{name}={label}" for name, label in sorted(sample.labels.items()))]): sample.value
            for family in families
            for sample in family.samples
        }


async def test_a_worker_counts_what_it_routes_and_says_where_it_stands(
    cluster_settings: Settings, worker: Worker, http: aiohttp.ClientSession
) -> None:
    now_ms = int(time.time() * 1000)
    shop = SHOPS[0]
    await produce(
        cluster_settings,
        [
            config(shop, now_ms - 5000, agents=[{"agent_id": "a"}]),
            status(shop, "a", now_ms - 4000),
            *(message(shop, f"m{number}", now_ms - 3000, f"b{number}") for number in range(5)),
            Record("buyer-messages", shop.encode(), b"{"),
        ],
    )
    await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 5, worker=worker)
    await until_ready(http, worker)

    found: dict[str, float] = {}
    async with asyncio.timeout(WITHIN_S):
        while found.get("fenliu_events_total,topic=buyer-messages") != 6:
            found = await figures(http)
    assert found["fenliu_assignments_total,rule=group_share"] == 5
    assert found["fenliu_dead_letters_total,code=not_json"] == 1
    assert found["fenliu_end_to_end_seconds_count"] == 5
    assert found["fenliu_pending_replies"] == 5
    assert found["fenliu_busy_agents"] == 1
    assert found["fenliu_agents,presence=online"] == 1
    assert found["fenliu_state_keys,table=last_contacts"] == 5
    assert found["fenliu_partitions"] == PARTITIONS
    assert found["fenliu_input_partitions"] == PARTITIONS
    assert found["fenliu_restore_seconds_count"] == PARTITIONS
    assert found["fenliu_shop_pending_replies,agent=a,shop=" + shop] == 5
    assert found["fenliu_shop_assignments_total,agent=a,rule=group_share,shop=" + shop] == 5
    assert found[f"fenliu_build_info,version={__version__}"] == 1

    async with http.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"ok": True, "reasons": []})
    async with http.get("/info") as response:
        told = await response.json()
    assert [each["partition"] for each in told["partitions"]] == list(range(PARTITIONS))
    assert sum(each["positions"]["buyer-messages"] for each in told["partitions"]) == 6
    assert told["settings"]["FENLIU_METRICS_SHOPS"] == shop


async def test_the_lag_of_every_input_is_told(worker: Worker, http: aiohttp.ClientSession) -> None:
    await until_ready(http, worker)
    wanted = {
        f"fenliu_input_lag_records,partition={partition},topic={topic}"
        for partition in range(PARTITIONS)
        for topic in ("buyer-messages", "agent-status", "agent-replies", "shop-configs")
    } | {f"fenliu_progress_age_seconds,partition={partition}" for partition in range(PARTITIONS)}
    async with asyncio.timeout(WITHIN_S):
        while not wanted <= (await figures(http)).keys():
            worker.check_alive()


async def test_nothing_shows_what_is_in_a_table(worker: Worker, http: aiohttp.ClientSession) -> None:
    await until_ready(http, worker)
    for path in ("/table", "/tables", "/table/shops/", "/router", "/graph", "/stats"):
        async with http.get(path) as response:
            assert response.status == 404, path
