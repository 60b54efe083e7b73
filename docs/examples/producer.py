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
HERE = {"type": "agent_status", "agent_id": "小丽", "status": "online"}
WROTE = {"type": "buyer_message", "buyer_id": "buyer-1", "order_state": "paid"}


async def main() -> None:
    async with AIOKafkaProducer(bootstrap_servers=SERVERS, enable_idempotence=True) as producer:
        for topic, event in (("agent-status", HERE), ("buyer-messages", WROTE)):
            # With the chat system's own id a message that is sent twice is answered once. The key is the shop.
            event |= {"event_id": str(uuid.uuid4()), "shop_id": "shop-1", "occurred_at_ms": time.time_ns() // 10**6}
            await producer.send_and_wait(PREFIX + topic, json.dumps(event).encode(), key=b"shop-1")


asyncio.run(main())
