"""The topics that fenliu declares, creating those that are missing, and the check before anything is consumed.

It never changes a topic that is there. What is right and wrong with a cluster is decided in `streams.topic_findings`.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from streams import permissions
from streams.access import Right, rights
from streams.errors import ClusterError, UsageError
from streams.kafka_clients import administration, topics_as_each_broker_knows
from streams.lane.checkpoint import CHECKPOINTS
from streams.routing import TABLES
from streams.settings import Settings
from streams.topic_findings import ClusterState, DeclaredTopic, Finding, Role, TopicState, compare, in_words

log = logging.getLogger(__name__)

DEFAULT_PARTITIONS = 8
DEFAULT_REPLICATION = 3

_WEEK_MS = 7 * 86_400_000
_MIB = 1 << 20
_TOPIC_EXISTS = 36
_FORBIDDEN = (29, 31)  # TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED
_LEADERS_WITHIN_S = 20.0


_EVENTS = {
    "cleanup.policy": "delete",
    # `clock_skew` compares an event's own time with the broker's, and the latency metrics start there: a producer must
    # not be able to set it.
    "message.timestamp.type": "LogAppendTime",
    # Events end at 256 KiB. Larger ones are let in, to be seen in dead-letters instead of in a producer's log.
    "max.message.bytes": str(4 * _MIB),
}
_SHOP_CONFIGS = {
    **_EVENTS,
    "cleanup.policy": "compact",
    # A backlog of up to a week is routed by the settings that were in force then, and a shop that went back to the
    # defaults is not overlooked by a worker that was down.
    "min.compaction.lag.ms": str(_WEEK_MS),
    "delete.retention.ms": str(_WEEK_MS),
}
_DECISIONS = {"cleanup.policy": "delete"}
_DEAD_LETTERS = {
    "cleanup.policy": "delete",
    # 1 MiB of value (the rest is cut), its key, its headers and ours.
    "max.message.bytes": str(4 * _MIB),
    # A month: somebody has to look at them, also after the long holidays.
    "retention.ms": str(30 * 86_400_000),
}
_CHANGELOG = {
    "cleanup.policy": "compact",
    # A value is what is remembered of a shop; a large one must not stop its partition.
    "max.message.bytes": str(8 * _MIB),
    # Only closed segments are compacted, and a take-over reads what is not: small segments, cleaned early.
    "segment.bytes": str(64 * _MIB),
    "min.cleanable.dirty.ratio": "0.2",
}

_NAMES: tuple[tuple[str, Role, Mapping[str, str]], ...] = (
    ("buyer-messages", "input", _EVENTS),
    ("agent-status", "input", _EVENTS),
    ("agent-replies", "input", _EVENTS),
    ("shop-configs", "input", _SHOP_CONFIGS),
    ("assignments", "output", _DECISIONS),
    ("agent-presence", "output", _DECISIONS),
    ("dead-letters", "dead-letters", _DEAD_LETTERS),
)


def declared(settings: Settings) -> list[DeclaredTopic]:
    """Every topic fenliu reads or writes, by its name on the cluster: inputs, outputs, changelogs."""
    topics = [DeclaredTopic(name=settings.topic(name), role=role, configs=configs) for name, role, configs in _NAMES]
    topics += [
        DeclaredTopic(name=settings.changelog(table), role="changelog", configs=_CHANGELOG)
        for table in (*TABLES, CHECKPOINTS)
    ]
    return topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What `create` did: the partition counts of the topics by name."""

    created: dict[str, int]
    existing: dict[str, int]


async def create(settings: Settings, *, partitions: int | None = None, replication: int | None = None) -> Creation:
    """Create the declared topics that are missing; wait until they have leaders.

    Args:
        settings: where the cluster is, and the names.
        partitions: of each new topic. None: as many as those that are there have, else 8.
        replication: copies of each partition. None: 3.

    Raises:
        UsageError: if `partitions` is not what the topics that are there have.
        ClusterError: if the cluster refuses, for example because it has fewer brokers than copies.
        BrokerUnreachableError: if no broker answers.
    """
    copies = DEFAULT_REPLICATION if replication is None else replication
    topics = declared(settings)
    async with administration(settings.kafka_client_kwargs()) as admin:
        state = await _describe(admin, [topic.name for topic in topics], with_configs=False)
        if state.hidden:
            unseen = [Right("Topic", "literal", t.name, "Describe") for t in topics if t.name in state.hidden]
            raise permissions.refusal(unseen)
        missing = [topic for topic in topics if topic.name not in state.topics]
        count = _partition_count(topics, state, partitions)
        if missing:
            if copies > state.brokers:
                raise ClusterError(
                    f"{copies} copies of each partition need {copies} brokers, and this cluster has {state.brokers}",
                    mend=f"fenliu topics create --replication {state.brokers}"
                    + (" (for trials: with the only broker's disk everything is lost)" if state.brokers == 1 else ""),
                )
            await _create(admin, missing, count, copies)
            await _wait_for_leaders(admin, [topic.name for topic in missing])
    return Creation(
        created={topic.name: count for topic in missing},
        existing={t.name: state.topics[t.name].partitions for t in topics if t not in missing},
    )


