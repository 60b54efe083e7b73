"""Completion in shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, main
from streams.commands.completion import SHELLS, VARIABLE

REPOSITORY = Path(__file__).parents[3]
FENLIU = Path(sys.executable).with_name("fenliu")


def script(shell: str) -> str:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    return result.stdout


def completed(*words: str) -> list[str]:
    """What bash is told when the last of these words is half written."""
    environment = {VARIABLE: "bash_complete", "COMP_WORDS": " ".join(("fenliu", *words)), "COMP_CWORD": str(len(words))}
    result = CliRunner().invoke(main, [], prog_name="fenliu", env=environment)
    assert result.exit_code == 0
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_asks_this_command(shell: str) -> None:
    assert f"{VARIABLE}={shell}_complete" in script(shell)
    assert "fenliu" in script(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_its_script(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([program, "-n"], input=script(shell), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_options_and_values_are_completed() -> None:
    assert completed("") == list(COMMANDS)
    assert completed("to") == ["topics"]
    assert completed("topics", "") == ["check", "create"]
    assert completed("dlq", "redrive", "--d") == ["--dry-run"]
    assert completed("dlq", "ls", "--code", "not_") == ["not_json", "not_utf8"]
    assert completed("completion", "z") == ["zsh"]


def test_bash_completes() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    lines = (
        'eval "$(fenliu completion bash)"',
        "COMP_WORDS=(fenliu dlq re) COMP_CWORD=2",
        "_fenliu_completion fenliu",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )
    path = f"{FENLIU.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", "\n".join(lines)],
        env={**os.environ, "PATH": path},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "redrive\n", "")


def test_whoever_presses_tab_does_not_wait_for_clients() -> None:
    code = (
        "import sys\nfrom streams.cli import main\ntry: main(prog_name='fenliu')\nexcept SystemExit: pass\n"
        "print('aiokafka' in sys.modules, 'faust' in sys.modules)"
    )
    environment = {**os.environ, VARIABLE: "bash_complete", "COMP_WORDS": "fenliu ", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"
