"""The test cluster itself: that it is a real one, that faults do to it what they say, and that nothing of it stays."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.kafka_clients import administration, topics_as_each_broker_knows
from streams.settings import Settings
from streams.topics import create
from tests.kafka.available import find_java
from tests.kafka.cluster import KafkaCluster, start_cluster
from tests.kafka.distribution import jars
from tests.kafka.errors import KafkaTestError
from tests.kafka.place import Place
from tests.kafka.scratch import scratch_directory

pytestmark = pytest.mark.kafka

REPOSITORY = Path(__file__).parents[2]
ENDS_WITHIN_S = 30
LEADER_WITHIN_S = 30
UNKNOWN_LEADER = -1


@pytest.fixture(scope="module")
def one() -> Iterator[KafkaCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def three() -> Iterator[KafkaCluster]:
    with start_cluster(3) as cluster:
        yield cluster


@pytest.fixture
def pristine(three: KafkaCluster) -> Iterator[KafkaCluster]:
    """Three brokers that run and are in sync, whatever the test before did to them."""
    for broker in three.brokers:
        if not broker.running:
            broker.start(wait=False)
    three.wait_until_ready()
    three.wait_until_in_sync()
    yield three
    for broker in three.brokers:
        if broker.running:
            broker.resume()


async def create_topic(cluster: KafkaCluster, name: str, copies: int) -> None:
    async with administration({"bootstrap_servers": cluster.bootstrap_servers}) as admin:
        response = await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=copies)])
        assert response.topic_errors[0][1] == 0, response


async def leader_of(cluster: KafkaCluster, topic: str) -> int:
    """The leader of the only partition, once all brokers know the same one."""
    leaders = {UNKNOWN_LEADER}
    kafka = {"bootstrap_servers": cluster.bootstrap_servers}
    async with asyncio.timeout(LEADER_WITHIN_S), administration(kafka) as admin:
        while len(leaders) > 1 or UNKNOWN_LEADER in leaders:
            answers = await topics_as_each_broker_knows(admin)
            leaders = {partition["leader"] for topics in answers for partition in partitions_of(topics, topic)}
    return int(leaders.pop())


def partitions_of(topics: dict[str, Any], topic: str) -> list[dict[str, Any]]:
    """Of a broker's metadata; a broker that has not heard of the topic knows no leader of it."""
    known: list[dict[str, Any]] = topics[topic]["partitions"] if topic in topics else []
    return known or [{"leader": UNKNOWN_LEADER}]


