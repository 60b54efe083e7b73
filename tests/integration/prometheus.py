"""A Prometheus as a process of its own that scrapes workers, with the rules of deploy/prometheus made faster."""

import http.client
import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import yaml

from streams.embedded import free_port
from tests.unit.deploy.places import PROMETHEUS

FASTER = 30
"""A half-minute of the rules becomes a second: every range, every `for` and every interval. What is compared stays."""

ANSWERS_WITHIN_S = 10
POLL_S = 0.2

_DURATION = re.compile(
    r"(?<=\[)\d+[smhd](?=\])|(?<=for: )\d+[smhd]\b|(?<=interval: )\d+[smhd]\b|(?<=offset )\d+[smhd]\b"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Alert = dict[str, Any]
"""As Prometheus tells it: labels, annotations, state."""


def faster(rules: str) -> str:
    """The same rules, FASTER times as fast."""
    return _DURATION.sub(lambda found: f"{_milliseconds(found[0]) // FASTER}ms", rules)


def _milliseconds(duration: str) -> int:
    return int(duration[:-1]) * _SECONDS[duration[-1]] * 1000


class Prometheus:
    """Scrapes workers every second; at the end of the `with` block it is gone.

    Args:
        program: the binary.
        targets: host:port of each worker; `watch` adds more.
        directory: for its configuration, rules, data and log.
    """

    def __init__(self, program: str, targets: Sequence[str], directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._targets = list(targets)
        self._configure()

    def _configure(self) -> None:
        configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
        configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        (workers,) = configuration["scrape_configs"]
        del workers["scrape_timeout"]
        del workers["static_configs"]
        workers["file_sd_configs"] = [{"files": ["targets.json"]}]
        self._directory.mkdir()
        self._write_targets()
        (self._directory / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        for name in configuration["rule_files"]:
            rules = (PROMETHEUS / name).read_text(encoding="utf-8")
            (self._directory / name).write_text(faster(rules), encoding="utf-8")

    def watch(self, target: str) -> None:
        """Scrape one more worker from now on."""
        if target not in self._targets:
            self._targets.append(target)
            self._write_targets()

    def _write_targets(self) -> None:
        fresh = self._directory / "targets.fresh"
        fresh.write_text(json.dumps([{"targets": self._targets}]), encoding="utf-8")
        fresh.rename(self._directory / "targets.json")

    def __enter__(self) -> Self:
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    "--log.level=warn",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(ANSWERS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def samples(self, expr: str) -> list[dict[str, Any]]:
        """What an expression is now."""
        result: list[dict[str, Any]] = self._get(f"/api/v1/query?query={quote(expr)}")["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def firing(self, name: str, severity: str | None = None) -> list[Alert]:
        """The alerts of that name, and of a severity if one is given, that fire."""
        alerts: list[Alert] = self._get("/api/v1/alerts")["alerts"]
        firing = [alert for alert in alerts if alert["state"] == "firing" and alert["labels"]["alertname"] == name]
        return [alert for alert in firing if severity in (None, alert["labels"]["severity"])]

    def wait_until(self, condition: Callable[[], bool], what: str, within_s: float) -> None:
        """Ask until it holds.

        Raises:
            AssertionError: with what Prometheus knows of its alerts, if it does not hold in time.
        """
        deadline = time.monotonic() + within_s
        while not self._holds(condition):
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{self._told()}"
            time.sleep(POLL_S)

    def _holds(self, condition: Callable[[], bool]) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log()
        try:
            return condition()
        except (ConnectionError, http.client.HTTPException):  # it starts
            return False

    def _told(self) -> str:
        return json.dumps(self._get("/api/v1/alerts"), indent=1) + "\n" + self._log()

    def _log(self) -> str:
        return (self._directory / "log").read_text(encoding="utf-8")

    def _get(self, path: str) -> dict[str, Any]:
        url = urlsplit(path)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWERS_WITHIN_S)
        try:
            connection.request("GET", url.geturl())
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == http.client.SERVICE_UNAVAILABLE:
                raise http.client.HTTPException("not ready")
            assert answer.status == http.client.OK, body
            data: dict[str, Any] = json.loads(body)["data"]
            return data
        finally:
            connection.close()
