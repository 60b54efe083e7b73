"""What the probes say of a worker, and that its web server has nothing else to say."""

from collections.abc import AsyncIterator

import aiohttp
import faust
import pytest

from streams import __version__
from streams.embedded import HOST, free_port
from streams.health import STALLED_AFTER_S, health, info, mount, readiness
from streams.lane.observer import PartitionStatus
from streams.metrics import Metrics
from streams.settings import Settings

NOW_S = 1000.0


def partition(number: int = 0, *, ready: bool = True, waiting: int = 0, still_s: float = 0.0) -> PartitionStatus:
    return PartitionStatus(
        partition=number, ready=ready, lag_records={"buyer-messages": waiting}, progress_at=NOW_S - still_s
    )


@pytest.mark.parametrize(
    "partitions",
    [
        [],
        [partition()],
        [partition(still_s=9999)],
        [partition(waiting=5)],
        [partition(waiting=5, still_s=STALLED_AFTER_S)],
        [PartitionStatus(partition=0, ready=False, lag_records={"buyer-messages": 5})],
    ],
    ids=["none", "idle", "long idle", "busy", "on the edge", "being restored"],
)
def test_healthy(partitions: list[PartitionStatus]) -> None:
    assert health(partitions, NOW_S).ok


def test_a_partition_with_input_and_without_progress_is_unhealthy_and_named() -> None:
    verdict = health([partition(0, waiting=5), partition(3, waiting=7, still_s=61)], NOW_S)
    assert verdict.http_status == 503
    assert verdict.to_json() == {"ok": False, "reasons": ["partition 3: 7 records wait, none committed for 61 s"]}


def test_not_ready_before_the_group_has_assigned() -> None:
    assert readiness([], joined=False).reasons == ("waiting for the consumer group to assign partitions",)


def test_not_ready_while_a_partition_is_being_restored() -> None:
    verdict = readiness([partition(0), partition(1, ready=False)], joined=True)
    assert (verdict.http_status, verdict.reasons) == (503, ("partition 1: being restored",))


@pytest.mark.parametrize("partitions", [[], [partition(0), partition(1)]])
def test_ready_once_all_are_restored(partitions: list[PartitionStatus]) -> None:
    assert readiness(partitions, joined=True).http_status == 200


def test_info_has_version_partitions_positions_and_settings() -> None:
    status = PartitionStatus(
        partition=2,
        ready=True,
        positions={"buyer-messages": 17},
        lag_records={"buyer-messages": 3},
        progress_at=NOW_S - 2,
    )
    told = info([status, PartitionStatus(partition=3, ready=False)], Settings.load(app_id="mine"), NOW_S)
    assert (told["version"], told["app_id"]) == (__version__, "mine")
    assert told["core"] == "interpreted", "this checkout was not built with FENLIU_COMPILE=1"
    assert told["partitions"] == [
        {
            "partition": 2,
            "ready": True,
            "positions": {"buyer-messages": 17},
            "lag_records": {"buyer-messages": 3},
            "lag_s": 0.0,
            "progress_s_ago": 2.0,
        },
        {"partition": 3, "ready": False, "positions": {}, "lag_records": {}, "lag_s": 0.0},
    ]


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """The address of a web server with our pages, and everything of Faust's off that the app puts off."""
    port = free_port()
    app = faust.App(
        "pages",
        broker="kafka://127.0.0.1:1",
        store="memory://",
        web_host=HOST,
        web_bind=HOST,
        web_port=port,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_stats_enabled=False,
        web_graph_enabled=False,
    )
    settings = Settings.load()
    mount(app, settings, Metrics(settings), lambda: [partition(waiting=3, still_s=0)])
    app.finalize()
    app.web.blueprints.apply(app.web)
    async with app.web:
        yield f"http://{HOST}:{port}"


@pytest.mark.parametrize(
    ("path", "status", "content"),
    [
        ("/metrics", 200, "fenliu_partitions 0.0"),
        ("/healthz", 503, "3 records wait"),
        ("/readyz", 503, "waiting for the consumer group"),
        ("/info", 200, '"FENLIU_APP_ID":"fenliu"'),
        ("/", 200, '{"status":"OK"}'),
        ("/table", 404, ""),
        ("/table/", 404, ""),
        ("/router", 404, ""),
        ("/router/", 404, ""),
        ("/graph", 404, ""),
        ("/stats", 404, ""),
    ],
)
async def test_pages(base: str, path: str, status: int, content: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(base + path) as response:
        assert response.status == status
        assert content in await response.text()


async def test_metrics_answer_in_the_format_that_was_asked_for(base: str) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with aiohttp.ClientSession() as session, session.get(f"{base}/metrics", headers=headers) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await response.text()).endswith("# EOF\n")
