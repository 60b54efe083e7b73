"""The compose file fits the program: commands, settings, files and targets are there. Its schema: tests/manifests."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from streams import __version__
from streams.cli import main
from streams.settings import PREFIX, Settings, unknown_variables
from tests.unit.deploy.places import PROMETHEUS, REPOSITORY

COMPOSE = REPOSITORY / "deploy" / "compose"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == f"fenliu:{__version__}"}
WORKERS = {name: service for name, service in OURS.items() if "command" not in service}


def test_there_is_everything() -> None:
    assert set(SERVICES) == {*("kafka", "topics", "settings", "worker-1", "worker-2", "shops", "prometheus", "grafana")}
    assert set(WORKERS) == {"worker-1", "worker-2"}


@pytest.mark.parametrize("name", sorted(set(OURS) - set(WORKERS)))
def test_commands_are_those_of_fenliu(name: str) -> None:
    command: click.Command = main
    context, arguments = click.Context(main, info_name="fenliu"), [str(each) for each in OURS[name]["command"]]
    while isinstance(command, click.Group):
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=found.name)
    command.parse_args(context, arguments)


@pytest.mark.parametrize("name", OURS)
def test_settings_exist_and_are_valid(name: str) -> None:
    given = OURS[name]["environment"]
    assert unknown_variables(given) == []
    Settings.load(**{variable.removeprefix(PREFIX).lower(): value for variable, value in given.items()})


def test_workers_have_names_of_their_own() -> None:
    assert {name: service["environment"]["FENLIU_GROUP_INSTANCE_ID"] for name, service in WORKERS.items()} == {
        name: name for name in WORKERS
    }


@pytest.mark.parametrize("name", OURS)
def test_containers_of_ours_may_do_little(name: str) -> None:
    assert OURS[name]["read_only"] is True
    assert OURS[name]["cap_drop"] == ["ALL"]
    assert OURS[name]["security_opt"] == ["no-new-privileges:true"]
    assert (OURS[name].get("healthcheck") == {"disable": True}) == (name not in WORKERS)


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_at_the_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_are_mounted_are_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (COMPOSE / source).resolve().is_file()
            assert mount.endswith(":ro")


@pytest.mark.parametrize("name", SERVICES)
def test_images_have_a_version(name: str) -> None:
    image, _, version = SERVICES[name]["image"].partition(":")
    assert "." not in image.split("/")[0], "no registry is named: it is whatever the machine has configured"
    assert version not in {"", "latest"}


def mounted(name: str, directory: str, into: Path) -> None:
    """Lay out the files of a service that stand in a directory of its container."""
    for mount in SERVICES[name]["volumes"]:
        source, target = mount.split(":")[:2]
        if Path(target).parent == Path(directory):
            shutil.copy(COMPOSE / source, into / Path(target).name)


def test_prometheus_takes_its_configuration_and_scrapes_every_worker(promtool: str, tmp_path: Path) -> None:
    mounted("prometheus", "/etc/prometheus", tmp_path)
    file = tmp_path / "prometheus.yml"
    done = subprocess.run([promtool, "check", "config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    configuration = yaml.safe_load(file.read_text(encoding="utf-8"))
    [job] = configuration["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"{name}:8080" for name in WORKERS]
    example = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    assert (configuration["global"], configuration["rule_files"]) == (example["global"], example["rule_files"])
    assert job["job_name"] == example["scrape_configs"][0]["job_name"]


def test_grafana_is_given_the_dashboards_and_where_the_figures_are(tmp_path: Path) -> None:
    mounted("grafana", "/etc/grafana/dashboards", tmp_path)
    [provider] = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yaml").read_text(encoding="utf-8"))["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards" == str(Path(home).parent)
    assert {file.name for file in tmp_path.iterdir()} == {"operations.json", "shop.json"}
    [source] = yaml.safe_load((COMPOSE / "grafana" / "datasources.yaml").read_text(encoding="utf-8"))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    interval = yaml.safe_load((COMPOSE / "prometheus.yml").read_text(encoding="utf-8"))["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval
