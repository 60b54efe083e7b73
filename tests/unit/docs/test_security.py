"""docs/security.md lists the rights that the product knows, role by role, and the log says what it promises."""

import pytest

from streams.access import ROLES, Operation, Right, Role, rights
from streams.settings import Settings
from tests.unit.docs.documents import code_names, read, table

DOCUMENT = "docs/security.md"


def listed(role: Role) -> set[tuple[str, str, str, str]]:
    return {
        (resource, pattern, name, operation.strip())
        for resource, pattern, names, operations in table(read(DOCUMENT), f"### {role}")
        for name in code_names(names)
        for operation in operations.split(",")
    }


@pytest.mark.parametrize("role", ROLES)
def test_the_rights_of_every_role_are_listed(role: Role) -> None:
    assert listed(role) == set(rights(Settings(app_id="fenliu", topic_prefix=""), role))


def test_no_role_is_listed_that_is_none() -> None:
    sections = read(DOCUMENT).split("## Rights\n")[1].split("\n## ")[0]
    assert [line.removeprefix("### ") for line in sections.splitlines() if line.startswith("### ")] == list(ROLES)


@pytest.mark.parametrize("operation", ["Read", "Write", "Create", "DescribeConfigs"])
def test_every_operation_is_somebodys(operation: Operation) -> None:
    everybody: list[Right] = [right for role in ROLES for right in rights(Settings(), role)]
    assert any(right.operation == operation for right in everybody)
