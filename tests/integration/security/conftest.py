"""One secured broker for all these tests, and on it names of its own for each that asks."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.security.tenant import Tenant
from tests.kafka.secured import Secured, start_secured


@pytest.fixture(scope="session")
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker that writes down everything that its authorizer allows or denies."""
    with pytest.MonkeyPatch.context() as patch:
        # Of slf4j-simple; java reads this variable whoever starts it.
        patch.setenv("JAVA_TOOL_OPTIONS", "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug")
        with start_secured(tmp_path_factory.mktemp("secured")) as started:
            failed_before = request.session.testsfailed
            yield started
            if request.session.testsfailed > failed_before:
                started.cluster.keep_logs()


@pytest.fixture(autouse=True)
def own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment of whoever runs the tests, and no patience with brokers that turn us away."""
    monkeypatch.setattr("streams.kafka_clients.PATIENCE_S", 0.0)


@pytest.fixture
def tenant(secured: Secured, tmp_path: Path) -> Tenant:
    """A fenliu of its own whose users may do nothing yet."""
    return Tenant(secured, f"t{uuid.uuid4().hex[:8]}", tmp_path)
