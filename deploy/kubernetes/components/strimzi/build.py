#!/usr/bin/env python3
"""Write topics.yaml and users.yaml beside this file from what fenliu declares (streams/topics.py, streams/access.py).

Run it with fenliu's own environment: .venv/bin/python deploy/kubernetes/components/strimzi/build.py
"""

from pathlib import Path
from typing import Any, get_args

import yaml

from streams.access import EVENTS, Right, Role, rights
from streams.settings import Settings
from streams.topics import DEFAULT_PARTITIONS, DEFAULT_REPLICATION, declared

HERE = Path(__file__).parent
CLUSTER = "fenliu"

# The operator makes the topics, so nobody needs the administrator's rights.
ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "administrator")
_RESOURCE = {"Topic": "topic", "Group": "group", "TransactionalId": "transactionalId"}
_PATTERN = {"literal": "literal", "prefixed": "prefix"}


def topics(settings: Settings) -> list[dict[str, Any]]:
    """A KafkaTopic for each declared topic."""
    in_sync = {"min.insync.replicas": "2"}
    return [
        _resource(
            "KafkaTopic",
            # Kubernetes knows no underscores; topicName has the name on the cluster.
            topic.name.replace("_", "-"),
            {
                "topicName": topic.name,
                "partitions": DEFAULT_PARTITIONS,
                "replicas": DEFAULT_REPLICATION,
                "config": {**topic.configs, **in_sync},
            },
        )
        for topic in declared(settings)
    ]


def users(settings: Settings) -> list[dict[str, Any]]:
    """A KafkaUser for each role, and one that may ask for the lag and nothing else."""
    return [
        *(_user(f"fenliu-{role}", rights(settings, role)) for role in ROLES),
        _user("fenliu-scaler", scaler(settings)),
    ]


def scaler(settings: Settings) -> list[Right]:
    """What KEDA needs to see how many records wait."""
    return [
        *(Right("Topic", "literal", settings.topic(topic), "Describe") for topic in EVENTS),
        Right("Group", "literal", settings.app_id, "Describe"),
    ]


def _user(name: str, granted: list[Right]) -> dict[str, Any]:
    operations: dict[tuple[str, str, str], list[str]] = {}
    for right in granted:
        operations.setdefault((right.resource, right.pattern, right.name), []).append(right.operation)
    acls = [
        {
            "resource": {"type": _RESOURCE[resource], "name": on, "patternType": _PATTERN[pattern]},
            "operations": allowed,
        }
        for (resource, pattern, on), allowed in operations.items()
    ]
    spec = {"authentication": {"type": "tls"}, "authorization": {"type": "simple", "acls": acls}}
    return _resource("KafkaUser", name, spec)


def _resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": spec,
    }


def written(resources: list[dict[str, Any]]) -> str:
    """As it stands in a file."""
    return "# Written by build.py.\n" + yaml.safe_dump_all(resources, sort_keys=False, width=118)


def files() -> dict[str, str]:
    """What stands in which file."""
    # As it is declared, not as the environment of whoever runs this has it.
    settings = Settings.model_construct()
    return {"topics.yaml": written(topics(settings)), "users.yaml": written(users(settings))}


if __name__ == "__main__":
    for file, text in files().items():
        (HERE / file).write_text(text, encoding="utf-8")
