"""One record of the traffic, as it goes to a topic of Kafka or to a line of a file."""

from typing import NamedTuple

from schemas.codec import Topic


class Record(NamedTuple):
    """One record; records compare by time, then by shop.

    Args:
        at_ms: when it happened, in event time.
        shop: the shop's number in this simulation.
        topic: one of the four inputs, without a prefix.
        key: the record key.
        value: the JSON document without a line's end; None only among bad records for Kafka.
        spoiled: it is bad on purpose.
        misrouted: it goes to another partition than its key's, on purpose.
    """

    at_ms: int
    shop: int
    topic: Topic
    key: bytes
    value: bytes | None
    spoiled: bool = False
    misrouted: bool = False
