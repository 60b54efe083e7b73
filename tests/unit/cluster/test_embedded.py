"""The embedded broker: it is there when it says so, and gone when it is stopped, whatever happened."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from streams.embedded import EmbeddedBroker, find_binary, free_port
from streams.errors import BrokerUnreachableError, FenliuError, UsageError
from streams.kafka_clients import administration

pytestmark = pytest.mark.broker


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def brokers(servers: str) -> int:
    async with administration({"bootstrap_servers": servers}) as admin:
        return len((await admin.describe_cluster())["brokers"])


def test_it_answers_and_is_gone_afterwards() -> None:
    with EmbeddedBroker() as broker:
        pid, directory = broker.pid, broker.directory
        assert pid is not None
        assert asyncio.run(brokers(broker.bootstrap_servers)) == 1
    assert gone(pid)
    assert not directory.exists()
    with pytest.raises(BrokerUnreachableError):
        asyncio.run(_connect(broker.bootstrap_servers))


async def _connect(servers: str) -> None:
    async with administration({"bootstrap_servers": servers}, patience_s=0):
        pass


def test_it_is_gone_after_an_error_in_the_block() -> None:
    broker = EmbeddedBroker()

    def fails() -> None:
        with broker:
            pids.append(broker.pid or 0)
            raise ZeroDivisionError

    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        fails()
    assert gone(pids[0])


def test_one_that_does_not_listen_to_signals_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.embedded._STOP_WITHIN_S", 0.2)
    broker = EmbeddedBroker()
    broker.start()
    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    broker.stop()
    assert gone(pid)
    broker.stop()


def test_a_directory_that_was_given_stays_and_a_port_is_kept(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        with EmbeddedBroker(tmp_path / "broker", port) as broker:
            assert broker.bootstrap_servers == f"127.0.0.1:{port}"
    assert (tmp_path / "broker" / "data").is_dir()


def test_a_port_that_is_taken_is_wrong_use() -> None:
    with EmbeddedBroker() as first, pytest.raises(UsageError, match=f"port {first.port} is taken"):
        EmbeddedBroker(port=first.port).start()


def test_one_that_ends_by_itself_is_reported_with_its_last_words() -> None:
    with EmbeddedBroker() as broker:
        assert broker.pid is not None
        pid = broker.pid
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # its sockets close before it counts as ended
        with pytest.raises(BrokerUnreachableError):
            asyncio.run(_connect(broker.bootstrap_servers))
        with pytest.raises(FenliuError, match=r"ended by itself \(exit code -9\)(.|\n)*noida-db"):
            broker.check_alive()


def test_a_binary_that_fails_is_reported_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "noida-db"
    binary.write_text("#!/bin/sh\necho the disk is full >&2\nexit 4\n")
    binary.chmod(0o755)
    _only_this_binary(monkeypatch, tmp_path)
    with pytest.raises(FenliuError, match=r"exit code 4(.|\n)*the disk is full"):
        EmbeddedBroker().start()


def test_a_missing_binary_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_this_binary(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match=r"pip install 'fenliu\[demo\]'"):
        find_binary()


def _only_this_binary(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """No package noida_db, and a PATH of one directory."""
    monkeypatch.setitem(sys.modules, "noida_db", None)
    monkeypatch.setenv("PATH", str(directory))
