"""The counting job on faust-streaming as it comes: a table, an agent, a send for each event."""

import os
import sys
from typing import Any

import faust

app = faust.App(
    os.environ["APP"],
    broker=f"kafka://{os.environ['SERVERS']}",
    datadir=os.environ["DATA_DIR"],
    store="memory://",
    topic_partitions=int(os.environ["PARTITIONS"]),
    topic_disable_leader=True,
    processing_guarantee=os.environ["GUARANTEE"],
    web_enabled=False,
    table_standby_replicas=0,
)
events = app.topic(os.environ["IN"], key_type=bytes, key_serializer="raw", value_serializer="json")
out = app.topic(os.environ["OUT"], key_type=bytes, key_serializer="raw", value_serializer="json")
counts = app.Table("counts", default=int, partitions=int(os.environ["PARTITIONS"]))


@app.agent(events)
async def count(stream: Any) -> None:
    """One output per event."""
    async for event in stream:
        shop = event["shop_id"]
        counts[shop] += 1
        await out.send(key=shop.encode(), value={"message_id": event["event_id"], "shop_id": shop, "n": counts[shop]})


if __name__ == "__main__":
    sys.argv = ["faust", "--datadir", os.environ["DATA_DIR"], "worker", "-l", "error"]
    app.main()
