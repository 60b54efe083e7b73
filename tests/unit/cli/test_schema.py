"""`fenliu schema`: the JSON Schemas for people and programs."""

import orjson
import pytest
from click.testing import CliRunner

from schemas.catalog import NAMES, load
from streams.cli import main


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_by_its_name(name: str) -> None:
    result = CliRunner().invoke(main, ["schema", name])
    assert result.exit_code == 0
    assert orjson.loads(result.stdout_bytes) == load(name)


def test_the_list_says_what_each_is_for() -> None:
    lines = CliRunner().invoke(main, ["schema"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(len(line.split()) > 3 for line in lines)
    assert list(orjson.loads(CliRunner().invoke(main, ["schema", "--json"]).stdout_bytes)) == list(NAMES)


def test_an_unknown_name_is_wrong_use_and_the_names_are_told() -> None:
    result = CliRunner().invoke(main, ["schema", "buyer"])
    assert result.exit_code == 2
    assert "buyer_message" in result.stderr
