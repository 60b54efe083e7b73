"""Decisions as bytes: the order of the fields, what is absent, and that consumers read back what was written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from schemas.codec import InvalidEvent, decode_decision, encode
from schemas.decisions import AgentPresence, Assignment, Target
from tests.unit.schemas.strategies import ids
from tests.unit.schemas.test_json_schema import VALIDATORS

ASSIGNMENT = Assignment(
    assignment_id="m-1",
    message_id="m-1",
    shop_id="店铺",
    buyer_id="b",
    target=Target("agent", "小丽"),
    rule="group_share",
    policy="qianniu",
    previous_agent_id=None,
    new_owner=True,
    target_presence="online",
    pending_before=0,
    weight=100,
    candidate_count=3,
    waiting_messages=1,
    late_ms=0,
    trace=[("addressed_agent", "not_addressed"), ("group_share", "taken")],
    occurred_at_ms=1781172000000,
    decided_at_ms=1781172000000,
    config_version="default",
)
PRESENCE = AgentPresence(shop_id="s", agent_id="a", presence="online", since_ms=1, at_ms=2, pending_replies=3)


def test_an_assignment_is_compact_json_in_the_order_of_section_1() -> None:
    assert encode(ASSIGNMENT).decode() == (
        '{"type":"assignment","assignment_id":"m-1","message_id":"m-1","shop_id":"店铺","buyer_id":"b",'
        '"target":{"kind":"agent","id":"小丽"},"rule":"group_share","policy":"qianniu","previous_agent_id":null,'
        '"new_owner":true,"target_presence":"online","pending_before":0,"weight":100,"candidate_count":3,'
        '"waiting_messages":1,"late_ms":0,"trace":[["addressed_agent","not_addressed"],["group_share","taken"]],'
        '"occurred_at_ms":1781172000000,"decided_at_ms":1781172000000,"config_version":"default"}'
    )


def test_fields_that_are_unset_are_absent() -> None:
    assert encode(PRESENCE) == (
        b'{"type":"agent_presence","shop_id":"s","agent_id":"a","presence":"online","since_ms":1,"at_ms":2,'
        b'"pending_replies":3}'
    )


counts = st.integers(0, 2**40)
assignments = st.builds(
    Assignment,
    assignment_id=ids,
    message_id=ids,
    shop_id=ids,
    buyer_id=ids,
    target=st.builds(Target, id=ids),
    rule=ids,
    previous_agent_id=st.none() | ids,
    pending_before=st.none() | counts,
    weight=counts | st.just(UNSET),
    candidate_count=counts | st.just(UNSET),
    push=st.booleans() | st.just(UNSET),
    waiting_messages=st.integers(1, 99),
    late_ms=counts,
    trace=st.lists(st.tuples(ids, st.sampled_from(["taken", "off", "full"])), max_size=3),
    occurred_at_ms=counts,
    decided_at_ms=counts,
    config_version=st.just("default"),
)


@given(assignments)
@settings(deadline=None)
def test_what_is_written_reads_back_and_is_as_the_schema_says(assignment: Assignment) -> None:
    value = encode(assignment)
    assert decode_decision(value) == assignment
    VALIDATORS["assignment"].validate(json.loads(value))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (b"[]", "$"),
        (b'{"type":"buyer_message"}', "$.type"),
        (b'{"type":[]}', "$.type"),
        (encode(PRESENCE).replace(b"online", b"asleep"), "$.presence"),
        (encode(PRESENCE).replace(b"}", b',"lag_ms":null}'), "$.lag_ms"),
        (encode(ASSIGNMENT).replace(b'"kind":"agent",', b""), "$.target.kind"),
        (encode(ASSIGNMENT).replace(b',"taken"]', b',"lost"]'), "$.trace[1][1]"),
        (encode(ASSIGNMENT).replace(b',"taken"]', b"]"), "$.trace[1]"),
        (encode(ASSIGNMENT).replace(b'"pending_before":0', b'"pending_before":-1'), "$.pending_before"),
    ],
)
def test_a_consumer_is_told_what_is_no_decision(value: bytes, path: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode_decision(value)
    assert (caught.value.code, caught.value.path) == ("schema", path)
