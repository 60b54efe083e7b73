"""/metrics, /healthz, /readyz and /info of a worker: what they say, and how they hang on Faust's web server.

What they say are plain functions over the lane's status. None of it shows the content of a table.
"""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

import faust
from faust import web

from streams import __version__
from streams.lane.observer import PartitionStatus
from streams.metrics import Metrics
from streams.routing import COMPILED
from streams.settings import Settings

STALLED_AFTER_S = 60.0
"""A partition with input that commits nothing for so long is not slow but stuck: a supervisor should restart us."""

Status = Callable[[], Sequence[PartitionStatus]]
"""The lane's `status`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes, or no with the reasons."""

    ok: bool
    reasons: tuple[str, ...] = ()

    @property
    def http_status(self) -> HTTPStatus:
        """200 or 503."""
        return HTTPStatus.OK if self.ok else HTTPStatus.SERVICE_UNAVAILABLE

    def to_json(self) -> dict[str, object]:
        """As the probes answer."""
        return {"ok": self.ok, "reasons": list(self.reasons)}


def health(partitions: Sequence[PartitionStatus], now_s: float) -> Verdict:
    """Whether every partition that has input makes progress.

    Args:
        partitions: the assigned ones.
        now_s: by the clock of `PartitionStatus.progress_at`, in seconds.
    """
    reasons = []
    for each in partitions:
        waiting, still_s = sum(each.lag_records.values()), now_s - each.progress_at
        if each.ready and waiting and still_s > STALLED_AFTER_S:
            reasons.append(f"partition {each.partition}: {waiting} records wait, none committed for {still_s:.0f} s")
    return Verdict(not reasons, tuple(reasons))


def readiness(partitions: Sequence[PartitionStatus], *, joined: bool) -> Verdict:
    """Whether the group has given this worker its partitions and all of them are restored."""
    if not joined:
        return Verdict(False, ("waiting for the consumer group to assign partitions",))
    reasons = tuple(f"partition {each.partition}: being restored" for each in partitions if not each.ready)
    return Verdict(not reasons, reasons)


def info(partitions: Sequence[PartitionStatus], settings: Settings, now_s: float) -> dict[str, object]:
    """Version, partitions, positions and settings; of secrets there is only the name of their file."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "core": "compiled" if COMPILED else "interpreted",
        "app_id": settings.app_id,
        "partitions": [_partition(each, now_s) for each in partitions],
        "settings": settings.shown(),
    }


def _partition(status: PartitionStatus, now_s: float) -> dict[str, object]:
    shown = asdict(status)
    progress_at = shown.pop("progress_at")
    if status.ready:
        shown["progress_s_ago"] = round(now_s - progress_at, 3)
    return shown


def mount(app: faust.App, settings: Settings, metrics: Metrics, status: Status) -> None:
    """Put the pages on the app's web server, and let the metrics watch its event loop.

    Args:
        app: the app, before its web server starts.
        settings: what /info shows.
        metrics: what /metrics renders.
        status: the lane's status, asked at every request.
    """
    pages = web.Blueprint("fenliu")

    @pages.route("/metrics", name="metrics")
    class MetricsPage(web.View):
        """The figures for Prometheus."""

        async def get(self, request: web.Request) -> web.Response:
            text, content_type = await metrics.render(request.headers.get("Accept", ""))
            return self.bytes(text, headers={"Content-Type": content_type})

    @pages.route("/healthz", name="healthz")
    class HealthPage(web.View):
        """200 while every partition that has input makes progress."""

        async def get(self, _request: web.Request) -> web.Response:
            return _answer(self, health(status(), time.monotonic()))

    @pages.route("/readyz", name="readyz")
    class ReadinessPage(web.View):
        """200 once the partitions are restored."""

        async def get(self, _request: web.Request) -> web.Response:
            return _answer(self, readiness(status(), joined=metrics.joined))

    @pages.route("/info", name="info")
    class InfoPage(web.View):
        """What this worker is and where it stands."""

        async def get(self, _request: web.Request) -> web.Response:
            return self.json(info(status(), settings, time.monotonic()))

    app.web.blueprints.add("", pages)
    app.task(metrics.watch_event_loop)


def _answer(view: web.View, verdict: Verdict) -> web.Response:
    return view.json(verdict.to_json(), status=verdict.http_status)
