"""How every command is found, and the ways in which it ends."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from streams import __version__
from streams.cli import COMMANDS, Entry, main

PYTHON = sys.executable


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setitem(COMMANDS, "ends", Entry("tests.unit.cli.endings", "ends", "End somehow."))
    return CliRunner()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("0", 0),
        ("1", 1),
        ("FoundError", 1),
        ("UsageError", 2),
        ("SettingsError", 2),
        ("FencedError", 3),
        ("FenliuError", 70),
        ("BrokerUnreachableError", 75),
        ("ClusterError", 78),
        ("group", 3),
        ("interrupt", 130),
        ("defect", 70),
    ],
)
def test_each_way_to_end_has_its_exit_code(ends: CliRunner, how: str, code: int) -> None:
    result = ends.invoke(main, ["ends", how])
    assert result.exit_code == code
    assert result.stdout == ""


def test_an_error_says_where_what_and_how_to_mend_it(ends: CliRunner) -> None:
    result = ends.invoke(main, ["ends", "ClusterError"])
    assert result.stderr == "fenliu: hall.yaml:3: the clock is wrong\n  to mend it: wind it up\n"


def test_a_defect_shows_what_to_report(ends: CliRunner) -> None:
    result = ends.invoke(main, ["ends", "defect"])
    assert "Traceback" in result.stderr
    assert "report the lines above" in result.stderr
    assert f"fenliu {__version__}, Python " in result.stderr


def test_an_error_of_ours_has_no_traceback(ends: CliRunner) -> None:
    assert "Traceback" not in ends.invoke(main, ["ends", "FenliuError"]).stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["ends"], ["ends", "0", "--nonsense"]])
def test_wrong_use_is_2_with_a_hint(ends: CliRunner, arguments: list[str]) -> None:
    result = ends.invoke(main, arguments)
    assert result.exit_code == 2
    assert "Try 'main" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "guess"), [(["chek"], "check"), (["config", "gett", "s"], "get"), (["dlq", "redriv"], "redrive")]
)
def test_a_misspelt_command_is_guessed(arguments: list[str], guess: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert f"do you mean {guess}?" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_shows_what_is_meant_for_click(name: str) -> None:
    """What stands before lines that are not to be wrapped must be a backspace, not two characters that say so."""
    shown = CliRunner().invoke(main, [name, "--help"]).stdout
    assert "\\" not in shown


def test_a_command_whose_module_is_missing_says_so_only_when_it_is_called(
    ends: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS, "absent", Entry("streams.commands.absent", "absent", "Not there."))
    assert "absent" in ends.invoke(main, ["--help"]).stdout
    result = ends.invoke(main, ["absent"])
    assert result.exit_code == 70
    assert "streams.commands.absent is missing" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_declared_command_is_there_and_explains_itself(name: str) -> None:
    with click.Context(main) as context:
        command = main.get_command(context, name)
    assert command is not None
    assert command.help
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    for each in commands:
        assert each.help
        assert all(option.help for option in each.params if isinstance(option, click.Option))


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout and entry.short_help in result.stdout for name, entry in COMMANDS.items())


def test_python_m_streams_is_the_same_command() -> None:
    done = subprocess.run([PYTHON, "-m", "streams", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"fenliu {__version__}\n")


def test_a_command_that_needs_no_faust_does_not_wait_for_it() -> None:
    code = (
        "import sys\nfrom streams.cli import main\n"
        "try: main(['schema'])\nexcept SystemExit: print('faust' in sys.modules, 'aiokafka' in sys.modules)"
    )
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [PYTHON, "-m", "streams", "schema", "assignment"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_setting_that_cannot_be_used_is_wrong_use_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENLIU_HTTP_PORT", "eighty")
    result = CliRunner().invoke(main, ["topics", "check"])
    assert result.exit_code == 2
    assert "FENLIU_HTTP_PORT" in result.stderr


def test_a_broker_that_cannot_be_reached_is_75_and_its_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka_clients.PATIENCE_S", 0.0)
    monkeypatch.setenv("FENLIU_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    result = CliRunner().invoke(main, ["topics", "check"])
    assert result.exit_code == 75
    assert "127.0.0.1:1" in result.stderr
    assert "FENLIU_KAFKA_BOOTSTRAP_SERVERS" in result.stderr
