"""What is shown in code blocks can be used: commands, settings, records."""

import re
from pathlib import Path

import click
import jsonschema
import orjson
import pytest

from schemas import catalog
from schemas.codec import decode_line
from streams.cli import main
from streams.shops_file import read_shops
from tests.unit.docs.documents import DOCUMENTS, Fence, command_lines, fences, name, prose

_DECISIONS = ("assignment", "agent_presence")


def found(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words call, and what is left for it to parse."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]}"
        command, words = inner, words[1:]
    return command, words


@pytest.mark.parametrize("fence", fences("console", "sh", "bash"), ids=str)
def test_command_lines_can_be_parsed(fence: Fence) -> None:
    prompts = [line for line in fence.body.splitlines() if line.startswith("$ ")]
    for words in command_lines("\n".join(prompts)):
        command, arguments = found(words)
        if arguments != ["--version"]:
            command.make_context("fenliu", arguments)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_commands_named_in_a_sentence_have_the_options_named_with_them(path: Path) -> None:
    for code in re.findall(r"`(fenliu [^`]*)`", prose(path)):
        words = re.sub(r"\[[^]]*\]", "", code).split()[1:]
        if not words[0].isupper() and words[0] != "--version":
            command, arguments = found(words)
            options = {
                option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
            }
            assert {word for word in arguments if word.startswith("-")} <= options, code


@pytest.mark.parametrize("fence", fences("yaml"), ids=str)
def test_shop_settings_can_be_used(fence: Fence, tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    file.write_text(fence.body, encoding="utf-8")
    shops = read_shops(file)
    assert (shops.errors, shops.warnings) == ([], [])
    assert shops.shops


@pytest.mark.parametrize("fence", fences("json"), ids=str)
def test_records_are_valid(fence: Fence) -> None:
    for line in fence.body.splitlines():
        record = orjson.loads(line)
        kind = record.get("type")
        if kind in _DECISIONS:
            jsonschema.validate(record, catalog.load(kind))
        elif kind is not None:
            decode_line(line.encode())
