"""Apache Kafka takes the settings that the compose file gives its broker; it is formatted with them and not started."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.kafka.available import find_java
from tests.kafka.distribution import jars

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose" / "compose.yaml"
VARIABLE = "KAFKA_"

pytestmark = pytest.mark.kafka


def formatted(settings: dict[str, str], cluster_id: str, place: Path) -> "subprocess.CompletedProcess[str]":
    """What Kafka says to settings by the name that its image gives them: KAFKA_LOG_DIRS is log.dirs."""
    properties = {
        name.removeprefix(VARIABLE).lower().replace("_", "."): value
        for name, value in settings.items()
        if name.startswith(VARIABLE)
    }
    assert properties["log.dirs"] == "/var/lib/kafka/data", "the directory of the volume"
    properties["log.dirs"] = str(place / "data")
    file = place / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")
    java = find_java()
    assert java is not None
    command: list[str | Path] = [
        java,
        "-Xmx256m",
        "-cp",
        f"{jars()}/*",
        "kafka.tools.StorageTool",
        "format",
        "-t",
        cluster_id,
    ]
    return subprocess.run([*command, "-c", file], capture_output=True, text=True, check=False, timeout=120)


def test_the_broker_of_the_compose_file_can_be_formatted(tmp_path: Path) -> None:
    broker = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]
    assert broker["volumes"] == ["kafka:/var/lib/kafka/data"]
    settings = {name: str(value) for name, value in broker["environment"].items()}
    done = formatted(settings, settings["CLUSTER_ID"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data" / "meta.properties").exists()


def test_a_listener_without_a_protocol_is_refused(tmp_path: Path) -> None:
    broker = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]
    settings = {name: str(value) for name, value in broker["environment"].items()}
    settings["KAFKA_LISTENERS"] += ",ELSEWHERE://:9094"
    done = formatted(settings, settings["CLUSTER_ID"], tmp_path)
    assert done.returncode != 0
    assert "ELSEWHERE" in done.stdout + done.stderr
