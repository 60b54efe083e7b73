"""The commands against a broker, as a person at a terminal and a program read them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from click.testing import CliRunner, Result

from schemas.codec import RANK, encode
from schemas.decisions import AgentPresence, Assignment, Target
from streams.cli import main
from streams.embedded import free_port
from streams.kafka_clients import administration
from streams.settings import Settings
from streams.topics import declared
from tests.integration.conftest import PARTITIONS
from tests.integration.running import WITHIN_S, produce
from tests.integration.traffic import Record

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("environment", "logs_as_before")]


def fenliu(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


def told(result: Result) -> object:
    return orjson.loads(result.stdout_bytes)


# topics


def test_topics_are_created_and_then_as_declared() -> None:
    assert fenliu("topics", "check").exit_code == 1
    created = fenliu("topics", "create", "--partitions", "2", "--replication", "1")
    assert created.exit_code == 0
    topics = [topic.name for topic in declared(Settings.load())]
    assert created.stdout.splitlines() == [f"created  {name}, 2 partitions" for name in topics]
    again = fenliu("topics", "create", "--replication", "1")
    assert again.stdout.splitlines() == [f"exists   {name}, 2 partitions" for name in topics]
    checked = fenliu("topics", "check")
    assert (checked.exit_code, checked.stdout) == (0, f"{len(topics)} topics are as declared\n")
    assert told(fenliu("topics", "check", "--json")) == {"ok": True, "findings": []}


def test_topics_check_tells_programs_what_is_missing() -> None:
    result = fenliu("topics", "check", "--json")
    assert result.exit_code == 1
    document = told(result)
    assert isinstance(document, dict)
    assert document["ok"] is False
    assert {(each["kind"], each["mend"]) for each in document["findings"]} == {
        ("missing", "fenliu topics create --replication 1")
    }


@pytest.mark.usefixtures("cluster_settings")
def test_partitions_of_topics_that_exist_are_never_changed() -> None:
    result = fenliu("topics", "create", "--partitions", str(PARTITIONS + 1), "--replication", "1")
    assert result.exit_code == 0
    assert "never changed" in result.stderr
    document = told(fenliu("topics", "create", "--replication", "1", "--json"))
    assert isinstance(document, dict)
    assert (document["created"], set(document["existing"].values())) == ({}, {PARTITIONS})


def test_three_copies_on_one_broker_are_78() -> None:
    result = fenliu("topics", "create")
    assert result.exit_code == 78
    assert "fenliu topics create --replication 1" in result.stderr


# check


def lines(result: Result) -> dict[str, str]:
    """The verdict of each check by its name."""
    return {line.split()[1]: line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")}


def test_check_of_a_cluster_without_topics() -> None:
    result = fenliu("check")
    assert result.exit_code == 1
    assert lines(result) == {
        "settings": "ok",
        "broker": "ok",
        "access": "ok",
        "topics": "MEND",
        "group": "ok",
        "schemas": "ok",
    }
    assert "to mend it: fenliu topics create --replication 1" in result.stdout


@pytest.mark.usefixtures("cluster_settings")
def test_check_of_a_cluster_as_declared_shows_the_settings_that_were_changed() -> None:
    result = fenliu("check")
    assert result.exit_code == 0, result.output
    assert set(lines(result).values()) == {"ok"}
    settings = Settings.load()
    usual = settings.at_defaults()
    assert {name for name in settings.shown() if name in result.stdout} == settings.shown().keys() - usual
    assert all(name in fenliu("check", "-v").stdout for name in settings.shown())


@pytest.mark.usefixtures("cluster_settings")
def test_check_names_a_misspelt_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENLIU_TOPIC_PREFFIX", "x")
    result = fenliu("check")
    assert result.exit_code == 1
    assert result.stdout.startswith("MEND  settings")
    assert "FENLIU_TOPIC_PREFFIX" in result.stdout


async def test_records_that_wait_for_a_worker_are_a_finding(cluster_settings: Settings) -> None:
    await produce(cluster_settings, [Record("buyer-messages", b"s1", b"{}")] * 3)
    group = await asyncio.to_thread(group_check)
    assert group["told"]["lag_records"] == 3
    assert group["told"]["members"] == 0
    (finding,) = group["findings"]
    assert finding["what"] == "no worker is in the group, and 3 records wait"
    assert "fenliu worker" in finding["mend"]
    assert "fenliu state verify" in finding["mend"]


async def test_markers_of_transactions_wait_for_nobody(cluster_settings: Settings) -> None:
    where = TopicPartition(cluster_settings.topic("buyer-messages"), 1)
    async with transaction(cluster_settings) as producer:
        await producer.send(where.topic, b"{}", partition=where.partition)
    await commit(cluster_settings, at_beginnings(cluster_settings) | {where: 1})
    group = await asyncio.to_thread(group_check)
    assert group["told"]["lag_records"] == 1
    assert group["findings"] == []


async def test_a_transaction_that_stays_open_is_named(cluster_settings: Settings) -> None:
    """Catches: a partition that stands still for a producer that died, and nobody says why."""
    where = TopicPartition(cluster_settings.topic("agent-status"), 2)
    async with transaction(cluster_settings) as producer:
        await producer.send_and_wait(where.topic, b"{}", partition=where.partition)
        (first, second) = (await asyncio.to_thread(group_check))["findings"]
    assert "no worker" in first["what"]
    assert f"{where.topic}, partition 2: a producer's transaction is open from offset 0 on" in second["what"]
    assert f"describe-producers --topic {where.topic} --partition 2" in second["mend"]


async def test_an_input_that_was_created_anew_is_a_finding(cluster_settings: Settings) -> None:
    """Catches: ok, while no worker can start."""
    where = TopicPartition(cluster_settings.topic("agent-replies"), 3)
    await commit(cluster_settings, at_beginnings(cluster_settings) | {where: 40})
    (finding,) = (await asyncio.to_thread(group_check))["findings"]
    assert f"{where.topic}, partition 3: the group has committed 40 of partition 3, which ends at 0" in finding["what"]
    assert "fenliu state verify" in finding["mend"]


async def test_an_input_without_offsets_beside_others_is_a_finding(cluster_settings: Settings) -> None:
    """Kafka forgets the offsets of a topic that is deleted."""
    committed = at_beginnings(cluster_settings)
    topic = cluster_settings.topic("agent-status")
    await commit(cluster_settings, {tp: offset for tp, offset in committed.items() if tp.topic != topic})
    (finding,) = (await asyncio.to_thread(group_check))["findings"]
    assert f"{topic}, partitions 0, 1, 2, 3: the group has offsets of the other inputs" in finding["what"]
    assert "fenliu state verify" in finding["mend"]


def at_beginnings(settings: Settings) -> dict[TopicPartition, int]:
    """Offsets as of a group that has routed nothing yet."""
    return {TopicPartition(settings.topic(topic), number): 0 for topic in RANK for number in range(PARTITIONS)}


@asynccontextmanager
async def transaction(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer in a transaction, which is committed at the end of the block."""
    producer = AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-producer")
    async with producer, producer.transaction():
        yield producer


