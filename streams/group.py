"""The consumer group: who is in it, and whether it is used for these topics only."""

import asyncio
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import GroupIdNotFound, NoError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest

from schemas.codec import RANK
from streams.errors import ClusterError
from streams.kafka_clients import administration, patiently
from streams.settings import Settings

_EVICTED_WITHIN_S = 3.0
"""After the end of a member's session, until its coordinator has looked."""
_RETRY_S = 0.5


class Group(NamedTuple):
    """What its coordinator tells of a group."""

    state: str
    members: int
    protocol_type: str
    topics: frozenset[str]
    """That members subscribe to, or for which offsets are committed."""
    committed: dict[TopicPartition, int]
    """Offsets by partition."""


async def describe_group(admin: Any, group: str) -> Group:
    """Ask a group's coordinator.

    aiokafka's own calls do not look at the error of the answer: a coordinator that is not ready has no members and no
    offsets there.

    Args:
        admin: a connected client, as `administration` gives it.
        group: its id.

    Raises:
        KafkaError: what the coordinator answered, if that lasts.
    """
    described = await patiently(lambda: _description(admin, group))
    committed = await patiently(lambda: _committed(admin, group))
    subscribed = {topic for member in described["members"] for topic in _subscription(member["member_metadata"])}
    return Group(
        state=described["state"] or "unknown",
        members=len(described["members"]),
        protocol_type=described["protocol_type"],
        topics=frozenset(subscribed | {tp.topic for tp in committed}),
        committed=committed,
    )


async def _description(admin: Any, group: str) -> dict[str, Any]:
    coordinator = await admin.find_coordinator(group)
    answer = await admin._send_request(DescribeGroupsRequest([group]), coordinator)
    (described,) = answer.to_object()["groups"]
    error = for_code(described["error_code"])
    if error not in (NoError, GroupIdNotFound):
        raise error(f"group {group}")
    return dict(described)


async def _committed(admin: Any, group: str) -> dict[TopicPartition, int]:
    coordinator = await admin.find_coordinator(group)
    answer = (await admin._send_request(OffsetFetchRequest(group, None), coordinator)).to_object()
    committed: dict[TopicPartition, int] = {}
    codes = [answer["error_code"]]
    for topic in answer["topics"]:
        for part in topic["partitions"]:
            codes.append(part["error_code"])
            committed[TopicPartition(topic["topic"], part["partition"])] = part["offset"]
    for error in map(for_code, codes):
        if error not in (NoError, GroupIdNotFound):
            raise error(f"group {group}")
    return committed


async def require_own_group(settings: Settings) -> None:
    """Refuse to join a group that is used for other topics: its transactional ids, too, are made of FENLIU_APP_ID.

    Raises:
        ClusterError: naming the other topics.
        BrokerUnreachableError: if no broker answers.
    """
    async with administration(settings.kafka_client_kwargs()) as admin:
        group = await describe_group(admin, settings.app_id)
    require_own_topics(settings, group.topics)


def require_own_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Refuse a group whose members have these topics, or which has committed offsets of them.

    Raises:
        ClusterError: naming those that are none of this fenliu's inputs.
    """
    others = foreign_topics(settings, topics)
    if others:
        raise ClusterError(
            f"the group {settings.app_id} is used for other topics ({', '.join(others)}): workers of both would take "
            "partitions and transactional ids from one another",
            where="FENLIU_APP_ID",
            mend="give this fenliu an id of its own (FENLIU_APP_ID, then fenliu topics create); or, if only "
            "FENLIU_TOPIC_PREFIX was changed by mistake, set it back",
        )


async def require_no_workers(settings: Settings) -> None:
    """Refuse to write state while somebody routes.

    Workers that were killed, or have a FENLIU_GROUP_INSTANCE_ID and were stopped, stay in the group until their session
    ends: that is waited for.

    Raises:
        ClusterError: if the group still has members then.
        BrokerUnreachableError: if no broker answers.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + settings.session_timeout_s + _EVICTED_WITHIN_S
    async with administration(settings.kafka_client_kwargs()) as admin:
        while True:
            members = (await describe_group(admin, settings.app_id)).members
            if not members:
                return
            if clock() >= deadline:
                raise ClusterError(
                    f"{members} worker{'s are' if members > 1 else ' is'} in the group",
                    where=f"group {settings.app_id}",
                    mend="stop all workers and what starts them again, then run this again",
                )
            await asyncio.sleep(_RETRY_S)


def foreign_topics(settings: Settings, topics: Iterable[str]) -> list[str]:
    """Those that are none of this fenliu's inputs."""
    return sorted(set(topics) - {settings.topic(topic) for topic in RANK})


def _subscription(metadata: bytes) -> list[str]:
    """The topics that a member named when it joined; none if it is no Kafka consumer."""
    try:
        return list(ConsumerProtocolMemberMetadata.decode(metadata).subscription)
    except (ValueError, TypeError, struct.error):
        return []
