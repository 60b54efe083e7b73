"""Dead letters that are looked at and sent back: each once, in order, whatever happens on the way."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from schemas.errors import Code, InvalidEvent
from streams.dead_letters import dead_letter
from streams.errors import FencedError
from streams.partitioner import partition_of
from streams.redrive.letters import Selection
from streams.redrive.run import fenced_in_words, redrive, send_back
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import REPOSITORY, WITHIN_S, Worker, consume, produce, total, values
from tests.integration.test_commands import fenliu, told
from tests.integration.traffic import SHOPS, Record, config, message, status
from tests.unit.lane.records import Consumed

pytestmark = pytest.mark.broker

SHOP = SHOPS[0]
HOME = partition_of(SHOP.encode(), PARTITIONS)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Commands set up the logs of the process, which here is that of the tests."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


async def refuse(
    settings: Settings, records: Sequence[Record], code: Code = "wrong_partition", *, came_to: int | None = None
) -> None:
    """Put letters of these records into the topic, as a worker does in a transaction."""
    producer = AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-0")
    async with producer, producer.transaction():
        for offset, each in enumerate(records):
            partition = partition_of(each.key, PARTITIONS) if came_to is None else came_to
            record = Consumed(
                offset,
                each.value,
                key=each.key,
                topic=settings.topic(each.topic),
                partition=partition,
                headers=[("traceparent", b"t")],
            )
            letter = dead_letter(record, InvalidEvent(code, "a detail"))
            await producer.send(
                settings.topic("dead-letters"),
                letter.value,
                key=letter.key,
                partition=partition,
                headers=letter.headers,
            )


def messages(count: int) -> list[Record]:
    now_ms = int(time.time() * 1000)
    return [message(SHOPS[number % 5], f"m{number}", now_ms, f"b{number}") for number in range(count)]


async def arrived(settings: Settings) -> dict[str, list[str]]:
    """The ids of the messages that are in the input topic now, by shop, in order."""
    found = defaultdict(list)
    for records in (await consume(settings, ["buyer-messages"], lambda _: True))["buyer-messages"].values():
        for each in records:
            found[each.key.decode()].append(orjson.loads(each.value)["event_id"])
    return dict(found)


def by_shop(records: Sequence[Record]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for each in records:
        found[each.key.decode()].append(orjson.loads(each.value or b"")["event_id"])
    return dict(found)


def lines(result: Any) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in result.stdout_bytes.splitlines()]


async def command(*arguments: str, stdin: str | None = None) -> Any:
    """A command in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(fenliu, *arguments, stdin=stdin)


async def test_they_are_counted_shown_and_sent_back_once(cluster_settings: Settings) -> None:
    records = messages(12)
    await refuse(cluster_settings, records)
    await refuse(cluster_settings, [Record("agent-status", SHOP.encode(), b"{")], "not_json")

    counted = told(await command("dlq", "ls", "--json"))
    assert isinstance(counted, dict)
    assert (counted["letters"], counted["open"], counted["others"]) == (13, 13, 0)
    assert [(each["code"], each["topic"], each["open"]) for each in counted["groups"]] == [
        ("wrong_partition", "buyer-messages", 12),
        ("not_json", "agent-status", 1),
    ]
    shown = lines(await command("dlq", "show", "--json", "--code", "not_json"))
    assert [(each["topic"], each["partition"], each["key"], each["sent"]) for each in shown] == [
        ("agent-status", HOME, SHOP, False)
    ]
    assert "value" not in shown[0]
    assert lines(await command("dlq", "show", "--json", "--payload", shown[0]["id"]))[0]["value"] == "{"

    dry = await command("dlq", "redrive", "--dry-run", "--json", "--all")
    assert dry.exit_code == 1  # one would be refused again
    assert len(told(dry)["sent"]) == 12  # type: ignore[index]
    assert await arrived(cluster_settings) == {}

    sent = await command("dlq", "redrive", "--code", "wrong_partition")
    assert (sent.exit_code, sent.stdout) == (0, "12 sent back\n")
    assert "fenliu: 12 of 12 letters done" in sent.stderr
    assert await arrived(cluster_settings) == by_shop(records)

    again = await command("dlq", "redrive", "--code", "wrong_partition")
    assert (again.exit_code, again.stdout) == (0, "0 sent back\n12 left out: sent back before\n")
    everything = await command("dlq", "redrive", "--all")
    assert everything.exit_code == 1
    assert "1 left out: would be refused again" in everything.stdout
    assert await arrived(cluster_settings) == by_shop(records)
    assert told(await command("dlq", "ls", "--json"))["open"] == 1  # type: ignore[index]
    assert [each["code"] for each in lines(await command("dlq", "show", "--json"))] == ["not_json"]
    assert [each["sent"] for each in lines(await command("dlq", "show", "--json", "--sent"))].count(True) == 12


