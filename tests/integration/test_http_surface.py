"""What a worker's HTTP port does: it answers GET and HEAD on its own four pages, and nothing else, with any method."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import hdrs
from faust.web.apps import graph, metrics, production_index, router, stats, tables

from streams.settings import Settings
from tests.integration.running import REPOSITORY, Worker
from tests.integration.test_watching import until_ready

pytestmark = pytest.mark.broker

PAGES = {"/metrics", "/healthz", "/readyz", "/info"}
READING = {"GET", "HEAD"}
METHODS = sorted(hdrs.METH_ALL - {"CONNECT"} | {"SEARCH", "PROPFIND", "MKCOL", "PURGE"})
"""CONNECT names a host and no path."""

_LIST_ROUTES = """
import asyncio, json
from streams.app import app
async def main():
    app.finalize()
    app.web.cors
    app.web.init_server()
    print(json.dumps([(route.method, route.resource.canonical) for route in app.web.web_app.router.routes()]))
asyncio.run(main())
"""


@pytest.fixture
def worker(environment: dict[str, str], cluster_settings: Settings, tmp_path: Path) -> Iterator[Worker]:  # noqa: ARG001
    with Worker(environment, log=tmp_path / "worker.log") as worker:
        yield worker


@pytest.fixture
async def http(cluster_settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    base = f"http://{cluster_settings.http_host}:{cluster_settings.http_port}"
    async with aiohttp.ClientSession(base) as session:
        yield session


def routes() -> set[tuple[str, str]]:
    """Every (method, path) that the web server of a worker knows, Faust's own among them."""
    listed = subprocess.run(
        [sys.executable, "-c", _LIST_ROUTES], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60
    )
    return {(method, path) for method, path in json.loads(listed.stdout)}


def pages_of_faust() -> set[str]:
    """Every path of every page that Faust comes with, under each place where it may put it."""
    blueprints = {
        prefix: module.blueprint
        for prefix, module in {
            "/router": router,
            "/table": tables,
            "/graph": graph,
            "/stats": stats,
            "/faust-metrics": metrics,
            "": production_index,
        }.items()
    }
    paths = {prefix + route.uri for prefix, blueprint in blueprints.items() for route in blueprint.routes}
    # The statistics stand at the root, as the index does.
    paths |= {route.uri for route in stats.blueprint.routes}
    return {path.format(name="shops", key="shop-1") for path in paths}


def test_every_route_reads(environment: dict[str, str]) -> None:  # noqa: ARG001  it sets the variables
    assert routes() == {(method, page) for method in READING for page in PAGES}


async def test_no_method_on_any_path_does_anything_but_read(worker: Worker, http: aiohttp.ClientSession) -> None:
    await until_ready(http, worker)
    before = await told(http)
    for path in sorted(PAGES | pages_of_faust() | {"/unknown", "/static/x"}):
        for method in METHODS:
            async with http.request(method, path, json={"shop_id": "shop-1"}, allow_redirects=False) as response:
                allowed = path in PAGES and method in READING
                assert response.status in ({200} if allowed else {404, 405}), (method, path, response.status)
                if not allowed:
                    assert b"shop" not in await response.read()
    worker.check_alive()
    assert await told(http) == before


async def told(http: aiohttp.ClientSession) -> object:
    """What /info says, without what time changes."""
    async with http.get("/info") as response:
        answer = await response.json()
    for each in answer["partitions"]:
        each.pop("progress_s_ago", None)
        each.pop("lag_records", None)
        each.pop("lag_seconds", None)
    return answer
