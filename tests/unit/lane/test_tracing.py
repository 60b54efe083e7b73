"""The trace of a message stands on its assignment."""

import pytest

from streams.dead_letters import Header
from streams.lane.tracing import MAX_BYTES, trace_of

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("headers", "carried"),
    [
        ([], []),
        ([("other", b"1")], []),
        ([("traceparent", PARENT)], [("traceparent", PARENT)]),
        (
            [("tracestate", b"a=1"), ("x", None), ("traceparent", PARENT), ("tracestate", b"b=2")],
            [("traceparent", PARENT), ("tracestate", b"a=1")],
        ),
        ([("tracestate", b"a=1")], []),
        ([("traceparent", None)], []),
        ([("traceparent", b"")], []),
        ([("traceparent", b"x" * (MAX_BYTES + 1))], []),
        ([("traceparent", PARENT), ("tracestate", b"x" * (MAX_BYTES + 1))], [("traceparent", PARENT)]),
    ],
)
def test_what_is_carried(headers: list[Header], carried: list[Header]) -> None:
    assert trace_of(headers) == carried
