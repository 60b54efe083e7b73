"""No change of the contract may break those who hold to what was released.

`baseline/` holds the JSON Schemas of the last release. After a compatible change they are copied anew at the next
release (`cp schemas/v1/*.json tests/unit/schemas/baseline/`); an incompatible one needs other types on other topics, or
stands in `DECIDED` with its reason, and in CHANGELOG.md, until that release.
"""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from schemas import catalog
from schemas.codec import TYPE_OF_TOPIC
from tests.unit.schemas.compatibility import Direction, Schema, breaks

BASELINE: Final = Path(__file__).parent / "baseline"

DECIDED: Final = {
    r"\$.*: (pattern|propertyNames) was .*": "section 1: two ids that differ by white space look the same",
    r"\$\.occurred_at_ms: minimum was 0 and is 946684800000": "section 1: a time in seconds was a time of 1970",
    r'\$\.device_id left out meant "" and means null': "Y16: a logout that names no device did nothing",
    r"\$: then was .*": "Y8: a transfer may name a group instead of an agent",
    r"\$: allOf was .*": "reset stands beside no new setting either; a cause goes with its presence",
    r'\$\.trace\[\]\[1\]: "out_of_group" is a value .*': "Y2, Y8",
}
"""What breaks somebody and was decided all the same since the last release, and why."""


def baseline(name: str) -> Schema:
    schema: Schema = orjson.loads((BASELINE / f"{name}.json").read_bytes())
    return schema


def direction(name: str) -> Direction:
    return "input" if name in TYPE_OF_TOPIC.values() else "output"


@pytest.mark.parametrize("name", sorted(path.stem for path in BASELINE.iterdir()))
def test_the_contract_breaks_nobody(name: str) -> None:
    assert name in catalog.NAMES, f"{name} was removed: those who publish or read it are broken"
    broken = [line for line in broken_promises(name) if not any(re.fullmatch(decided, line) for decided in DECIDED)]
    assert not broken, f"{name} breaks its {direction(name)} promise:\n" + "\n".join(f"- {line}" for line in broken)


@pytest.mark.parametrize("decided", DECIDED)
def test_what_was_decided_is_of_this_release(decided: str) -> None:
    lines = [line for name in catalog.NAMES for line in broken_promises(name)]
    assert any(re.fullmatch(decided, line) for line in lines), "take it out: the baseline has it"


def test_every_schema_has_a_baseline() -> None:
    assert {path.stem for path in BASELINE.iterdir()} == set(catalog.NAMES)


def broken_promises(name: str) -> list[str]:
    return breaks(baseline(name), catalog.load(name), direction(name))


def changed(name: str, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """What breaks when the properties of a schema are changed."""
    new = copy.deepcopy(baseline(name))
    change(new["properties"])
    return breaks(baseline(name), new, direction(name))


class TestInputs:
    def test_may_not_lose_a_field(self) -> None:
        assert changed("buyer_message", lambda fields: fields.pop("entry_page")) == ["$.entry_page was removed"]

    def test_may_not_retype_a_field(self) -> None:
        assert changed("buyer_message", lambda fields: fields["wants_human"].update(anyOf=[{"type": "string"}])) == [
            "$.wants_human was boolean or null and is string"
        ]

    def test_may_not_require_a_field_more(self) -> None:
        new = copy.deepcopy(baseline("agent_status"))
        new["required"].append("device")
        assert breaks(baseline("agent_status"), new, "input") == ["$.device is newly required"]

    def test_may_not_take_fewer_values(self) -> None:
        assert changed("agent_reply", lambda fields: fields["kind"]["enum"].remove("auto")) == [
            '$.kind: "auto" is no longer taken'
        ]

    def test_may_not_narrow_a_bound(self) -> None:
        assert changed("shop_config", lambda fields: fields["busy_threshold"].update(maximum=100)) == [
            "$.busy_threshold: maximum was 10000 and is 100"
        ]

    def test_may_not_narrow_a_shared_part(self) -> None:
        new = copy.deepcopy(baseline("agent_status"))
        new["$defs"]["id"]["maxLength"] = 64
        assert "$.agent_id: maxLength was 128 and is 64" in breaks(baseline("agent_status"), new, "input")

    def test_may_not_change_a_default(self) -> None:
        assert changed("shop_config", lambda fields: fields["pool_drain"].update(default=False)) == [
            "$.pool_drain left out meant true and means false"
        ]

    def test_may_not_change_what_is_nested(self) -> None:
        new = copy.deepcopy(baseline("shop_config"))
        del new["$defs"]["Group"]["properties"]["robot"]
        assert breaks(baseline("shop_config"), new, "input") == ["$.groups[].robot was removed"]

    def test_may_not_set_another_condition(self) -> None:
        new = copy.deepcopy(baseline("agent_reply"))
        new["then"]["required"].append("event_note")
        (line,) = breaks(baseline("agent_reply"), new, "input")
        assert line.startswith("$: then was ")

    def test_may_take_more(self) -> None:
        def widen(fields: dict[str, Any]) -> None:
            fields["note"] = {"type": "string"}
            fields["busy_threshold"]["maximum"] = 20000
            fields["policy"]["enum"].append("douyin")
            fields["rescue"]["description"] = "Another word for it."

        assert changed("shop_config", widen) == []


class TestOutputs:
    def test_may_not_lose_a_field(self) -> None:
        assert changed("assignment", lambda fields: fields.pop("weight")) == ["$.weight was removed"]

    def test_may_not_leave_a_field_out(self) -> None:
        new = copy.deepcopy(baseline("assignment"))
        new["required"].remove("late_ms")
        assert breaks(baseline("assignment"), new, "output") == ["$.late_ms is no longer always there"]

    def test_may_not_become_null(self) -> None:
        assert changed(
            "assignment", lambda fields: fields.update(rule={"anyOf": [{"type": "string"}, {"type": "null"}]})
        ) == ["$.rule was string and is null or string"]

    def test_may_not_surprise_with_a_value(self) -> None:
        assert changed("agent_presence", lambda fields: fields["presence"]["enum"].append("away")) == [
            '$.presence: "away" is a value that no consumer knows'
        ]

    def test_may_not_surprise_within_a_row(self) -> None:
        def add(fields: dict[str, Any]) -> None:
            fields["trace"]["items"]["prefixItems"][1]["enum"].append("asleep")

        assert changed("assignment", add) == ['$.trace[][1]: "asleep" is a value that no consumer knows']

    def test_may_not_widen_a_bound(self) -> None:
        assert changed("assignment", lambda fields: fields["waiting_messages"].update(minimum=0)) == [
            "$.waiting_messages: minimum was 1 and is 0"
        ]

    def test_may_say_more(self) -> None:
        def add(fields: dict[str, Any]) -> None:
            fields["shift"] = {"type": "string"}
            fields["late_ms"]["maximum"] = 10

        assert changed("assignment", add) == []