def group_check() -> dict[str, Any]:
    document = told(fenliu("check", "--json"))
    assert isinstance(document, dict)
    (group,) = (each for each in document["checks"] if each["name"] == "group")
    assert isinstance(group, dict)
    return group


async def commit(settings: Settings, offsets: dict[TopicPartition, int]) -> None:
    """Commit offsets as a member of the group would."""
    consumer = AIOKafkaConsumer(**settings.kafka_client_kwargs(), group_id=settings.app_id, enable_auto_commit=False)
    async with consumer:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)


async def test_check_finds_a_group_that_another_program_uses(cluster_settings: Settings) -> None:
    await commit(cluster_settings, {TopicPartition(cluster_settings.topic("assignments"), 0): 0})
    group = await asyncio.to_thread(group_check)
    (finding,) = group["findings"]
    assert cluster_settings.topic("assignments") in finding["what"]
    assert "FENLIU_APP_ID" in finding["mend"]


async def test_check_finds_input_that_was_deleted_before_it_was_routed(cluster_settings: Settings) -> None:
    where = TopicPartition(cluster_settings.topic("buyer-messages"), 1)
    await produce(cluster_settings, [Record("buyer-messages", b"s1", b"{}")] * 5, partition=1)
    await commit(cluster_settings, at_beginnings(cluster_settings) | {where: 2})
    async with administration(cluster_settings.kafka_client_kwargs()) as admin:
        await admin.delete_records({where: RecordsToDelete(before_offset=4)})
    group = await asyncio.to_thread(group_check)
    (_no_worker, finding) = group["findings"]
    assert f"{where.topic}, partition 1: records 2 to 3 were deleted unrouted" in finding["what"]
    assert group["told"]["lag_records"] == 1


