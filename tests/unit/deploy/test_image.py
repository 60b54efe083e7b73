"""The image gets the packages that were tested and no others, and its health check says how the worker is."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from streams import __version__
from tests.locks.pins import ELSEWHERE, needed_by, read
from tests.unit.deploy.places import REPOSITORY

DOCKER = REPOSITORY / "deploy" / "docker"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_image_gets_all_that_fenliu_needs_and_no_more() -> None:
    needed = needed_by(PROJECT["project"]["dependencies"])
    locked = {pin.name for pin in read(DOCKER / "requirements.lock")}
    assert needed <= locked
    assert locked - needed <= ELSEWHERE


def test_the_wheel_is_built_by_what_the_project_asks_for() -> None:
    assert needed_by(PROJECT["build-system"]["requires"]) <= {pin.name for pin in read(DOCKER / "build.lock")}


def test_the_image_is_labelled_with_the_version() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG VERSION={__version__}\n" in dockerfile
    assert PROJECT["project"]["version"] == __version__


def copied_by_the_dockerfile() -> set[str]:
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    return {
        source
        for line in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }


def test_what_the_builder_copies_is_enough_for_the_wheel(tmp_path: Path) -> None:
    """The build reads more than the packages: pyproject.toml names a hook, a readme and a licence."""
    for source in copied_by_the_dockerfile():
        target = tmp_path / "src" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(REPOSITORY / source, target)
    arguments = ["--wheel", "--no-isolation", "--outdir", str(tmp_path / "wheels"), str(tmp_path / "src")]
    command = [sys.executable, "-m", "build", *arguments]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr


def test_the_builder_is_given_what_it_copies_and_nothing_else() -> None:
    copied = copied_by_the_dockerfile()
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert all(any(source == each or source.startswith(f"{each}/") for each in given) for source in copied)
    assert all((REPOSITORY / source).exists() for source in copied)


class Worker(BaseHTTPRequestHandler):
    """Answers /healthz as a worker does."""

    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        body = b'{"ok":%s,"reasons":[]}' % (b"true" if self.status == 200 else b"false")
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that http.server asks for
        pass


@pytest.fixture(params=[200, 503])
def worker(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    handler = type("Answering", (Worker,), {"status": request.param})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, request.param
        server.shutdown()
        thread.join()


def ask(port: int, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", DOCKER / "healthcheck.py"],
        env={"FENLIU_HTTP_PORT": str(port), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_health_check_says_what_the_worker_says(worker: tuple[int, int]) -> None:
    port, status = worker
    # A proxy that nobody serves: the container must not be asked through it.
    done = ask(port, http_proxy="http://127.0.0.1:9")
    assert done.returncode == (0 if status == 200 else 1)
    assert '"ok"' in done.stdout


def test_without_a_worker_the_health_check_fails_and_says_why() -> None:
    with HTTPServer(("127.0.0.1", 0), Worker) as closed:
        port = closed.server_port
    done = ask(port)
    assert done.returncode == 1
    assert "does not answer" in done.stdout
