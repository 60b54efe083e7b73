"""The reference is complete, and says what the code says."""

import re
from pathlib import Path
from typing import get_args

import click
import pytest
from msgspec import NODEFAULT, UNSET, Struct
from msgspec.structs import FieldInfo, fields

from schemas.decisions import AgentPresence, Assignment, DeadLetterHeaders, Outcome
from schemas.errors import Code
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import AgentSettings, DetectionLag, Group, LeaveMessage, Page, ShopConfig
from streams.cli import COMMANDS, main
from streams.errors import ExitCode
from streams.metrics import RULES, Metrics
from streams.settings import Settings, variable
from tests.unit.docs.documents import DOCUMENTS, code_names, name, prose, read, table

RULE_IDS = [
    f"{letter}{number}"
    for letter, first, last in [
        ("L", 1, 11), ("C", 1, 3), ("Q", 0, 8), ("P", 0, 6), ("R", 1, 2), ("S", 1, 5), ("T", 1, 6), ("O", 1, 5),
        ("X", 1, 3), ("F", 1, 10),
    ]
    for number in range(first, last + 1)
]  # fmt: skip

RULES_TEXT = read("docs/reference/rules.md")


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_every_rule_has_its_paragraph(rule_id: str) -> None:
    assert RULES_TEXT.count(f"\n- **{rule_id}** ") == 1


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_rule_ids_that_are_cited_exist(path: Path) -> None:
    assert set(re.findall(r"\b[LCQPRSTOXF]\d{1,2}\b", prose(path))) <= set(RULE_IDS)


def test_every_rung_and_rule_is_named() -> None:
    assert [rule for rule in RULES if f"`{rule}`" not in RULES_TEXT] == []


def test_outcomes_of_a_trace() -> None:
    rows = table(RULES_TEXT, "## 1. Events and assignments")
    assert {outcome for row in rows for outcome in code_names(row[0])} == set(get_args(Outcome)) - {"taken"}


def test_codes_of_dead_letters() -> None:
    rows = table(RULES_TEXT, "## 9. Bad input")
    assert sorted(code for row in rows for code in code_names(row[0])) == sorted(get_args(Code))


def command_names() -> list[str]:
    context = click.Context(main)
    names = []
    for top in COMMANDS:
        command = main.get_command(context, top)
        names += [f"{top} {inner}" for inner in command.commands] if isinstance(command, click.Group) else [top]
    return names


@pytest.mark.parametrize("command_name", command_names())
def test_every_command_and_option_is_described(command_name: str) -> None:
    section = (
        read("docs/reference/commands.md").split(f"\n## fenliu {command_name.partition(' ')[0]}\n")[1].split("\n## ")[0]
    )
    if " " in command_name:
        assert f"`fenliu {command_name}" in section
    command: click.Command | None = main
    for word in command_name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(main), word)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert all(re.search(rf"{option}\b", section) for option in (*parameter.opts, *parameter.secondary_opts))


def test_every_variable_is_described_with_its_default() -> None:
    rows = table(read("docs/reference/environment.md"), "# Environment variables")
    described = {code_names(row[0])[0]: row[1] for row in rows}
    assert list(described) == [variable(field) for field in Settings.model_fields]
    for field, info in Settings.model_fields.items():
        default = None if info.default_factory else info.default
        if isinstance(default, bool):
            assert described[variable(field)] == f"`{str(default).lower()}`"
        elif default:
            assert described[variable(field)] == f"`{default}`"


def test_every_metric_is_described_with_its_type_and_labels() -> None:
    rows = re.findall(
        r"^\| `((?:fenliu|process)_\w+)` \| (\w+) \| (.*?) \|", read("docs/reference/metrics.md"), re.MULTILINE
    )
    described = {metric: (kind, sorted(code_names(labels))) for metric, kind, labels in rows}
    suffixes = {"counter": "_total", "info": "_info"}
    metrics = {
        family.name + suffixes.get(family.type, ""): (
            family.type,
            sorted({label for sample in family.samples for label in sample.labels if label != "le"}),
        )
        for family in Metrics(Settings.load()).registry.collect()
    }
    assert described.keys() == metrics.keys()
    for metric, (kind, labels) in metrics.items():
        assert described[metric][0] == kind
        if labels:  # a metric without a series does not tell its labels
            assert described[metric][1] == labels


def test_every_exit_code_is_described() -> None:
    assert [int(row[0]) for row in table(read("docs/reference/exit-codes.md"), "# Exit codes")] == sorted(ExitCode)


@pytest.mark.parametrize("struct", [BuyerMessage, AgentStatus, AgentReply, Assignment, AgentPresence])
def test_every_field_of_a_record_is_described(struct: type[Struct]) -> None:
    heading = re.sub(r"(?<!^)([A-Z])", r"_\1", struct.__name__).lower()
    rows = table(read("docs/reference/topics.md"), f"## {heading}")
    described = [field for row in rows for field in code_names(row[0])]
    assert sorted(described) == sorted({"type", *(field.encode_name for field in fields(struct))})


def test_every_header_of_a_dead_letter_is_described() -> None:
    rows = table(read("docs/reference/topics.md"), "## dead-letters")
    assert [header for row in rows for header in code_names(row[0])] == [
        field.encode_name for field in fields(DeadLetterHeaders)
    ]


_PARTS: dict[str, type[Struct]] = {
    "agents[].": AgentSettings,
    "groups[].": Group,
    "pages[].": Page,
    "leave_message.": LeaveMessage,
}


def settings() -> dict[str, FieldInfo]:
    named = {field.name: field for field in fields(ShopConfig) if field.name != "leave_message"}
    for prefix, part in _PARTS.items():
        named |= {prefix + field.name: field for field in fields(part)}
    return named


def shown(field: FieldInfo) -> str | None:
    """The default as settings.md writes it; None where it says more than a value."""
    default = field.default if field.default_factory is NODEFAULT else field.default_factory()
    if default is NODEFAULT:
        return "required"
    if default is UNSET or isinstance(default, DetectionLag) or field.name == "main_account_id":
        return None
    if default is None:
        return "null"
    if isinstance(default, int) and not isinstance(default, bool):
        return str(default)
    words = {True: "true", False: "false", (): "[]"}
    return "`{}`" if default == {} else f"`{words.get(default, default)}`"


def test_every_setting_is_described_with_its_default() -> None:
    text = read("docs/reference/settings.md")
    described = dict(re.findall(r"^\| `([\w.\[\]]+)` \| (.*?) \| .* \| .*\|$", text, re.MULTILINE))
    assert described.keys() == settings().keys()
    wrong = {
        name_: described[name_] for name_, field in settings().items() if shown(field) not in (None, described[name_])
    }
    assert wrong == {}
