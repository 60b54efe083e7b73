"""The trace of a message (W3C Trace Context), carried from its record to the record of its assignment."""

from collections.abc import Iterable

from streams.dead_letters import Header

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

MAX_BYTES = 1024
"""A longer value is not carried: twice what the recommendation asks for. Whoever writes inputs must not be able to make
a transaction large by it."""


def trace_of(headers: Iterable[Header]) -> list[Header]:
    """The headers of a record that say which trace it belongs to: `traceparent`, and `tracestate` beside it.

    Of several of one name the first counts. Without a usable `traceparent` there are none.
    """
    found: dict[str, bytes] = {}
    for name, value in headers:
        if name in {TRACEPARENT, TRACESTATE} and value and len(value) <= MAX_BYTES:
            found.setdefault(name, value)
    if TRACEPARENT not in found:
        return []
    return [(name, found[name]) for name in (TRACEPARENT, TRACESTATE) if name in found]
