"""The counting job on aiokafka alone: the ceiling for Python. No guarantee and no state that outlives the process."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Iterable

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def main() -> None:
    """Run until a signal."""
    servers = os.environ["SERVERS"]
    counts: Counter[str] = Counter()
    consumer = AIOKafkaConsumer(
        os.environ["IN"],
        bootstrap_servers=servers,
        group_id=os.environ["APP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=1 << 20, max_request_size=8 << 20)
    async with consumer, producer:
        while True:
            out: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
            for tp, records in (await consumer.getmany(timeout_ms=200, max_records=5000)).items():
                for record in records:
                    event = orjson.loads(record.value)
                    shop = event["shop_id"]
                    counts[shop] += 1
                    value = orjson.dumps({"message_id": event["event_id"], "shop_id": shop, "n": counts[shop]})
                    out[tp.partition].append((record.key, value))
            for partition, pairs in out.items():
                await _send(producer, partition, pairs)


async def _send(producer: AIOKafkaProducer, partition: int, pairs: Iterable[tuple[bytes, bytes]]) -> None:
    batch = producer.create_batch()
    for key, value in pairs:
        if batch.append(key=key, value=value, timestamp=None) is None:
            await producer.send_batch(batch, os.environ["OUT"], partition=partition)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    await producer.send_batch(batch, os.environ["OUT"], partition=partition)


if __name__ == "__main__":
    asyncio.run(main())
