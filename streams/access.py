"""Who needs which rights (ACLs) on a Kafka cluster: the one list that commands, checks, documents and tests use. Pure.

Read and Write imply Describe, so Describe is named where it stands alone only.
"""

import shlex
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from streams.lane.checkpoint import CHECKPOINTS
from streams.routing import TABLES
from streams.settings import Settings

Role = Literal["worker", "producer", "settings", "consumer", "operator", "redrive", "administrator"]
Resource = Literal["Topic", "Group", "TransactionalId"]
Pattern = Literal["literal", "prefixed"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]

ROLES: tuple[Role, ...] = get_args(Role)
ABOUT: dict[Role, str] = {
    "worker": "runs `fenliu worker` and `fenliu check`",
    "producer": "the chat system: publishes messages, agent status and replies",
    "settings": "whoever sets up shops: `fenliu config push` and `get`",
    "consumer": "the desk: reads assignments and presence",
    "operator": "who looks after it: `fenliu tail`, and dead letters, which hold what was refused as it came",
    "redrive": "who also sends dead letters back: `fenliu dlq redrive`",
    "administrator": "runs `fenliu topics create` and `fenliu topics check`",
}
EXAMPLE_GROUP = "chat-desk"
"""The consumer group of docs/examples/consumer.py."""

EVENTS = ("buyer-messages", "agent-status", "agent-replies")
SHOP_CONFIGS = "shop-configs"
DECISIONS = ("assignments", "agent-presence")
DEAD_LETTERS = "dead-letters"

_OPTION: dict[Resource, str] = {"Topic": "--topic", "Group": "--group", "TransactionalId": "--transactional-id"}
_NOUN: dict[Resource, str] = {"Topic": "topic", "Group": "group", "TransactionalId": "transactional id"}


class Right(NamedTuple):
    """One operation on one resource; `prefixed`: on all whose name begins so."""

    resource: Resource
    pattern: Pattern
    name: str
    operation: Operation

    def __str__(self) -> str:
        beginning = "s that begin with" if self.pattern == "prefixed" else ""
        return f"{self.operation} on {_NOUN[self.resource]}{beginning} {self.name}"


def rights(settings: Settings, role: Role, *, group: str = EXAMPLE_GROUP) -> list[Right]:
    """Exactly what a role needs; one right less and something of it fails.

    Args:
        settings: for the prefix of topics and the app id.
        role: whose rights.
        group: the consumer group of the role `consumer`; no other role looks at it.
    """
    events, decisions = _named(settings, EVENTS), _named(settings, DECISIONS)
    configs, letters = settings.topic(SHOP_CONFIGS), settings.topic(DEAD_LETTERS)
    changelogs = [settings.changelog(table) for table in (*TABLES, CHECKPOINTS)]
    of_role: dict[Role, list[Right]] = {
        "worker": [
            *_on([*events, configs], "Read", "DescribeConfigs"),
            *_on([*decisions, letters], "Write", "DescribeConfigs"),
            *_on(changelogs, "Read", "Write", "DescribeConfigs"),
            Right("Group", "literal", settings.app_id, "Read"),
            Right("TransactionalId", "prefixed", f"{settings.app_id}-", "Write"),
        ],
        "producer": _on(events, "Write"),
        "settings": _on([configs], "Read", "Write"),
        "consumer": [*_on(decisions, "Read"), Right("Group", "literal", group, "Read")],
        "operator": _on([*decisions, letters], "Read"),
        "redrive": [
            *_on([letters, configs], "Read", "Write"),
            *_on(events, "Write"),
            Right("TransactionalId", "literal", f"{settings.app_id}-redrive", "Write"),
        ],
        "administrator": _on(
            [*events, configs, *decisions, letters, *changelogs], "Create", "Describe", "DescribeConfigs"
        ),
    }
    return of_role[role]


def commands(granted: Iterable[Right], principal: str) -> list[str]:
    """kafka-acls.sh command lines that grant rights: one for the resources that get the same operations.

    Args:
        granted: what to grant.
        principal: as Kafka writes it, `User:fenliu`.
    """
    operations: dict[tuple[Resource, Pattern, str], list[Operation]] = {}
    for right in granted:
        operations.setdefault(right[:3], []).append(right.operation)
    names: dict[tuple[Resource, Pattern, tuple[Operation, ...]], list[str]] = {}
    for (resource, pattern, name), allowed in operations.items():
        names.setdefault((resource, pattern, tuple(allowed)), []).append(name)
    return [_command(key, of, principal) for key, of in names.items()]


def _command(key: tuple[Resource, Pattern, tuple[Operation, ...]], names: Sequence[str], principal: str) -> str:
    resource, pattern, allowed = key
    words = ["kafka-acls.sh", "--bootstrap-server", "HOST:PORT", "--add", "--allow-principal", principal]
    words += [word for operation in allowed for word in ("--operation", operation)]
    words += ["--resource-pattern-type", "prefixed"] if pattern == "prefixed" else []
    words += [word for name in names for word in (_OPTION[resource], name)]
    return shlex.join(words)


def _named(settings: Settings, topics: Iterable[str]) -> list[str]:
    return [settings.topic(topic) for topic in topics]


def _on(topics: Iterable[str], *operations: Operation) -> list[Right]:
    return [Right("Topic", "literal", topic, operation) for topic in topics for operation in operations]
