"""What schemas cannot know: that the parts of the manifests fit each other, the program and the image."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams import __version__
from streams.settings import PREFIX, Settings, unknown_variables
from streams.topics import DEFAULT_PARTITIONS, declared
from tests.manifests import programs
from tests.manifests.programs import DEPLOY, OVERLAYS

Resource = dict[str, Any]
KUBERNETES = DEPLOY / "kubernetes"
STRIMZI = KUBERNETES / "components" / "strimzi"


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> list[Resource]:
    return programs.overlay(request.param)


@pytest.fixture
def production() -> list[Resource]:
    return programs.overlay("production")


def of_kind(resources: list[Resource], *kinds: str) -> list[Resource]:
    return [resource for resource in resources if resource["kind"] in kinds]


def one(resources: list[Resource], kind: str) -> Resource:
    [found] = of_kind(resources, kind)
    return found


def pods(resources: list[Resource]) -> Iterator[Resource]:
    for resource in of_kind(resources, "StatefulSet", "Job"):
        yield resource["spec"]["template"]


def environment(resources: list[Resource]) -> dict[str, str]:
    settings: dict[str, str] = one(resources, "ConfigMap")["data"]
    named = {each["name"]: each for pod in pods(resources) for each in pod["spec"]["containers"][0].get("env", ())}
    return settings | dict.fromkeys(named, "given")


def test_every_setting_exists_and_is_valid(overlay: list[Resource], tmp_path: Path) -> None:
    given = environment(overlay)
    assert unknown_variables(given) == []
    # The certificates are mounted there; here there are none.
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
    (tmp_path / "a file").touch()
    for name in fields:
        if name.endswith(("cafile", "certfile", "keyfile")):
            fields[name] = str(tmp_path / "a file")
    assert Settings.load(**fields).app_id == "fenliu"


def test_files_that_settings_name_are_mounted(overlay: list[Resource]) -> None:
    worker = one(overlay, "StatefulSet")["spec"]["template"]["spec"]
    mounts = {mount["mountPath"]: mount["name"] for mount in worker["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in worker["volumes"]}
    for name, value in environment(overlay).items():
        if re.search("FILE$", name):
            volume = volumes[mounts[str(Path(value).parent)]]
            assert Path(value).name in {item["path"] for item in volume["secret"]["items"]}
    assert set(mounts.values()) == set(volumes)


def test_a_worker_keeps_its_name_over_restarts(overlay: list[Resource]) -> None:
    [name] = [
        each
        for each in one(overlay, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["env"]
        if each["name"] == "FENLIU_GROUP_INSTANCE_ID"
    ]
    assert name["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_pods_may_do_nothing_that_they_need_not(overlay: list[Resource]) -> None:
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    for pod in pods(overlay):
        spec, [container] = pod["spec"], pod["spec"]["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert f"USER {spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" in dockerfile
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, "Kubernetes would set FENLIU_WORKERS_PORT and the like"
        assert container["image"] == f"fenliu:{__version__}"
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}


def test_probes_ask_what_a_worker_answers(overlay: list[Resource]) -> None:
    container = one(overlay, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert asked == {
        "startup": {"path": "/healthz", "port": "http"},
        "liveness": {"path": "/healthz", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    [port] = container["ports"]
    assert port == {"name": "http", "containerPort": Settings.model_fields["http_port"].default}


def test_a_pod_has_time_to_stop(overlay: list[Resource]) -> None:
    assert one(overlay, "StatefulSet")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 10


def test_selectors_select_the_workers(overlay: list[Resource]) -> None:
    stateful_set = one(overlay, "StatefulSet")
    labels = stateful_set["spec"]["template"]["metadata"]["labels"].items()
    service, budget = one(overlay, "Service"), one(overlay, "PodDisruptionBudget")
    selectors = [
        stateful_set["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["spec"]["selector"]["matchLabels"],
        one(overlay, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(monitor["spec"]["selector"]["matchLabels"] for monitor in of_kind(overlay, "PodMonitor")),
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    assert stateful_set["spec"]["serviceName"] == service["metadata"]["name"]


def test_the_budget_and_the_service_do_not_take_the_job_that_makes_topics(overlay: list[Resource]) -> None:
    for job in of_kind(overlay, "Job"):
        labels = job["spec"]["template"]["metadata"]["labels"].items()
        assert not one(overlay, "Service")["spec"]["selector"].items() <= labels
        assert not one(overlay, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels
        assert one(overlay, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_everything_is_in_one_namespace(overlay: list[Resource]) -> None:
    namespace = one(overlay, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"]["namespace"] for each in overlay if each is not namespace} == {
        namespace["metadata"]["name"]
    }


def test_workers_may_reach_kafka_at_the_port_that_they_are_told(overlay: list[Resource]) -> None:
    port = int(environment(overlay)["FENLIU_KAFKA_BOOTSTRAP_SERVERS"].rpartition(":")[2])
    rules = one(overlay, "NetworkPolicy")["spec"]["egress"]
    assert any({"port": port} in rule["ports"] for rule in rules)


def test_topics_and_users_of_strimzi_are_what_the_code_declares() -> None:
    spec = importlib.util.spec_from_file_location("build", STRIMZI / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    for file, text in build.files().items():
        assert (STRIMZI / file).read_text(encoding="utf-8") == text, f"run {(STRIMZI / 'build.py')} anew"


def test_strimzi_makes_every_topic(production: list[Resource]) -> None:
    made = {topic["spec"]["topicName"]: topic["spec"] for topic in of_kind(production, "KafkaTopic")}
    assert set(made) == {topic.name for topic in declared(Settings())}
    assert {spec["partitions"] for spec in made.values()} == {DEFAULT_PARTITIONS}
    assert {spec["config"]["min.insync.replicas"] for spec in made.values()} == {"2"}


def test_there_are_never_more_workers_than_partitions(production: list[Resource]) -> None:
    scaled, stateful_set = one(production, "ScaledObject")["spec"], one(production, "StatefulSet")
    assert scaled["maxReplicaCount"] == DEFAULT_PARTITIONS
    assert scaled["minReplicaCount"] <= scaled["fallback"]["replicas"] <= scaled["maxReplicaCount"]
    assert scaled["scaleTargetRef"]["name"] == stateful_set["metadata"]["name"]
    assert "replicas" not in stateful_set["spec"], "an apply would undo what the autoscaler did"


def test_the_autoscaler_asks_for_the_lag_of_the_workers(production: list[Resource]) -> None:
    given = environment(production)
    inputs = {topic.name for topic in declared(Settings()) if topic.role == "input"} - {"shop-configs"}
    triggers = one(production, "ScaledObject")["spec"]["triggers"]
    assert {trigger["metadata"]["topic"] for trigger in triggers} == inputs
    for trigger in triggers:
        assert trigger["metadata"]["consumerGroup"] == given["FENLIU_APP_ID"]
        assert trigger["metadata"]["bootstrapServers"] == given["FENLIU_KAFKA_BOOTSTRAP_SERVERS"]
        assert trigger["authenticationRef"]["name"] == one(production, "TriggerAuthentication")["metadata"]["name"]


def test_secrets_are_those_that_strimzi_makes(production: list[Resource]) -> None:
    users = {user["metadata"]["name"] for user in of_kind(production, "KafkaUser")}
    volumes = one(production, "StatefulSet")["spec"]["template"]["spec"]["volumes"]
    named = {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    named |= {each["name"] for each in one(production, "TriggerAuthentication")["spec"]["secretTargetRef"]}
    assert named == {"fenliu-cluster-ca-cert", "fenliu-worker", "fenliu-scaler"}
    assert named - {"fenliu-cluster-ca-cert"} <= users


def test_prometheus_calls_the_workers_as_the_rules_expect(production: list[Resource]) -> None:
    monitor, labels = (
        one(production, "PodMonitor")["spec"],
        one(production, "StatefulSet")["spec"]["template"]["metadata"],
    )
    assert labels["labels"][monitor["jobLabel"]].startswith("fenliu")
    [endpoint] = monitor["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [{"sourceLabels": ["__meta_kubernetes_pod_name"], "targetLabel": "instance"}]
