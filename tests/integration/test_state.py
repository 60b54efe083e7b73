"""`fenliu state` against a broker: what a person and a program read. What it mends is in `tests.faults`."""

import asyncio

import orjson
import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.lane import writing
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Worker, consume, produce, total
from tests.integration.traffic import message, status, traffic

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("environment", "logs_as_before")]


async def fenliu(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))


async def test_without_topics_it_is_78() -> None:
    for command in (["verify"], ["rebuild", "--from-inputs"]):
        result = await fenliu("state", *command)
        assert result.exit_code == 78
        assert "fenliu topics create" in result.stderr


async def test_wrong_use_is_2(cluster_settings: Settings) -> None:  # noqa: ARG001  its topics
    for arguments in (
        ["rebuild"],
        ["rebuild", "--from-inputs", "--positions", "somewhere"],
        ["verify", "--partition", str(PARTITIONS)],
    ):
        result = await fenliu("state", *arguments)
        assert result.exit_code == 2, result.output


async def test_what_was_never_routed_is_fine(cluster_settings: Settings) -> None:  # noqa: ARG001  its topics
    verified = await fenliu("state", "verify", "--json")
    assert verified.exit_code == 0
    report = orjson.loads(verified.stdout_bytes)
    assert report["ok"]
    assert [each["partition"] for each in report["partitions"]] == list(range(PARTITIONS))
    rebuilt = await fenliu("state", "rebuild", "--from-inputs")
    assert rebuilt.exit_code == 0
    assert rebuilt.stdout.count("was never routed: nothing to do") == PARTITIONS


async def test_state_that_takes_several_transactions(
    cluster_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was committed: what is there is taken for decided, and its state is written in small pieces."""
    monkeypatch.setattr(writing, "TRANSACTION_RECORDS", 3)
    await produce(cluster_settings, traffic(120))
    rebuilt = await fenliu("state", "rebuild", "--from-inputs", "--positions", "end", "--json")
    assert rebuilt.exit_code == 0, rebuilt.output
    partitions = orjson.loads(rebuilt.stdout_bytes)["partitions"]
    assert max(each["written"] for each in partitions) > 9
    verified = await fenliu("state", "verify", "--json")
    assert verified.exit_code == 0, verified.output
    keys = [sum(each["keys"].values()) for each in orjson.loads(verified.stdout_bytes)["partitions"]]
    assert keys == [each["written"] for each in partitions]
    again = await fenliu("state", "rebuild", "--from-inputs")
    assert again.exit_code == 0, again.output
    assert again.stdout.count(" 0 keys written, 0 deleted") == PARTITIONS


async def test_what_a_worker_left_is_verified_and_routing_it_again_changes_nothing(
    cluster_settings: Settings, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    now_ms = 1_762_821_000_000
    await produce(cluster_settings, [status("shop-1", "agent-1", now_ms), message("shop-1", "m1", now_ms + 1)])
    with Worker(environment, log=tmp_path_factory.mktemp("worker") / "log") as worker:
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        assert worker.stop() == 0
    verified = await fenliu("state", "verify")
    assert verified.exit_code == 0, verified.output
    assert "buyer-messages 1" in verified.stdout
    dry = await fenliu("state", "rebuild", "--from-inputs", "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    (routed,) = [each for each in orjson.loads(dry.stdout_bytes)["partitions"] if each["events"]]
    assert (routed["events"], routed["offsets"]["buyer-messages"]) == (2, 1)
    assert orjson.loads(dry.stdout_bytes)["dry_run"]
