"""Manifests are what Kubernetes, the operators and compose take, and the programs that say so do see a mistake."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests import programs
from tests.manifests.programs import DEPLOY, OVERLAYS, findings, hadolint, rendered

COMPOSE = DEPLOY / "compose" / "compose.yaml"
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
Resource = dict[str, Any]


@pytest.fixture(scope="module")
def production() -> list[Resource]:
    return programs.overlay("production")


def test_the_schemas_find_nothing_in_the_manifests() -> None:
    # At once: importing the schemas takes most of the time.
    assert findings("kubernetes", [resource for name in OVERLAYS for resource in programs.overlay(name)]) == []


def worker(resource: Resource) -> Resource:
    container: Resource = resource["spec"]["template"]["spec"]["containers"][0]
    return container


MISTAKES: dict[str, tuple[str, Callable[[Resource], object], str]] = {
    "a field that is misspelt": (
        "StatefulSet", lambda r: worker(r).update(livenessProb={}), "livenessProb",
    ),
    "a text where a number belongs": (
        "StatefulSet", lambda r: worker(r)["ports"][0].update(containerPort="http"), "containerPort",
    ),
    "a quantity that is none": (
        "StatefulSet", lambda r: worker(r)["resources"]["limits"].update(memory=[]), "memory",
    ),
    "a budget in a group that is gone": (
        "PodDisruptionBudget", lambda r: r.update(apiVersion="policy/v1beta1"), "no policy/v1beta1",
    ),
    "a policy without the pods it is for": (
        "NetworkPolicy", lambda r: r["spec"].update(podSelector="fenliu"), "podSelector",
    ),
    "an autoscaler's limit that is misspelt": (
        "ScaledObject", lambda r: r["spec"].update(maxReplicas=8), "maxReplicas",
    ),
    "a trigger's figure that is no text": (
        "ScaledObject", lambda r: r["spec"]["triggers"][0]["metadata"].update(lagThreshold=1), "lagThreshold",
    ),
    "credentials that name no secret": (
        "TriggerAuthentication", lambda r: r["spec"]["secretTargetRef"][0].pop("name"), "name",
    ),
    "a scrape interval that is misspelt": (
        "PodMonitor", lambda r: r["spec"]["podMetricsEndpoints"][0].update(scrape_interval="1s"), "scrape_interval",
    ),
    "a topic without a whole number of partitions": (
        "KafkaTopic", lambda r: r["spec"].update(partitions="8"), "partitions",
    ),
    "a right that Kafka does not have": (
        "KafkaUser", lambda r: r["spec"]["authorization"]["acls"][0].update(operations=["Reed"]), "Reed",
    ),
    "a resource of an operator that is not known": (
        "KafkaUser", lambda r: r.update(apiVersion="kafka.strimzi.io/v1beta2"), "no schema",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(production: list[Resource]) -> dict[str, list[str]]:
    """What is found, by mistake: all are asked at once, since starting the programs takes longer than asking them."""
    documents = []
    for number, (kind, make, _) in enumerate(MISTAKES.values()):
        resource = copy.deepcopy(next(each for each in production if each["kind"] == kind))
        make(resource)
        resource["metadata"]["name"] = f"mistake-{number}"
        documents.append(resource)
    lines = findings("kubernetes", documents)
    return {
        mistake: [line for line in lines if f" mistake-{number}: " in line] for number, mistake in enumerate(MISTAKES)
    }


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_manifest_is_found(found: dict[str, list[str]], mistake: str) -> None:
    assert any(MISTAKES[mistake][2] in line for line in found[mistake]), found[mistake]


def test_a_patch_that_hits_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [it.yaml]\npatches:\n- patch: '[{op: remove, path: /spec/replicas}]'\n  target: {name: it}\n"
    )
    (tmp_path / "it.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\n")
    with pytest.raises(AssertionError, match="replicas"):
        rendered(tmp_path)


def test_compose_takes_the_compose_file() -> None:
    assert findings("compose", [yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))]) == []


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"healthchek": {"disable": True}}, "healthchek"),
        ({"depends_on": {"kafka": {"condition": "service_ready"}}}, "service_ready"),
        ({"ports": ["127.0.0.1:http:8080"]}, "port"),
    ],
    ids=["a misspelt field", "a condition that is none", "a port that is none"],
)
def test_a_mistake_in_the_compose_file_is_found(change: dict[str, Any], seen: str) -> None:
    document = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    document["services"]["worker-1"].update(change)
    [line] = findings("compose", [document])
    assert seen in line


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert hadolint(DOCKERFILE) == ""


def test_hadolint_finds_what_is_to_be_avoided(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text(DOCKERFILE.read_text(encoding="utf-8").replace("FROM ${PYTHON_IMAGE}", "FROM python:latest"))
    assert "DL3007" in hadolint(bad)
    bad.write_text(DOCKERFILE.read_text(encoding="utf-8") + "RUN cd /tmp && sudo apt-get install curl\n")
    assert "DL3004" in hadolint(bad)
