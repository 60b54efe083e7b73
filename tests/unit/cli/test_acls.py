"""`fenliu acls`: the rights of roles, as commands and as JSON, for the names of this fenliu."""

import json
import shlex

import pytest
from click.testing import CliRunner, Result

from streams.access import ROLES, rights
from streams.cli import main
from streams.settings import Settings

NAMES = {"FENLIU_APP_ID": "desk", "FENLIU_TOPIC_PREFIX": "eu-"}


def acls(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["acls", *arguments], env=NAMES)


def granted(line: str) -> set[tuple[str, str, str, str]]:
    """What a kafka-acls.sh command line grants."""
    words = shlex.split(line)
    assert words[:4] == ["kafka-acls.sh", "--bootstrap-server", "HOST:PORT", "--add"]
    options = list(zip(words[4::2], words[5::2], strict=True))
    operations = [value for option, value in options if option == "--operation"]
    pattern = dict(options).get("--resource-pattern-type", "literal")
    kinds = {"--topic": "Topic", "--group": "Group", "--transactional-id": "TransactionalId"}
    return {
        (kinds[option], pattern, name, operation)
        for option, name in options
        if option in kinds
        for operation in operations
    }


@pytest.mark.parametrize("role", ROLES)
def test_the_commands_grant_exactly_the_rights_of_a_role(role: str) -> None:
    result = acls(role, "--principal", "User:somebody")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if not line.startswith("#")]
    assert all("--allow-principal User:somebody" in line for line in lines)
    wanted = rights(Settings(app_id="desk", topic_prefix="eu-"), role)  # type: ignore[arg-type]
    assert set().union(*map(granted, lines)) == set(wanted)


def test_json_lists_all_roles_with_the_group_of_the_consumer() -> None:
    told = json.loads(acls("--json", "--group", "my desk").stdout)
    assert list(told) == list(ROLES)
    assert {"resource": "Group", "pattern": "literal", "name": "my desk", "operation": "Read"} in told["consumer"]
    assert told["worker"][0]["name"] == "eu-buyer-messages"


def test_a_principal_without_its_kind_is_refused() -> None:
    result = acls("worker", "--principal", "fenliu")
    assert result.exit_code == 2
    assert "User:fenliu" in result.stderr
