#!/usr/bin/env python3
"""Write what the input topics hold of one shop, as lines for `fenliu replay`: export.py SHOP > events.jsonl."""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer, ConsumerRecord

SERVERS = os.environ.get("FENLIU_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
PREFIX = os.environ.get("FENLIU_TOPIC_PREFIX", "")
TOPICS = [PREFIX + name for name in ("shop-configs", "agent-status", "agent-replies", "buyer-messages")]


def line(record: ConsumerRecord, shop_id: str) -> str:
    """The event, with what only the record knows: a line of a file has no timestamp and no null value."""
    event = json.loads(record.value or b"{}")
    if record.value is None:
        event = {"type": "shop_config", "shop_id": shop_id, "reset": True}
    if event.get("occurred_at_ms") is None:
        event["occurred_at_ms"] = record.timestamp
    return json.dumps(event, ensure_ascii=False) + "\n"


async def main(shop_id: str) -> None:
    """Read every topic from its beginning to where it ends now."""
    async with AIOKafkaConsumer(*TOPICS, bootstrap_servers=SERVERS, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == shop_id.encode():
                        try:
                            sys.stdout.write(line(record, shop_id))
                        except (ValueError, AttributeError):  # it is among the dead letters
                            sys.stderr.write(f"{record.topic}/{record.partition}/{record.offset} is no JSON object\n")


asyncio.run(main(sys.argv[1]))
