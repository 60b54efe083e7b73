"""What is wrong with a cluster's topics, and how each thing is mended: pure, it sees only what was described to it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Role = Literal["input", "output", "dead-letters", "changelog"]
Kind = Literal[
    "missing", "access", "partitions", "cleanup_policy", "auto_created", "replication", "leader", "config", "unknown"
]
Severity = Literal["error", "warning"]

SMALLEST_DEAD_LETTER_BYTES = 2 << 20
"""A dead letter has up to 1 MiB of value, 256 KiB of key and 256 KiB of headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTopic:
    """A topic as fenliu wants it; `configs` are set when it is created."""

    name: str
    role: Role
    configs: Mapping[str, str]


Configs = Mapping[str, tuple[str | None, bool]]
"""Name -> (value, whether it is set at the topic itself)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A topic as the cluster has it; `configs` None: the cluster does not tell."""

    partitions: int
    replication: int
    leaderless: int = 0
    configs: Configs | None = None

    def value(self, name: str) -> str | None:
        """A config's value in force, if it is told."""
        return None if self.configs is None or name not in self.configs else self.configs[name][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """The brokers that are up, and those of the declared topics that exist, by name."""

    brokers: int
    topics: Mapping[str, TopicState] = field(default_factory=dict)
    hidden: Collection[str] = frozenset()
    """Names that the cluster does not let this user ask about: there or not, nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as declared. An error stops a worker at its start, a warning does not."""

    kind: Kind
    severity: Severity
    topic: str
    what: str
    mend: str


class Problem(NamedTuple):
    """What is wrong, and how to mend it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}\n    to mend it: {self.mend}"


def in_words(findings: Sequence[Finding]) -> list[Problem]:
    """The findings for a person; topics of which the same is to be said stand together."""
    topics: dict[Problem, list[str]] = {}
    for finding in findings:
        topics.setdefault(Problem(finding.what, finding.mend), []).append(finding.topic)
    return [Problem(f"{', '.join(names)}: {what}", mend) for (what, mend), names in topics.items()]


def compare(topics: Sequence[DeclaredTopic], state: ClusterState) -> list[Finding]:
    """Every difference between what is declared and what the cluster has, in the order of `topics`."""
    found: list[Finding] = []
    count = _common_count(topics, state)
    copies = max((topic.replication for topic in state.topics.values()), default=0)
    for topic in topics:
        there = state.topics.get(topic.name)
        if topic.name in state.hidden:
            found.append(_hidden(topic))
            continue
        if there is None:
            found.append(_missing(topic, count, state))
            continue
        found += _partitions(topic, there, count)
        found += _copies(topic, there, copies)
        if there.configs is None:
            found.append(_cannot_tell(topic))
        else:
            found += _cleanup(topic, there)
            found += _sizes_and_times(topic, there)
    if copies == 1 and state.brokers > 1:
        found.append(_one_copy(topics[0], state.brokers))
    return found


def _common_count(topics: Sequence[DeclaredTopic], state: ClusterState) -> int | None:
    """The partition count that most of the inputs, else of all, have; that of the first where they are even."""
    there = [topic for topic in topics if topic.name in state.topics]
    chosen = [topic for topic in there if topic.role == "input"] or there
    counts = Counter(state.topics[topic.name].partitions for topic in chosen)
    return counts.most_common(1)[0][0] if counts else None


def _missing(topic: DeclaredTopic, count: int | None, state: ClusterState) -> Finding:
    options = "" if count is None else f" --partitions {count}"
    known = [there.replication for there in state.topics.values()]
    copies = max(known) if known else min(3, max(state.brokers, 1))
    options += "" if copies == 3 else f" --replication {copies}"
    return Finding(
        kind="missing",
        severity="error",
        topic=topic.name,
        what="the topic does not exist",
        mend=f"fenliu topics create{options}",
    )


def _hidden(topic: DeclaredTopic) -> Finding:
    return Finding(
        kind="access",
        severity="error",
        topic=topic.name,
        what="the cluster does not let this user see whether it exists: Describe is missing",
        mend="an administrator grants the rights that `fenliu acls` lists",
    )


def _partitions(topic: DeclaredTopic, there: TopicState, count: int | None) -> list[Finding]:
    if there.leaderless:
        return [
            Finding(
                kind="leader",
                severity="warning",
                topic=topic.name,
                what=f"{there.leaderless} of {there.partitions} partitions have no leader at the moment",
                mend="see which brokers are down",
            )
        ]
    # A dead letter needs its partition number to exist; more partitions do no harm there.
    right = there.partitions == count or (topic.role == "dead-letters" and there.partitions > (count or 0))
    if right:
        return []
    most = max(there.partitions, count or 0)
    mend = f"stop the workers, delete {topic.name} and run fenliu topics create --partitions {count}"
    if topic.role in ("input", "changelog"):
        mend = (
            f"if nothing was routed yet, delete {topic.name} and run fenliu topics create --partitions {count}. "
            "Otherwise topics were made larger, which cannot be undone, and shops move to other partitions: set a new "
            f"FENLIU_TOPIC_PREFIX and FENLIU_APP_ID, run fenliu topics create --partitions {most} and let producers "
            "send there"
        )
    return [
        Finding(
            kind="partitions",
            severity="error",
            topic=topic.name,
            what=f"it has {there.partitions} partitions, the inputs have {count}; all need one count",
            mend=mend,
        )
    ]


def _copies(topic: DeclaredTopic, there: TopicState, copies: int) -> list[Finding]:
    if there.replication >= copies:
        return []
    return [
        Finding(
            kind="replication",
            severity="error",
            topic=topic.name,
            what=f"its partitions have {there.replication} copies, those of other topics {copies}",
            mend=f"kafka-reassign-partitions.sh with {copies} replicas for each partition of {topic.name}; "
            f"an empty topic: delete it and run fenliu topics create --replication {copies}",
        )
    ]


def _one_copy(topic: DeclaredTopic, brokers: int) -> Finding:
    return Finding(
        kind="replication",
        severity="warning",
        topic=topic.name,
        what=f"like all others it has 1 copy, and the cluster has {brokers} brokers: one lost disk loses messages",
        mend=f"kafka-reassign-partitions.sh with {min(3, brokers)} replicas for each partition of fenliu's topics",
    )


def _cannot_tell(topic: DeclaredTopic) -> Finding:
    return Finding(
        kind="unknown",
        severity="warning",
        topic=topic.name,
        what="cannot tell its cleanup policy: the cluster does not describe its configs to this user",
        mend=f"allow DescribeConfigs on it, or see yourself that cleanup.policy is {topic.configs['cleanup.policy']}",
    )


def _cleanup(topic: DeclaredTopic, there: TopicState) -> list[Finding]:
    declared = topic.configs["cleanup.policy"]
    value, own = (there.configs or {}).get("cleanup.policy", (None, False))
    if value is not None and value != declared:
        why = {
            "compact": "settings or state would be deleted by age",
            "delete": "messages of a shop would replace one another",
        }[declared]
        return [
            Finding(
                kind="cleanup_policy",
                severity="error",
                topic=topic.name,
                what=f"its cleanup.policy is {value}, and must be {declared}: {why}",
                mend=_alter(topic.name, f"cleanup.policy={declared}"),
            )
        ]
    if not own:
        return [
            Finding(
                kind="auto_created",
                severity="error",
                topic=topic.name,
                what="none of the declared settings is set on it: it looks as if the broker had created it by itself, "
                "with its default partitions and copies",
                mend=f"delete it and run fenliu topics create; if it is meant to be so: "
                f"{_alter(topic.name, f'cleanup.policy={declared}')}",
            )
        ]
    return []


def _sizes_and_times(topic: DeclaredTopic, there: TopicState) -> list[Finding]:
    found = []
    limit, declared_limit = there.value("max.message.bytes"), topic.configs.get("max.message.bytes")
    if limit is not None and declared_limit is not None and int(limit) < int(declared_limit):
        stops = topic.role == "dead-letters" and int(limit) < SMALLEST_DEAD_LETTER_BYTES
        effect = {
            "input": "larger records are refused at the producer instead of appearing in dead-letters",
            "dead-letters": "a large dead letter would stop its partition",
            "changelog": "a shop with much state would stop its partition",
            "output": "",
        }[topic.role]
        found.append(
            Finding(
                kind="config",
                severity="error" if stops else "warning",
                topic=topic.name,
                what=f"its max.message.bytes is {limit}, declared are {declared_limit}: {effect}",
                mend=_alter(topic.name, f"max.message.bytes={declared_limit}"),
            )
        )
    times = there.value("message.timestamp.type")
    if "message.timestamp.type" in topic.configs and times == "CreateTime":
        found.append(
            Finding(
                kind="config",
                severity="warning",
                topic=topic.name,
                what="its message.timestamp.type is CreateTime, so a producer with a wrong clock is not noticed",
                mend=_alter(topic.name, "message.timestamp.type=LogAppendTime"),
            )
        )
    if there.replication > 2 and there.value("min.insync.replicas") == "1":
        found.append(
            Finding(
                kind="config",
                severity="warning",
                topic=topic.name,
                what="its min.insync.replicas is 1: the loss of one broker can lose what was acknowledged",
                mend=_alter(topic.name, "min.insync.replicas=2"),
            )
        )
    return found


def _alter(topic: str, config: str) -> str:
    return f"kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic {topic} --add-config {config}"
