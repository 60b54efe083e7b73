"""What a group's members say that they read, as far as it can be read."""

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from streams.group import _subscription, foreign_topics
from streams.settings import Settings


def test_a_member_names_its_topics() -> None:
    metadata = ConsumerProtocolMemberMetadata(1, ["agent-status", "p-buyer-messages"], b"anything").encode()
    topics = _subscription(metadata)
    assert topics == ["agent-status", "p-buyer-messages"]
    assert foreign_topics(Settings(topic_prefix="p-"), topics) == ["agent-status"]


@pytest.mark.parametrize("metadata", [b"", b"\x00\x01", b"connect", b"\x00\x00\x00\x00\x00\x09ab"])
def test_a_member_of_another_kind_names_none(metadata: bytes) -> None:
    assert _subscription(metadata) == []