def test_check_without_a_broker_is_75_and_tells_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka_clients.PATIENCE_S", 0.0)
    monkeypatch.setenv("FENLIU_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    result = fenliu("check")
    assert result.exit_code == 75
    assert lines(result) == {
        "settings": "ok",
        "broker": "MEND",
        "access": "?",
        "topics": "?",
        "group": "?",
        "schemas": "ok",
    }


# config


def test_config_push_without_the_topic_is_78_and_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    file.write_text("- shop_id: a\n", encoding="utf-8")
    for _ in range(2):
        result = fenliu("config", "push", str(file))
        assert result.exit_code == 78
        assert "fenliu topics create" in result.stderr


@pytest.mark.usefixtures("cluster_settings")
def test_settings_come_back_as_they_were_pushed() -> None:
    text = "- shop_id: 甲店\n  policy: pinduoduo\n  agents:\n  - agent_id: '010'\n    weight: 5\n"
    pushed = fenliu("config", "push", "-", stdin=text)
    assert pushed.exit_code == 0, pushed.output
    got = fenliu("config", "get", "甲店")
    assert got.exit_code == 0
    comment, _, settings = got.stdout.partition("\n")
    assert settings == text
    version = pushed.stdout.split()[1].rstrip(",")
    assert comment.startswith(f"# config_version {version}, of ")


@pytest.mark.usefixtures("cluster_settings")
def test_the_newest_settings_are_in_force_and_a_reset_is_one() -> None:
    fenliu("config", "push", "-", stdin="[{shop_id: a, busy_threshold: 5}, {shop_id: b, busy_threshold: 6}]")
    fenliu("config", "push", "-", stdin="[{shop_id: a, busy_threshold: 7}]")
    document = told(fenliu("config", "get", "a", "--json"))
    assert isinstance(document, dict)
    assert document["shop_config"] == {"shop_id": "a", "busy_threshold": 7}
    fenliu("config", "push", "-", stdin="[{shop_id: a, reset: true}]")
    document = told(fenliu("config", "get", "a", "--json"))
    assert isinstance(document, dict)
    assert (document["config_version"], document["shop_config"]) == ("default", {"shop_id": "a", "reset": True})


@pytest.mark.usefixtures("cluster_settings")
def test_a_shop_without_settings() -> None:
    result = fenliu("config", "get", "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nobody has no settings" in result.stderr
    assert told(fenliu("config", "get", "nobody", "--json")) is None


@pytest.mark.usefixtures("cluster_settings")
def test_a_push_tells_programs_what_it_stored_and_people_what_they_misspelt() -> None:
    result = fenliu("config", "push", "-", "--json", stdin="[{shop_id: a, busy_treshold: 5, occurred_at_ms: 7}]")
    assert result.exit_code == 0
    assert "do you mean busy_threshold?" in result.stderr
    (stored,) = orjson.loads(result.stdout_bytes)
    assert (stored["occurred_at_ms"], stored["shop_config"]) == (7, {"shop_id": "a"})


@pytest.mark.usefixtures("cluster_settings")
def test_settings_larger_than_an_event_may_be_are_not_sent() -> None:
    agents = ", ".join(f"agent-{number:0>100}" for number in range(3000))
    result = fenliu("config", "push", "-", stdin=f"[{{shop_id: a, offline_receivers: [{agents}]}}]")
    assert result.exit_code == 2
    assert "too_large" in result.stderr


@pytest.mark.usefixtures("cluster_settings")
def test_one_wrong_entry_and_nothing_is_sent() -> None:
    result = fenliu("config", "push", "-", stdin="- shop_id: a\n- shop_id: b\n  policy: taobao\n")
    assert result.exit_code == 2
    assert "standard input:3: $[1].policy" in result.stderr
    assert fenliu("config", "get", "a").exit_code == 1


async def test_a_refused_record_does_not_count_as_settings(cluster_settings: Settings) -> None:
    good = b'{"type":"shop_config","shop_id":"a","occurred_at_ms":5,"busy_threshold":8}'
    bad = b'{"type":"shop_config","shop_id":"a","occurred_at_ms":6,"busy_threshold":0}'
    await produce(cluster_settings, [Record("shop-configs", b"a", good), Record("shop-configs", b"a", bad)])
    result = await asyncio.to_thread(fenliu, "config", "get", "a", "--json")
    assert result.exit_code == 1
    assert "$.busy_threshold" in result.stderr
    document = told(result)
    assert isinstance(document, dict)
    assert document["shop_config"]["busy_threshold"] == 8


# tail


def assignment(number: int) -> Assignment:
    return Assignment(
        assignment_id=f"m{number}", message_id=f"m{number}", shop_id="甲店", buyer_id="b1",
        target=Target("agent", "小美"), rule="recent_contact", policy="qianniu",
        previous_agent_id="小美", new_owner=False, target_presence="online",
        pending_before=0, waiting_messages=1, late_ms=0, trace=[("recent_contact", "taken")], occurred_at_ms=1,
        decided_at_ms=1, config_version="default",
    )  # fmt: skip


async def publish(settings: Settings, topic: str, *values: bytes, headers: dict[str, bytes] | None = None) -> None:
    async with AIOKafkaProducer(**settings.kafka_client_kwargs()) as producer:
        for value in values:
            given = list((headers or {}).items())
            await producer.send_and_wait(
                settings.topic(topic), value, partition=PARTITIONS - 1, key=b"k", headers=given
            )


async def tail(*arguments: str) -> Result:
    return await asyncio.to_thread(fenliu, "tail", *arguments)


async def test_tail_shows_decisions_as_lines_or_as_they_are(cluster_settings: Settings) -> None:
    values = [encode(assignment(number)) for number in range(3)]
    await publish(cluster_settings, "assignments", *values)
    shown = await tail("--since", "1h", "--no-follow")
    assert shown.exit_code == 0, shown.output
    assert [("b1 → 小美" in line, "recent_contact" in line) for line in shown.stdout.splitlines()] == [(True, True)] * 3
    exact = await tail("assignments", "--since", "1h", "--no-follow", "--json")
    assert exact.stdout_bytes.splitlines() == values


async def test_tail_begins_with_what_is_new_and_stops_at_its_limit(cluster_settings: Settings) -> None:
    await publish(cluster_settings, "assignments", encode(assignment(1)))
    assert (await tail("--no-follow")).stdout == ""
    assert len((await tail("--since", "1d", "--limit", "1")).stdout.splitlines()) == 1


async def test_tail_names_a_record_that_fenliu_has_not_written(cluster_settings: Settings) -> None:
    await publish(cluster_settings, "assignments", b"{}")
    shown = await tail("--since", "1h", "--no-follow")
    where = f"{cluster_settings.topic('assignments')}, partition {PARTITIONS - 1}, offset 0"
    assert shown.stdout.startswith(f"{where}: not written by fenliu: schema: ")


async def test_tail_shows_presence(cluster_settings: Settings) -> None:
    event = AgentPresence(
        shop_id="甲店", agent_id="小美", presence="offline", since_ms=1, at_ms=9, pending_replies=3, stranded_buyers=2
    )
    await publish(cluster_settings, "agent-presence", encode(event))
    shown = await tail("presence", "--since", "1h", "--no-follow")
    assert "小美" in shown.stdout
    assert "2" in shown.stdout


async def test_tail_shows_why_a_letter_is_dead_and_nothing_of_it_reaches_the_terminal(
    cluster_settings: Settings,
) -> None:
    headers = {
        "fenliu.error": b"schema", "fenliu.error.detail": b"$.status: \x1b[31mexpected",
        "fenliu.topic": b"agent-status", "fenliu.partition": b"0", "fenliu.offset": b"7", "fenliu.timestamp": b"5",
    }  # fmt: skip
    await publish(cluster_settings, "dead-letters", b"the secret of a buyer", headers=headers)
    shown = await tail("dead-letters", "--since", "1h", "--no-follow")
    assert "$.status: \ufffd[31mexpected" in shown.stdout
    assert "\x1b" not in shown.stdout
    exact = await tail("dead-letters", "--since", "1h", "--no-follow", "--json")
    assert orjson.loads(exact.stdout_bytes)["headers"]["fenliu.error"] == "schema"
    assert "secret" not in shown.stdout + exact.stdout


async def test_tail_shows_only_what_was_committed(cluster_settings: Settings) -> None:
    writer = AIOKafkaProducer(**cluster_settings.kafka_client_kwargs(), transactional_id=f"{cluster_settings.app_id}-x")
    name = cluster_settings.topic("assignments")
    async with writer:
        await writer.begin_transaction()
        await writer.send_and_wait(name, encode(assignment(1)), partition=0)
        await writer.abort_transaction()
        async with writer.transaction():
            await writer.send_and_wait(name, encode(assignment(2)), partition=0)
        shown = await tail("--since", "1h", "--no-follow", "--json")
    assert [orjson.loads(line)["message_id"] for line in shown.stdout_bytes.splitlines()] == ["m2"]


async def test_tail_follows_until_it_is_interrupted(cluster_settings: Settings) -> None:
    process = subprocess.Popen(  # noqa: ASYNC220  it starts at once; what waits for it is in threads
        [sys.executable, "-m", "streams", "tail", "--since", "1h", "--json"],
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        for number in range(2):
            await publish(cluster_settings, "assignments", encode(assignment(number)))
            async with asyncio.timeout(WITHIN_S):
                line = await asyncio.to_thread(process.stdout.readline)
            assert orjson.loads(line)["message_id"] == f"m{number}"
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.to_thread(process.communicate, timeout=WITHIN_S)
        assert process.returncode == 0, errors
    finally:
        process.kill()
        process.wait()


def test_tail_of_a_topic_that_is_not_there_is_78_and_makes_none() -> None:
    for _ in range(2):
        assert fenliu("tail", "--no-follow").exit_code == 78
    assert fenliu("topics", "check").exit_code == 1


def test_a_duration_that_is_none_is_wrong_use() -> None:
    result = fenliu("tail", "--since", "five minutes")
    assert result.exit_code == 2
    assert "90s, 5m, 2h or 1d" in result.stderr
