#!/usr/bin/env python3
"""Read who must answer which message, each decision once."""

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer

SERVERS = os.environ.get("FENLIU_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TOPIC = os.environ.get("FENLIU_TOPIC_PREFIX", "") + "assignments"
ONCE = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "earliest"}


async def main() -> None:
    seen: set[str] = set()  # in a real system: a unique column beside what you store
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=SERVERS, group_id="chat-desk", **ONCE) as consumer:
        async for record in consumer:
            assignment = json.loads(record.value)
            if assignment["assignment_id"] not in seen:
                seen.add(assignment["assignment_id"])
                print(assignment["buyer_id"], "->", assignment["target"]["id"], assignment["rule"], flush=True)
            await consumer.commit()


asyncio.run(main())
