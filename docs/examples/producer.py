#!/usr/bin/env python3
"""Tell fenliu that an agent came online and that a buyer wrote."""

import asyncio
import json
import os
import time
import uuid

from aiokafka import AIOKafkaProducer

SERVERS = os.environ.get("FENLIU_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
PREFIX = os.environ.get("FENLIU_TOPIC_PREFIX", "")


async def publish(producer: AIOKafkaProducer, topic: str, **event: object) -> None:
    """Send one event. The key is the shop; with the chat system's own id a message sent twice is answered once."""
    event = {"event_id": str(uuid.uuid4()), "occurred_at_ms": time.time_ns() // 1_000_000, **event}
    value = json.dumps(event, ensure_ascii=False).encode()
    await producer.send_and_wait(PREFIX + topic, value, key=str(event["shop_id"]).encode())


async def main() -> None:
    """An agent comes, a buyer writes."""
    async with AIOKafkaProducer(bootstrap_servers=SERVERS, enable_idempotence=True) as producer:
        here = {"type": "agent_status", "shop_id": "shop-1", "agent_id": "小丽", "status": "online"}
        await publish(producer, "agent-status", **here)
        wrote = {"type": "buyer_message", "shop_id": "shop-1", "buyer_id": "buyer-1", "order_state": "paid"}
        await publish(producer, "buyer-messages", **wrote)


asyncio.run(main())
