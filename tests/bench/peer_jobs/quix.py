"""The counting job on Quix Streams. It runs in an environment of its own and imports nothing of fenliu."""

import os
from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # in another environment


def count(event: dict[str, Any], state: State) -> dict[str, Any]:
    """One output per event."""
    n = state.get("n", 0) + 1
    state.set("n", n)
    return {"message_id": event["event_id"], "shop_id": event["shop_id"], "n": n}


def main() -> None:
    """Run until a signal."""
    app = Application(
        broker_address=os.environ["SERVERS"],
        consumer_group=os.environ["APP"],
        auto_offset_reset="earliest",
        processing_guarantee=os.environ["GUARANTEE"],
        state_dir=os.environ["DATA_DIR"],
        loglevel="WARNING",
    )
    rows = app.dataframe(app.topic(os.environ["IN"], value_deserializer="json", key_deserializer="bytes"))
    rows = rows.apply(count, stateful=True)
    rows.to_topic(app.topic(os.environ["OUT"], value_serializer="json", key_serializer="bytes"))
    app.run()


if __name__ == "__main__":
    main()