async def produce(cluster: KafkaCluster, topic: str, values: list[bytes]) -> None:
    """Each value acknowledged by every copy that is in sync."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers, acks="all", enable_idempotence=True
    ) as out:
        for value in values:
            await out.send_and_wait(topic, value, partition=0)


async def consume_all(cluster: KafkaCluster, topic: str) -> list[bytes]:
    """What a read_committed consumer sees from the beginning to the end."""
    partition = TopicPartition(topic, 0)
    values: list[bytes] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap_servers, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < end:
            batch = await consumer.getmany(partition, timeout_ms=200)
            values += [record.value for record in batch.get(partition, [])]
    return values


def ended(pidfd: int) -> bool:
    """Whether the process behind a pidfd ends within the deadline; a process that nobody has waited for counts."""
    try:
        return bool(select.select([pidfd], [], [], ENDS_WITHIN_S)[0])
    finally:
        os.close(pidfd)


async def test_one_broker_commits_transactions_and_hides_aborted_ones(one: KafkaCluster) -> None:
    await create_topic(one, "transactions", copies=1)
    async with AIOKafkaProducer(bootstrap_servers=one.bootstrap_servers, transactional_id="t") as producer:
        async with producer.transaction():
            await producer.send_and_wait("transactions", b"committed")
        await producer.begin_transaction()
        await producer.send_and_wait("transactions", b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait("transactions", b"committed too")
    assert await consume_all(one, "transactions") == [b"committed", b"committed too"]


async def test_a_topic_is_not_created_by_asking_for_it(one: KafkaCluster) -> None:
    async with AIOKafkaProducer(bootstrap_servers=one.bootstrap_servers, request_timeout_ms=500) as producer:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send("never-created", b"1")
    async with administration({"bootstrap_servers": one.bootstrap_servers}) as admin:
        assert "never-created" not in await admin.list_topics()


def test_properties_of_the_caller_come_last_and_know_their_place() -> None:
    def by_place(place: Place) -> dict[str, str]:
        return {"auto.create.topics.enable": "true", "broker.rack": f"rack-{place.id}"}

    with start_cluster(properties=by_place) as cluster:
        asyncio.run(produce(cluster, "made-on-demand", [b"1"]))
        assert asyncio.run(consume_all(cluster, "made-on-demand")) == [b"1"]
        assert "broker.rack=rack-1\n" in cluster.brokers[0].place.properties_file.read_text()


async def test_three_brokers_keep_what_was_acknowledged_when_the_leader_is_killed(pristine: KafkaCluster) -> None:
    await create_topic(pristine, "leader-killed", copies=3)
    await produce(pristine, "leader-killed", [b"before"])
    first = pristine.broker(await leader_of(pristine, "leader-killed"))
    await asyncio.to_thread(first.kill)
    await produce(pristine, "leader-killed", [b"while one is down"])

    await asyncio.to_thread(first.start)
    await asyncio.to_thread(pristine.wait_until_in_sync)
    second = pristine.broker(await leader_of(pristine, "leader-killed"))
    assert second is not first
    await asyncio.to_thread(second.kill)
    assert await consume_all(pristine, "leader-killed") == [b"before", b"while one is down"]


async def test_every_broker_knows_the_topics_that_fenliu_created(pristine: KafkaCluster) -> None:
    """Else a worker that starts next, and asks another broker, would find topics missing and refuse."""
    for round_number in range(5):
        settings = Settings(kafka_bootstrap_servers=pristine.bootstrap_servers, topic_prefix=f"known-{round_number}-")
        created = (await create(settings, partitions=1)).created
        async with administration(settings.kafka_client_kwargs()) as admin:
            for topics in await topics_as_each_broker_knows(admin):
                assert created.keys() <= topics.keys()


async def test_data_outlives_all_brokers_at_once(pristine: KafkaCluster) -> None:
    await create_topic(pristine, "all-killed", copies=3)
    await produce(pristine, "all-killed", [b"1", b"2"])
    for broker in pristine.brokers:
        await asyncio.to_thread(broker.kill)
    for broker in pristine.brokers:
        broker.start(wait=False)
    await asyncio.to_thread(pristine.wait_until_ready)
    await asyncio.to_thread(pristine.wait_until_in_sync)
    assert await consume_all(pristine, "all-killed") == [b"1", b"2"]


async def test_a_stopped_broker_hands_its_partitions_over_and_ends_by_itself(pristine: KafkaCluster) -> None:
    await create_topic(pristine, "stopped", copies=3)
    leader = pristine.broker(await leader_of(pristine, "stopped"))
    assert await asyncio.to_thread(leader.stop), leader.log_tail()
    await produce(pristine, "stopped", [b"1"])
    assert await leader_of(pristine, "stopped") != leader.id


def test_a_suspended_broker_is_there_and_does_not_answer(pristine: KafkaCluster) -> None:
    broker = pristine.brokers[0]
    pid = broker.pid
    broker.suspend()
    with pytest.raises(KafkaTestError, match="does not answer"):
        broker.wait_until_ready(within_s=1)
    broker.resume()
    broker.wait_until_ready(nodes=3)
    assert broker.pid == pid


def test_a_broker_that_is_down_says_so(pristine: KafkaCluster) -> None:
    broker = pristine.brokers[0]
    broker.kill()
    assert not broker.running
    with pytest.raises(KafkaTestError, match="is down"):
        _ = broker.pid
    with pytest.raises(KafkaTestError, match="is down"):
        pristine.check_alive()
    with pytest.raises(KafkaTestError, match="is down"):
        broker.wait_until_ready()


def test_the_end_leaves_no_process_and_no_file() -> None:
    with start_cluster() as cluster:
        pidfd, directory = os.pidfd_open(cluster.brokers[0].pid), cluster.directory
        cluster.brokers[0].suspend()
    assert ended(pidfd)
    assert not directory.exists()


def test_a_failure_leaves_the_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_TEST_LOGS", str(tmp_path / "kept"))
    with pytest.raises(AssertionError), start_cluster():
        raise AssertionError
    (log,) = (tmp_path / "kept").glob("*/1-broker.log")
    assert "started" in log.read_text()


def test_a_setting_that_kafka_refuses_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_TEST_LOGS", str(tmp_path))
    with (
        pytest.raises(KafkaTestError, match=r"num\.network\.threads"),
        start_cluster(properties={"num.network.threads": "0"}),
    ):
        pass


def test_brokers_die_with_the_process_that_started_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "\n".join(
        [
            "import sys, threading",
            "from tests.kafka.cluster import start_cluster",
            "def start():",
            "    global held",
            "    held = start_cluster()",
            "    sys.stdout.write(f'{held.__enter__().brokers[0].pid}\\n')",
            "    sys.stdout.flush()",
            # The thread that starts them ends before its process does.
            "thread = threading.Thread(target=start)",
            "thread.start(); thread.join()",
            "sys.stdin.read()",
        ]
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        pidfd = os.pidfd_open(int(parent.stdout.readline()))
        assert not select.select([pidfd], [], [], 0)[0], "it ended with the thread"
        parent.kill()
    assert ended(pidfd)
    (left,) = tmp_path.glob("fenliu-kafka-*")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_directory() as mine, scratch_directory():
        assert not left.exists(), "the next one removes what it could not"
        assert mine.exists(), "and nothing that is in use"


def test_up_runs_in_the_foreground_until_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kafka", "up"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout is not None
        host, _, port = up.stdout.readline().strip().partition(":")
        assert (host, port.isdecimal()) == ("127.0.0.1", True)
        up.send_signal(signal.SIGINT)
        assert up.wait(ENDS_WITHIN_S) == 0


async def test_a_broker_keeps_its_port_while_it_is_down(one: KafkaCluster) -> None:
    broker = one.brokers[0]
    await asyncio.to_thread(broker.kill)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", broker.port)
    await asyncio.to_thread(broker.start)
    assert broker.running


def test_brokers_of_tests_start_from_an_archive_of_classes_that_java_takes(one: KafkaCluster) -> None:
    command = Path(f"/proc/{one.brokers[0].pid}/cmdline").read_text(encoding="utf-8").split("\0")
    (shared,) = (option for option in command if option.startswith("-XX:SharedArchiveFile="))
    java = find_java()
    assert java is not None
    # With -Xshare:on it refuses an archive that it cannot map; brokers would do without, and start slowly.
    subprocess.run([java, "-XX:+UseSerialGC", "-Xshare:on", shared, "-cp", f"{jars()}/*", "-version"], check=True)


def test_two_that_need_kafka_for_the_first_time_download_it_once(tmp_path: Path) -> None:
    program = "import sys; from tests.kafka.distribution import jars; sys.stdout.write(f'{jars()}')"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = {process.communicate()[0] for process in both}
    (directory,) = (path for path in (tmp_path / "fenliu").iterdir() if path.is_dir())
    assert answers == {str(directory)}
    assert list(directory.glob("kafka_2.13-4.1.1.jar"))
