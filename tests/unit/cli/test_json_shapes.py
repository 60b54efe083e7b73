"""What a command writes with --json is described, key by key."""

from collections.abc import Iterator
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, main
from streams.embedded import free_port
from tests.unit.docs.documents import read
from tests.unit.docs.test_reference import command_names


def section(command: str) -> str:
    return read("docs/reference/commands.md").split(f"\n## fenliu {command}\n")[1].split("\n## ")[0]


def with_json() -> Iterator[str]:
    """The commands that have the option."""
    for name in command_names():
        command: click.Command | None = main
        for word in name.split():
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(main), word)
        assert command is not None
        if any("--json" in parameter.opts for parameter in command.params):
            yield name


@pytest.mark.parametrize("name", list(with_json()))
def test_there_is_more_than_the_option(name: str) -> None:
    """Somebody who wrote `Option: --json` and no more is told."""
    text = section(name.split(maxsplit=1)[0])
    assert "--json" in text
    assert "Option: `--json`" not in text


def test_commands_whose_result_is_for_people_alone_are_few() -> None:
    tops = {name.split()[0] for name in with_json()}
    # A worker and the demo have no result; replay, simulate and completion write what programs read as it is.
    assert set(COMMANDS) - tops == {"worker", "simulate", "replay", "completion", "demo"}


def keys(document: object) -> set[str]:
    """All keys, but those that are names of things: of topics and variables."""
    if isinstance(document, list):
        return {key for each in document for key in keys(each)}
    if not isinstance(document, dict):
        return set()
    own = {str(key) for key in document if str(key).islower()}
    return own | {key for name, each in document.items() if name != "told" for key in keys(each)}


def test_of_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENLIU_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr("streams.kafka_clients.PATIENCE_S", 0.0)
    result = CliRunner().invoke(main, ["check", "--json"])
    assert result.exit_code == 75
    found = keys(orjson.loads(result.stdout_bytes))
    assert {"ok", "checks", "findings", "mend"} <= found
    assert [key for key in found if f"`{key}`" not in section("check")] == []


def test_of_config_check(tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    file.write_text("- {shop_id: s, policy: nobody, polcy: qianniu}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["config", "check", str(file), "--json"])
    assert result.exit_code == 1
    assert [key for key in keys(orjson.loads(result.stdout_bytes)) if f"`{key}`" not in section("config")] == []