async def test_what_is_sent_is_as_it_came_and_names_its_letter(cluster_settings: Settings) -> None:
    (record,) = messages(1)
    await refuse(cluster_settings, [record], came_to=(partition_of(record.key, PARTITIONS) + 1) % PARTITIONS)
    outcome = await redrive(cluster_settings, Selection())
    (sent,) = outcome.sent
    seen = await consume(cluster_settings, ["buyer-messages"], lambda found: total(found) == 1)
    ((partition, (there,)),) = [(number, some) for number, some in seen["buyer-messages"].items() if some]
    assert (partition, there.key, there.value) == (partition_of(record.key, PARTITIONS), record.key, record.value)
    assert there.headers == (("traceparent", b"t"), ("fenliu.redrive.of", str(sent.letter).encode()))


async def test_gaps_are_filled_later(cluster_settings: Settings) -> None:
    records = messages(9)
    for number, each in enumerate(records):
        await refuse(cluster_settings, [each], "schema" if number % 2 else "wrong_partition")
    assert len((await redrive(cluster_settings, Selection(codes=frozenset({"schema"})))).sent) == 4
    assert len((await redrive(cluster_settings, Selection())).sent) == 5
    assert (await redrive(cluster_settings, Selection())).sent == []
    assert {each for shop in (await arrived(cluster_settings)).values() for each in shop} == {
        f"m{number}" for number in range(9)
    }


async def test_mended_ones_are_sent_in_their_place(cluster_settings: Settings, tmp_path: Path) -> None:
    bad, worse = (Record("buyer-messages", SHOP.encode(), value) for value in (b'{"type":"buyer_message"}', b"\xff"))
    await refuse(cluster_settings, [bad, worse], "schema")
    shown = lines(await command("dlq", "show", "--json", "--payload"))
    good = message(SHOP, "m1", int(time.time() * 1000))
    shown[0]["event"] = orjson.loads(good.value or b"")
    file = tmp_path / "mended.jsonl"

    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in shown))
    refused = await command("dlq", "redrive", "--from", str(file))
    assert refused.exit_code == 1
    assert f"line 2, {shown[1]['id']}: not_utf8" in refused.stderr
    assert await arrived(cluster_settings) == {}

    file.write_bytes(orjson.dumps(shown[0]))
    sent = await command("dlq", "redrive", "--from", str(file), "--json")
    assert sent.exit_code == 0
    assert [(each["id"], each["mended"]) for each in told(sent)["sent"]] == [(shown[0]["id"], True)]  # type: ignore[index]
    again = await command("dlq", "redrive", "--from", "-", stdin=file.read_text(encoding="utf-8"))
    assert again.stdout.startswith("0 sent back\n")
    assert await arrived(cluster_settings) == {SHOP: ["m1"]}


async def test_wrong_use_is_told(cluster_settings: Settings) -> None:
    await refuse(cluster_settings, messages(1))
    nothing_named = await command("dlq", "redrive")
    assert nothing_named.exit_code == 2
    assert "say which letters" in nothing_named.stderr
    missing = await command("dlq", "redrive", "0:77777")
    assert missing.exit_code == 2
    assert "no such letter: 0:77777" in missing.stderr
    assert (await command("dlq", "redrive", "--from", "/nowhere")).exit_code == 2
    assert (await command("dlq", "show", "x")).exit_code == 2
    assert (await command("dlq", "ls", "--since", "yesterday")).exit_code == 2
    assert await arrived(cluster_settings) == {}


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_one_that_is_killed_in_the_middle_is_finished_by_the_next(
    cluster_settings: Settings, environment: dict[str, str], point: str
) -> None:
    records = messages(35)
    await refuse(cluster_settings, records)
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.integration.faulty_redrive", point, "2", "--all"],
        env={**os.environ, **environment},
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        timeout=WITHIN_S,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    next_one = await redrive(cluster_settings, Selection())
    assert len(next_one.sent) == (25 if point == "before_commit" else 15)
    assert (await redrive(cluster_settings, Selection())).sent == []
    assert await arrived(cluster_settings) == by_shop(records)


