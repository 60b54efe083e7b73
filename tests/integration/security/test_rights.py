"""The rights that are listed for each role are enough, none of them is idle, and one less fails and is named."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from click.testing import Result

from streams.access import EXAMPLE_GROUP, ROLES, Right, Role
from streams.checks import check_access
from streams.errors import ClusterError, ExitCode
from streams.settings import Settings
from streams.topics import check_topics, create, require_topics
from tests.faults.selection import long_run
from tests.integration.running import WITHIN_S, Worker, consume, produce, total
from tests.integration.security.tenant import Tenant
from tests.integration.traffic import SHOPS, Record, message, record, status
from tests.kafka.acls import grant, revoke

pytestmark = pytest.mark.kafka

SHOP = SHOPS[0]
INPUTS = ("buyer-messages", "agent-status", "agent-replies", "shop-configs")


def now_ms() -> int:
    return int(time.time() * 1000)


def done(result: Result) -> str:
    """What a command wrote, if it did its work."""
    assert result.exit_code == ExitCode.DONE, result.output
    return result.stdout


@pytest.fixture
def made(tenant: Tenant) -> Tenant:
    """With its topics; nobody but the administrator may do anything yet."""
    tenant.grant("administrator")
    done(tenant.fenliu("administrator", "topics", "create", "--partitions", "1", "--replication", "1"))
    return tenant


# Enough, and none idle


def good_events() -> dict[str, dict[str, object]]:
    """A good event for each input, by topic."""
    envelope = {"event_id": "again", "shop_id": SHOP, "occurred_at_ms": now_ms()}
    return {
        "buyer-messages": {"type": "buyer_message", "buyer_id": "buyer-9", **envelope},
        "agent-status": {"type": "agent_status", "agent_id": "agent-9", "status": "online", **envelope},
        "agent-replies": {"type": "agent_reply", "agent_id": "agent-1", "buyer_id": "b0", **envelope},
        "shop-configs": {"type": "shop_config", "busy_threshold": 9, **envelope},
    }


async def publish(tenant: Tenant) -> None:
    """Good events and, by each role to its own topics, a record that will be refused."""
    good = good_events()
    events = [status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms(), "b0")]
    events += [record("agent-replies", good["agent-replies"])]
    events += [Record(topic, SHOP.encode(), b"{") for topic in ("buyer-messages", "agent-status", "agent-replies")]
    await produce(tenant.settings("producer"), events)
    await produce(tenant.settings("settings"), [Record("shop-configs", SHOP.encode(), b"{")])


async def read_in_group(settings: Settings, topics: Iterable[str]) -> None:
    """Take the first record, and commit."""
    consumer = AIOKafkaConsumer(
        *map(settings.topic, topics),
        **settings.kafka_client_kwargs(),
        group_id=EXAMPLE_GROUP,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with asyncio.timeout(WITHIN_S):
        try:
            await consumer.start()
            await consumer.getone()
            await consumer.commit()
        finally:
            await consumer.stop()


async def until_ready(settings: Settings, worker: Worker) -> None:
    """Wait until its partitions are restored."""
    url = f"http://127.0.0.1:{settings.http_port}/readyz"
    async with aiohttp.ClientSession() as session, asyncio.timeout(WITHIN_S):
        while True:
            worker.check_alive()
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


def test_the_rights_of_each_role_are_enough_and_all_of_them_are_used(tenant: Tenant, tmp_path: Path) -> None:
    for role in ROLES:
        tenant.grant(role)
    done(tenant.fenliu("administrator", "topics", "create", "--partitions", "1", "--replication", "1"))
    done(tenant.fenliu("administrator", "topics", "check"))
    shops = tmp_path / "shops.yaml"
    shops.write_text(f"- shop_id: {SHOP}\n  busy_threshold: 5\n", encoding="utf-8")
    done(tenant.fenliu("settings", "config", "push", str(shops)))
    done(tenant.fenliu("settings", "config", "get", SHOP))
    asyncio.run(publish(tenant))

    variables = tenant.environment("worker", FENLIU_LOG_LEVEL="debug")
    with Worker(variables, log=tmp_path / "worker.log") as worker:
        letters = consume(tenant.settings("operator"), ["dead-letters"], lambda seen: total(seen) == 4, worker=worker)
        asyncio.run(letters)
        asyncio.run(read_in_group(tenant.settings("consumer"), ["assignments"]))
        asyncio.run(read_in_group(tenant.settings("consumer"), ["agent-presence"]))
        outputs = [done(tenant.fenliu("worker", "check"))]
        assert worker.stop() == 0
        worker.start()  # it restores what the first one wrote
        port = {"http_port": int(variables["FENLIU_HTTP_PORT"])}
        asyncio.run(until_ready(tenant.settings("worker").model_copy(update=port), worker))
        assert worker.stop() == 0
    outputs.append(worker.log())
    outputs.append(done(tenant.fenliu("worker", "state", "verify")))
    outputs.append(done(tenant.fenliu("worker", "state", "rebuild", "--from-inputs")))
    outputs.append(done(tenant.fenliu("worker", "state", "verify")))

    outputs += [
        done(tenant.fenliu("operator", "tail", what, "--since", "10m", "--no-follow"))
        for what in ("assignments", "presence", "dead-letters")
    ]
    assert all(outputs)
    shown = [json.loads(line) for line in done(tenant.fenliu("operator", "dlq", "show", "--json")).splitlines()]
    mended = tmp_path / "mended.jsonl"
    lines = [json.dumps({"id": each["id"], "event": good_events()[input_of(tenant, each)]}) for each in shown]
    mended.write_text("\n".join(lines), encoding="utf-8")
    sent = json.loads(done(tenant.fenliu("redrive", "dlq", "redrive", "--from", str(mended), "--json")))
    assert len(sent["sent"]) == len(INPUTS)
    assert [tenant.secrets_in(output) for output in outputs] == [[]] * len(outputs)

    for role in ROLES:
        asked = tenant.audit(role)
        assert {each for each in asked if each[0] == "Denied"} == set(), role
        # The controller creates topics, and writes no audit of that.
        idle = [right for right in tenant.rights(role) if right.operation != "Create" and not used(right, asked)]
        assert list(map(str, idle)) == [], role


def input_of(tenant: Tenant, letter: dict[str, Any]) -> str:
    return str(letter["topic"]).removeprefix(f"{tenant.name}-")


def used(right: Right, asked: set[tuple[str, str, str, str]]) -> bool:
    """Whether the broker was asked for just this. Describe, which others imply, counts where it is listed."""
    return any(
        operation.replace("_", "") == right.operation.upper()
        and resource == right.resource
        and (name == right.name or (right.pattern == "prefixed" and name.startswith(right.name)))
        for _, operation, resource, name in asked
    )


# One less


async def one_less(tenant: Tenant, role: Role, try_it: Callable[[Right], Any]) -> None:
    """Take each right of a role away, one after the other; `try_it` must find that it is missing."""
    principal = tenant.secured.principal(tenant.door, role)
    async with tenant.secured.administrator() as admin:
        for right in tenant.rights(role):
            await revoke(admin, principal, [right])
            await try_it(right)
            await grant(admin, principal, [right])


def test_each_right_that_a_worker_lacks_is_named_before_it_joins(made: Tenant) -> None:
    made.grant("worker")
    settings = made.settings("worker")

    async def boot(lacking: Right) -> None:
        found = await check_access(settings)
        # Of a topic that cannot be seen any more, nothing else is told either.
        assert lacking._asdict() in found.told["missing"]
        assert {right["name"] for right in found.told["missing"]} == {lacking.name}
        assert str(lacking) in found.findings[0].what
        assert f"--operation {lacking.operation}" in found.findings[0].mend
        assert lacking.name in found.findings[0].mend
        if lacking.operation == "DescribeConfigs":
            (unknown,) = await check_topics(settings)
            assert (unknown.kind, unknown.topic) == ("unknown", lacking.name)
            assert "DescribeConfigs" in unknown.mend
        else:
            with pytest.raises(ClusterError) as refused:
                await require_topics(settings)
            assert str(lacking) in str(refused.value)

    asyncio.run(one_less(made, "worker", boot))


SOME = ("Read on topic NAME-agent-replies", "Read on group app-NAME")
"""Two take a few seconds. What is missed by them, Write and the transactional ids, has tests of its own below."""


@pytest.mark.parametrize("which", [SOME, pytest.param((), marks=long_run)], ids=["some", "all"])
def test_a_worker_without_a_right_ends_and_names_it(made: Tenant, tmp_path: Path, which: tuple[str, ...]) -> None:
    made.grant("worker")
    wanted = [text.replace("NAME", made.name) for text in which]
    tried = 0
    for right in made.rights("worker"):
        if right.operation == "DescribeConfigs" or (wanted and str(right) not in wanted):
            continue
        tried += 1
        with made.without("worker", right), Worker(made.environment("worker"), log=tmp_path / f"{tried}.log") as worker:
            assert worker.wait() == ExitCode.CLUSTER
            assert str(right) in worker.log()
            assert "kafka-acls.sh" in worker.log()
    assert tried == len(wanted) or not wanted


def test_a_right_that_is_taken_away_while_it_routes_ends_a_worker(made: Tenant, tmp_path: Path) -> None:
    made.grant("worker")
    made.grant("producer")
    made.grant("operator")
    events = [status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms())]
    with Worker(made.environment("worker"), log=tmp_path / "worker.log") as worker:
        asyncio.run(produce(made.settings("producer"), events))
        routed = consume(made.settings("operator"), ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        asyncio.run(routed)
        topic = made.settings("worker").topic("assignments")
        made.revoke("worker", [Right("Topic", "literal", topic, "Write")])
        asyncio.run(produce(made.settings("producer"), [message(SHOP, "m2", now_ms())]))
        assert worker.wait() == ExitCode.CLUSTER
    assert "do not allow this user to read or write a topic" in worker.log()
    assert topic in worker.log()
    assert "what a worker lacks, `fenliu check` names" in worker.log()


def test_to_see_a_transactional_id_is_not_enough(made: Tenant, tmp_path: Path) -> None:
    """Brokers tell who may write under it only when a worker takes its first partition over."""
    made.grant("worker")
    (write,) = [right for right in made.rights("worker") if right.resource == "TransactionalId"]
    made.grant("worker", [write._replace(operation="Describe")])
    with made.without("worker", write), Worker(made.environment("worker"), log=tmp_path / "worker.log") as worker:
        assert worker.wait() == ExitCode.CLUSTER
    assert "do not allow this user Write on the transactional ids" in worker.log()


def test_a_producer_without_a_right_is_refused_by_the_broker(made: Tenant) -> None:
    made.grant("producer")
    settings = made.settings("producer")

    async def send(lacking: Right) -> None:
        topic = lacking.name.removeprefix(f"{made.name}-")
        with pytest.raises(TopicAuthorizationFailedError, match=lacking.name):
            await produce(settings, [Record(topic, b"shop", b"{}")])  # type: ignore[arg-type]

    asyncio.run(one_less(made, "producer", send))


def test_a_consumer_without_a_right_is_refused_by_the_broker(made: Tenant) -> None:
    made.grant("consumer")
    settings = made.settings("consumer")

    async def read(lacking: Right) -> None:
        error: type[KafkaError] = TopicAuthorizationFailedError
        error = GroupAuthorizationFailedError if lacking.resource == "Group" else error
        with pytest.raises(error, match=lacking.name):
            await read_in_group(settings, ["assignments", "agent-presence"])

    asyncio.run(one_less(made, "consumer", read))


@pytest.mark.parametrize(
    ("role", "commands"),
    [
        ("settings", ["config push FILE", "config get shop-1"]),
        ("operator", ["tail assignments --no-follow", "tail presence --no-follow", "tail dead-letters --no-follow"]),
        ("redrive", ["dlq redrive --all"]),
    ],
)
def test_commands_name_the_right_that_they_lack(made: Tenant, tmp_path: Path, role: Role, commands: list[str]) -> None:
    made.grant(role)
    shops = tmp_path / "shops.yaml"
    shops.write_text("- shop_id: shop-1\n  busy_threshold: 5\n", encoding="utf-8")
    lines = [command.replace("FILE", str(shops)).split() for command in commands]
    for right in made.rights(role):
        with made.without(role, right):
            results = [made.fenliu(role, *line) for line in lines]
        assert [result for result in results if result.exit_code == ExitCode.CLUSTER and str(right) in result.stderr]


def test_an_administrator_without_a_right_is_told_which(tenant: Tenant) -> None:
    tenant.grant("administrator")
    settings = tenant.settings("administrator")
    principal = tenant.secured.principal(tenant.door, "administrator")
    by_operation = {
        operation: [right for right in tenant.rights("administrator") if right.operation == operation]
        for operation in ("Create", "Describe", "DescribeConfigs")
    }

    async def attempts() -> None:
        async with tenant.secured.administrator() as admin:
            missing = by_operation["Create"]
            await revoke(admin, principal, missing)
            while missing:
                with pytest.raises(ClusterError) as refused:
                    await create(settings, partitions=1, replication=1)
                assert [right for right in by_operation["Create"] if str(right) in str(refused.value)] == missing
                await grant(admin, principal, missing[:1])
                missing = missing[1:]
            assert (await create(settings, partitions=1, replication=1)).created.keys() == {
                by_operation["Create"][-1].name
            }
            for right in (*by_operation["Describe"], *by_operation["DescribeConfigs"]):
                await revoke(admin, principal, [right])
                (finding,) = await check_topics(settings)
                assert finding.topic == right.name
                assert right.operation in f"{finding.what} {finding.mend}".replace(",", "").split()
                await grant(admin, principal, [right])

    asyncio.run(attempts())
