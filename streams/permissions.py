"""What this user may do on the cluster, by the brokers' own word, and how a missing right is told.

Brokers tell the operations that they allow (KIP-430) for topics and groups. They tell them of what can be seen only, so
a topic that is not visible is told from one that is not there by asking for it by name, which creates nothing.
"""

import logging
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from aiokafka.errors import GroupIdNotFound, IncompatibleBrokerVersion, NoError, for_code
from aiokafka.protocol.coordination import FindCoordinatorRequest

from streams.access import Operation, Right, commands
from streams.authorized_operations import GroupAllowed, TopicsAllowed
from streams.errors import ClusterError
from streams.kafka_clients import administration, patiently
from streams.settings import Settings
from streams.topic_findings import Problem

log = logging.getLogger(__name__)

_NOT_VISIBLE = 29  # TOPIC_AUTHORIZATION_FAILED
_GROUP_FORBIDDEN = 30
_TRANSACTIONAL_ID_FORBIDDEN = 53
_COORDINATES_GROUPS, _COORDINATES_TRANSACTIONS = 0, 1
_BIT: dict[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
"""Kafka's numbers of the operations: bits of what brokers tell."""
_NOT_TOLD = -(1 << 31)


async def lacking(admin: Any, wanted: Iterable[Right]) -> list[Right]:
    """Those of the rights that this user has not, in their order.

    What the brokers do not tell counts as allowed: operations on topics that are not there, and of a transactional id
    anything beyond seeing it. Brokers older than Kafka 2.3 tell nothing.

    Args:
        admin: a connected AIOKafkaAdminClient.
        wanted: literal rights of topics and groups, and rights of transactional ids.
    """
    wanted = list(wanted)
    names: dict[str, list[str]] = {}
    for right in wanted:
        if _probe(right) not in names.setdefault(right.resource, []):
            names[right.resource].append(_probe(right))
    try:
        allowed: dict[tuple[str, str], int | None] = {}
        if "Topic" in names:
            allowed |= {("Topic", name): bits for name, bits in (await _topics(admin, names["Topic"])).items()}
        for name in names.get("Group", ()):
            allowed["Group", name] = await patiently(partial(_group, admin, name))
        for name in names.get("TransactionalId", ()):
            allowed["TransactionalId", name] = await patiently(partial(_transactional, admin, name))
    except (NotImplementedError, IncompatibleBrokerVersion) as exc:
        log.debug("the brokers do not tell what they allow: %s", exc)
        return []
    return [right for right in wanted if not _covers(allowed[right.resource, _probe(right)], right.operation)]


async def hidden(admin: Any, topics: Collection[str]) -> set[str]:
    """Those of the topics that this user may not see, whether they exist or not.

    Args:
        admin: a connected AIOKafkaAdminClient.
        topics: names on the cluster.
    """
    missing = await lacking(admin, [Right("Topic", "literal", topic, "Describe") for topic in topics])
    return {right.name for right in missing}


def refusal(missing: Iterable[Right], where: str = "") -> ClusterError:
    """The error that names the rights that are missing, and the commands that grant them.

    Args:
        missing: at least one.
        where: what cannot be done without.
    """
    problem = in_words(missing)
    return ClusterError(problem.what, where=where, mend=problem.mend)


def in_words(missing: Iterable[Right]) -> Problem:
    """The rights that are missing as one thing to mend."""
    missing = list(missing)
    lines = commands(missing, "User:NAME")
    return Problem(
        f"the cluster does not allow this user: {', '.join(map(str, missing))}",
        "\n      ".join(["an administrator grants it to the name that the cluster knows this user by:", *lines]),
    )


async def require(admin: Any, wanted: Iterable[Right], where: str = "") -> None:
    """Raise if this user lacks any of the rights.

    Raises:
        ClusterError: naming all that are missing, and how to grant them.
    """
    missing = await lacking(admin, wanted)
    if missing:
        raise refusal(missing, where)


async def partitions_of(settings: Settings, topics: Iterable[str], operation: Operation) -> dict[str, int]:
    """The partition counts of topics on which this user may do something.

    All topics are asked for: asking for one by its name may create it where auto-creation is on.

    Args:
        settings: where the cluster is.
        topics: names on the cluster.
        operation: that is to be done on all of them.

    Raises:
        ClusterError: naming the topics that are missing, or the rights.
        BrokerUnreachableError: if no broker answers.
    """
    wanted = list(topics)
    async with administration(settings.kafka_client_kwargs()) as admin:
        await require(admin, [Right("Topic", "literal", topic, operation) for topic in wanted])
        counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    missing = [topic for topic in wanted if topic not in counts]
    if missing:
        raise ClusterError(f"there is no topic {', '.join(missing)}", mend="fenliu topics create")
    return {topic: counts[topic] for topic in wanted}


def _probe(right: Right) -> str:
    """The name to ask about: of a prefix, one that begins so."""
    return f"{right.name}0" if right.pattern == "prefixed" else right.name


def _covers(allowed: int | None, operation: Operation) -> bool:
    return allowed is None or bool(allowed >> _BIT[operation] & 1)


async def _topics(admin: Any, topics: list[str]) -> dict[str, int | None]:
    """The operations that are allowed on topics, as bits; None: not told."""
    answer = (await admin._send_request(TopicsAllowed(topics))).to_object()
    return {
        topic["topic"]: 0 if topic["error_code"] == _NOT_VISIBLE else _told(topic["authorized_operations"])
        for topic in answer["topics"]
    }


async def _group(admin: Any, group: str) -> int | None:
    node, forbidden = await _coordinator(admin, group, _COORDINATES_GROUPS, _GROUP_FORBIDDEN)
    if forbidden:
        return 0
    answer = (await admin._send_request_to_node(node, GroupAllowed(group))).to_object()
    (described,) = answer["groups"]
    if described["error_code"] == _GROUP_FORBIDDEN:
        return 0
    if (error := for_code(described["error_code"])) not in (NoError, GroupIdNotFound):
        raise error(f"group {group}")
    return _told(described["authorized_operations"])


async def _transactional(admin: Any, transactional_id: str) -> int | None:
    """Whether an id can be seen. Whether it can be written to is told to who takes it over only."""
    _, forbidden = await _coordinator(admin, transactional_id, _COORDINATES_TRANSACTIONS, _TRANSACTIONAL_ID_FORBIDDEN)
    return 0 if forbidden else None


async def _coordinator(admin: Any, key: str, kind: int, forbidden: int) -> tuple[int, bool]:
    answer = await admin._send_request(FindCoordinatorRequest(key, kind))
    if answer.error_code not in (0, forbidden):
        raise for_code(answer.error_code)(f"the coordinator of {key}")
    return answer.coordinator_id, answer.error_code == forbidden


def _told(bits: int) -> int | None:
    return None if bits in (0, _NOT_TOLD) else bits