async def check_topics(settings: Settings) -> list[Finding]:
    """Compare the cluster's topics with what is declared; no findings means that a worker can start.

    Raises:
        BrokerUnreachableError: if no broker answers.
    """
    topics = declared(settings)
    async with administration(settings.kafka_client_kwargs()) as admin:
        state = await _describe(admin, [topic.name for topic in topics], with_configs=True)
    return compare(topics, state)


async def require_topics(settings: Settings) -> None:
    """The boot check: errors stop the worker before it consumes anything, warnings are logged.

    A worker that may not see the configs of topics starts with a warning: it can route, and cannot tell more.

    Raises:
        ClusterError: naming every right that this user lacks, or else every topic that is not as it must be, and how to
            mend it.
        BrokerUnreachableError: if no broker answers.
    """
    async with administration(settings.kafka_client_kwargs()) as admin:
        wanted = [right for right in rights(settings, "worker") if right.operation != "DescribeConfigs"]
        await permissions.require(admin, wanted)
    findings = await check_topics(settings)
    for line in in_words([finding for finding in findings if finding.severity == "warning"]):
        log.warning("%s", line)
    errors = in_words([finding for finding in findings if finding.severity == "error"])
    if errors:
        raise ClusterError("\n  ".join(["the topics are not as declared:", *map(str, errors)]))


def _partition_count(topics: Sequence[DeclaredTopic], state: ClusterState, wanted: int | None) -> int:
    """The partition count of new topics: one count for all, since partition p of one belongs to p of the others."""
    there = {t.name: state.topics[t.name].partitions for t in topics if t.name in state.topics}
    counts = sorted(set(there.values()))
    if not counts:
        return wanted or DEFAULT_PARTITIONS
    if wanted is not None and (len(there) < len(topics)) and counts != [wanted]:
        name = next(name for name, count in there.items() if count != wanted)
        raise UsageError(
            f"--partitions {wanted} does not go with {name}, which is there with {there[name]} partitions",
            mend=f"fenliu topics create --partitions {there[name]}",
        )
    inputs = [there[t.name] for t in topics if t.role == "input" and t.name in there]
    return inputs[0] if inputs else counts[0]


async def _create(admin: Any, topics: Sequence[DeclaredTopic], partitions: int, replication: int) -> None:
    # With three copies one broker may be down and writes go on, and none is acknowledged by fewer than two.
    in_sync = {"min.insync.replicas": "2" if replication > 2 else "1"}
    request = [
        NewTopic(topic.name, partitions, replication, topic_configs={**topic.configs, **in_sync}) for topic in topics
    ]
    answer = (await admin.create_topics(request)).to_object()
    refused = [e for e in answer["topic_errors"] if e["error_code"] not in (0, _TOPIC_EXISTS)]
    forbidden = {e["topic"] for e in refused if e["error_code"] in _FORBIDDEN}
    if forbidden:
        raise permissions.refusal(
            [Right("Topic", "literal", topic.name, "Create") for topic in topics if topic.name in forbidden]
        )
    if refused:
        raise ClusterError(
            "the cluster refuses to create topics:\n"
            + "\n".join(f"  {e['topic']}: {e.get('error_message') or e['error_code']}" for e in refused),
            mend="see what the brokers say, then fenliu topics create again",
        )


async def _wait_for_leaders(admin: Any, names: Sequence[str]) -> None:
    """Kafka answers before every broker knows; a producer that comes at once would see no partitions."""
    async with asyncio.timeout(_LEADERS_WITHIN_S):
        while True:
            answers = await topics_as_each_broker_knows(admin)
            if all(name in topics and not _leaderless(topics[name]) for topics in answers for name in names):
                return
            await asyncio.sleep(0.1)


async def _describe(admin: Any, names: Sequence[str], *, with_configs: bool) -> ClusterState:
    """Ask for all topics: asking for one by name would create it where auto-creation is on."""
    brokers = len((await admin.describe_cluster())["brokers"])
    wanted = set(names)
    found = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"] in wanted}
    configs = await _configs(admin, sorted(found)) if with_configs and found else {}
    unseen = wanted - found.keys()
    return ClusterState(
        brokers=brokers,
        topics={
            name: TopicState(
                partitions=len(topic["partitions"]),
                replication=min((len(p["replicas"]) for p in topic["partitions"]), default=0),
                leaderless=_leaderless(topic),
                configs=None if configs is None else configs.get(name),
            )
            for name, topic in found.items()
        },
        hidden=await permissions.hidden(admin, sorted(unseen)) if unseen else frozenset(),
    )


def _leaderless(topic: Mapping[str, Any]) -> int:
    return sum(partition["leader"] < 0 for partition in topic["partitions"])


async def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, tuple[str | None, bool]]] | None:
    """Per topic, its configs as (value, set at the topic itself); None if the cluster does not tell."""
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except KafkaError as exc:
        log.debug("configs of topics are not told: %s", exc)
        return None
    told: dict[str, dict[str, tuple[str | None, bool]]] = {}
    for answer in answers:
        for resource in answer.to_object()["resources"]:
            if resource["error_code"] == 0:
                told[resource["resource_name"]] = {
                    entry["config_names"]: (entry["config_value"], _set_at_topic(entry))
                    for entry in resource["config_entries"]
                }
    return told


def _set_at_topic(entry: Mapping[str, Any]) -> bool:
    """Whether a config entry is the topic's own: old brokers say what is default, newer ones where it comes from."""
    own_source = 1
    return entry["config_source"] == own_source if "config_source" in entry else not entry["is_default"]