async def test_of_two_at_a_time_the_later_sends(cluster_settings: Settings) -> None:
    records = messages(10)
    await refuse(cluster_settings, records)
    halfway, go_on = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(_redrive_stopped_before_commit(cluster_settings, halfway, go_on))
    await halfway.wait()
    second = await redrive(cluster_settings, Selection())
    go_on.set()
    with pytest.raises(FencedError):
        await first
    assert len(second.sent) == 10
    assert await arrived(cluster_settings) == by_shop(records)


async def test_old_settings_do_not_replace_newer_ones_unless_the_shop_is_named(
    cluster_settings: Settings, tmp_path: Path
) -> None:
    """Catches: settings of half past two, mended, in the place of those of three."""
    now_ms = int(time.time() * 1000)
    old, newer = config(SHOP, now_ms, busy_threshold=2), config(SHOP, now_ms, busy_threshold=7)
    await produce(cluster_settings, [Record("shop-configs", SHOP.encode(), b"{}")])
    await refuse(cluster_settings, [Record("shop-configs", SHOP.encode(), b"{}")], "schema")
    file = tmp_path / "mended.jsonl"
    file.write_bytes(orjson.dumps({"id": f"{HOME}:0", "value": (old.value or b"").decode()}))
    dry = told(await command("dlq", "redrive", "--from", str(file), "--dry-run", "--json"))
    assert isinstance(dry, dict)
    assert len(dry["sent"]) == 1

    await produce(cluster_settings, [newer])
    await produce(cluster_settings, [Record("shop-configs", SHOP.encode(), b"{")])  # it is refused: `newer` is in force
    refusal = await command("dlq", "redrive", "--from", str(file), "--json")
    assert refusal.exit_code == 1
    (left_out,) = orjson.loads(refusal.stdout_bytes)["left_out"]
    assert left_out["reason"] == "newer_settings"
    assert f"--replace-newer {SHOP}" in left_out["detail"]
    assert orjson.loads(refusal.stdout_bytes)["sent"] == []
    other = await command("dlq", "redrive", "--from", str(file), "--replace-newer", "another-shop")
    assert other.exit_code == 1

    forced = await command("dlq", "redrive", "--from", str(file), "--replace-newer", SHOP)
    assert forced.exit_code == 0, forced.output
    seen = await consume(cluster_settings, ["shop-configs"], lambda seen: total(seen) == 4)
    assert orjson.loads(values(seen, "shop-configs")[HOME][-1])["busy_threshold"] == 2


async def _redrive_stopped_before_commit(settings: Settings, halfway: asyncio.Event, go_on: asyncio.Event) -> None:
    """One whose transaction is open while another comes; it runs the product's own steps."""
    producer = AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-redrive")

    class Slow:
        """The producer, with a pause where a process may stand still."""

        def __getattr__(self, name: str) -> Any:
            return getattr(producer, name)

        async def commit_transaction(self) -> None:
            halfway.set()
            await go_on.wait()
            await producer.commit_transaction()

    async with producer:
        with fenced_in_words():
            await send_back(settings, Selection(), None, Slow(), lambda _done, _of: None)


async def test_from_refused_to_assigned(
    cluster_settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    now_ms = int(time.time() * 1000)
    elsewhere = (HOME + 1) % PARTITIONS
    with Worker(environment, log=tmp_path / "worker.log") as worker:
        await produce(cluster_settings, [config(SHOP, now_ms, agents=[{"agent_id": "a"}]), status(SHOP, "a", now_ms)])
        await produce(cluster_settings, [message(SHOP, "m1", now_ms)], partition=elsewhere)
        await consume(cluster_settings, ["dead-letters"], lambda seen: total(seen) == 1, worker=worker)
        assert (await command("dlq", "redrive", "--code", "wrong_partition", "--since", "1h")).exit_code == 0
        seen = await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        assert orjson.loads(values(seen, "assignments")[HOME][0])["message_id"] == "m1"
        assert worker.stop() == 0
    tail = await command("tail", "dead-letters", "--since", "1h", "--no-follow", "--json")
    assert [each["headers"]["fenliu.error"] for each in lines(tail)] == ["wrong_partition"]
