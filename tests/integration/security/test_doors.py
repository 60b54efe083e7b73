"""Each way to connect: a worker routes, the commands work, whoever is turned away reads why, and no secret is told."""

import asyncio
import json
import time
import urllib.request
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from streams.access import EXAMPLE_GROUP, Role
from streams.settings import Settings
from tests.integration.running import WITHIN_S, Worker, produce
from tests.integration.security.tenant import Tenant
from tests.integration.traffic import SHOPS, message, status
from tests.kafka.secured import DOORS, Door

pytestmark = pytest.mark.kafka

ROLES: tuple[Role, ...] = ("administrator", "worker", "producer", "consumer", "operator")
PARTITIONS = "2"
MESSAGES = 5


def prepare(tenant: Tenant, *roles: Role) -> None:
    """Grant what the roles need, and let the administrator make the topics."""
    for role in roles:
        tenant.grant(role)
    made = tenant.fenliu("administrator", "topics", "create", "--partitions", PARTITIONS, "--replication", "1")
    assert made.exit_code == 0, made.output


async def publish(settings: Settings) -> None:
    """An agent comes, buyers write."""
    now_ms = int(time.time() * 1000)
    messages = [message(SHOPS[0], f"m{number}", now_ms, f"b{number}") for number in range(MESSAGES)]
    await produce(settings, [status(SHOPS[0], "agent-1", now_ms - 1000), *messages])


async def read_as_in_the_example(settings: Settings, worker: Worker) -> list[dict[str, object]]:
    """Assignments, in a group, with commits: what docs/examples/consumer.py does."""
    consumer = AIOKafkaConsumer(
        settings.topic("assignments"),
        settings.topic("agent-presence"),
        **settings.kafka_client_kwargs(),
        group_id=EXAMPLE_GROUP,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    found: list[dict[str, object]] = []
    async with consumer, asyncio.timeout(WITHIN_S):
        while len(found) < MESSAGES:
            worker.check_alive()
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [json.loads(each.value) for each in records if each.topic == settings.topic("assignments")]
        await consumer.commit()
    return found


# By SCRAM-SHA-512 over TLS a whole day's work is done in test_rights.py.
@pytest.mark.parametrize("door", [door for door in DOORS if door != "SCRAM-SHA-512"])
def test_every_role_does_its_work_with_the_rights_that_are_listed(tenant: Tenant, tmp_path: Path, door: Door) -> None:
    tenant.door = door
    prepare(tenant, *ROLES)
    variables = tenant.environment("worker", FENLIU_LOG_LEVEL="debug")
    with Worker(variables, log=tmp_path / "worker.log") as worker:
        asyncio.run(publish(tenant.settings("producer")))
        assigned = asyncio.run(read_as_in_the_example(tenant.settings("consumer"), worker))
        with urllib.request.urlopen(f"http://127.0.0.1:{variables['FENLIU_HTTP_PORT']}/info") as answer:
            told = answer.read().decode()
        checked = tenant.fenliu("worker", "check")
        assert worker.stop() == 0
    assert {each["rule"] for each in assigned} == {"group_share"}
    assert checked.exit_code == 0, checked.output
    compared = tenant.fenliu("administrator", "topics", "check")
    assert compared.exit_code == 0, compared.output
    tailed = tenant.fenliu("operator", "tail", "--since", "10m", "--no-follow", "--json")
    assert tailed.exit_code == 0, tailed.output
    assert len(tailed.stdout.splitlines()) == MESSAGES
    for output in (worker.log(), told, checked.output, compared.output, tailed.output):
        assert tenant.secrets_in(output) == []


# Turned away


def test_a_wrong_password_is_said_and_not_told(tenant: Tenant, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("hush-wrong-password\n", encoding="utf-8")
    refused = tenant.fenliu("worker", "check", FENLIU_KAFKA_SASL_PASSWORD_FILE=str(wrong))
    assert refused.exit_code == 75
    assert "the broker knows no such user with this password" in refused.output
    assert "FENLIU_KAFKA_SASL_USERNAME" in refused.output
    assert "hush" not in refused.output


def test_a_broker_that_is_not_trusted_gets_no_password(tenant: Tenant) -> None:
    refused = tenant.fenliu("worker", "topics", "check", FENLIU_KAFKA_SSL_CAFILE="")
    assert refused.exit_code == 75
    assert "certificate is not trusted" in refused.output
    assert "FENLIU_KAFKA_SSL_CAFILE" in refused.output


def test_without_a_certificate_nobody_comes_in_where_one_is_asked_for(tenant: Tenant) -> None:
    tenant.door = "MTLS"
    without = {"FENLIU_KAFKA_SSL_CERTFILE": "", "FENLIU_KAFKA_SSL_KEYFILE": ""}
    refused = tenant.fenliu("worker", "topics", "check", **without)
    assert refused.exit_code == 75
    assert "hangs up when it is spoken to in SSL" in refused.output
    assert "FENLIU_KAFKA_SSL_CERTFILE" in refused.output


def test_another_protocol_than_the_listener_s_is_said(tenant: Tenant) -> None:
    """Catches: a reason that is empty, as OpenSSL's is when the other side does not speak TLS."""
    tenant.door = "TLS"
    plaintext = {"FENLIU_KAFKA_BOOTSTRAP_SERVERS": tenant.secured.cluster.bootstrap_servers}
    for more in (plaintext, {"FENLIU_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}):
        refused = tenant.fenliu("worker", "topics", "check", **more)
        assert refused.exit_code == 75
        assert "hangs up when it is spoken to in" in refused.output
        assert "set FENLIU_KAFKA_SECURITY_PROTOCOL" in refused.output
        assert '": )' not in refused.output


def test_a_password_in_the_clear_is_refused_before_anybody_is_asked(tenant: Tenant) -> None:
    tenant.door = "SASL_PLAINTEXT"
    refused = tenant.fenliu("worker", "check", FENLIU_ALLOW_PLAINTEXT_SASL="")
    assert refused.exit_code == 2
    assert "sends the password unencrypted" in refused.output
