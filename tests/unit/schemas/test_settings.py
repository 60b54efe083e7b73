"""A shop's settings: their version (C1), what is unknown (F9), and what survives being stored."""

import json
from datetime import date
from hashlib import blake2b
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from msgspec import UNSET

from schemas.codec import InvalidEvent, decode, parse_change, parse_settings
from schemas.settings import SETTINGS
from schemas.shop import AgentSettings, ShopConfig
from tests.unit.schemas.strategies import Document, shop_configs

NULLABLE = {
    "recent_contact_window_h", "default_max_pending", "no_reply_reassign_s", "suspended_keeps_recent_h",
    "no_reply_suspend_after",
}  # fmt: skip
ENVELOPE = {"type": "shop_config", "shop_id": "s", "event_id": "c", "occurred_at_ms": 1, "reset": None}


def version_of(text: str) -> str:
    """C1, written out: the hash of the canonical text."""
    return blake2b(text.encode()).hexdigest()[:12]


class TestVersion:
    def test_is_that_of_the_canonical_text(self) -> None:
        settings = {"policy": "qianniu", "busy_threshold": 5, "agents": [{"weight": 300, "agent_id": "小丽"}]}
        text = '{"agents":[{"agent_id":"小丽","weight":300}],"busy_threshold":5,"policy":"qianniu"}'
        assert parse_settings(settings)[1] == version_of(text)

    def test_knows_the_envelope_and_unknown_fields_at_no_depth(self) -> None:
        settings: dict[str, Any] = {
            "colour": 1,
            "agents": [{"agent_id": "a", "colour": 2}],
            "groups": [{"group_id": "g", "colour": [3]}],
            "pages": [{"page": "p", "colour": None}],
            "leave_message": {"colour": {}},
            "detection_lag_s": {"colour": 4, "max": 300},
        }
        text = (
            '{"agents":[{"agent_id":"a"}],"detection_lag_s":{"max":300},"groups":[{"group_id":"g"}],'
            '"leave_message":{},"pages":[{"page":"p"}]}'
        )
        assert parse_settings(ENVELOPE | settings)[1] == version_of(text)

    def test_keeps_every_key_of_a_map(self) -> None:
        assert parse_settings({"dedicated_agents": {"colour": "a"}})[1] == version_of(
            '{"dedicated_agents":{"colour":"a"}}'
        )

    def test_is_of_the_values_as_given(self) -> None:
        assert parse_settings({"busy_threshold": 100.0})[1] == version_of('{"busy_threshold":100.0}')
        assert parse_settings({"busy_threshold": 100})[1] == version_of('{"busy_threshold":100}')
        assert parse_settings({"default_max_pending": None})[1] == version_of('{"default_max_pending":null}')

    def test_of_no_settings_is_that_of_an_empty_object(self) -> None:
        assert parse_settings(dict(ENVELOPE))[1] == version_of("{}")

    def test_is_twelve_digits_that_never_change(self) -> None:
        assert parse_settings({"policy": "pinduoduo"})[1] == "266a2c2cc425"


class TestSettings:
    def test_of_sections_3_11_and_13_are_all_there(self) -> None:
        assert len(SETTINGS) == 32

    def test_a_number_without_a_fraction_becomes_an_integer(self) -> None:
        settings, _, given_ = parse_settings({"agents": [{"agent_id": "a", "weight": 100.0}]})
        assert settings.agents == (AgentSettings(agent_id="a", weight=100),)
        assert type(settings.agents[0].weight) is int
        assert given_ == b'{"agents":[{"agent_id":"a","weight":100.0}]}'

    def test_the_window_null_is_not_the_window_absent(self) -> None:
        assert parse_settings({})[0].recent_contact_window_h is UNSET
        assert parse_settings({"recent_contact_window_h": None})[0].recent_contact_window_h is None

    def test_the_window_s_default_is_the_policy_s(self) -> None:
        assert ShopConfig().recent_window_h == 72
        assert ShopConfig(policy="pinduoduo").recent_window_h is None
        assert ShopConfig(policy="pinduoduo", recent_contact_window_h=5).recent_window_h == 5
        assert ShopConfig(recent_contact_window_h=None).recent_window_h is None

    @pytest.mark.parametrize("name", sorted(SETTINGS))
    def test_null_is_a_value_only_where_the_table_says_so(self, name: str) -> None:
        if name in NULLABLE:
            parse_settings({name: None})
        else:
            with pytest.raises(InvalidEvent) as caught:
                parse_settings({name: None})
            assert (caught.value.code, caught.value.path) == ("config", f"$.{name}")

    def test_an_order_state_may_be_bound_to_two_groups(self) -> None:
        parse_settings(
            {"groups": [{"group_id": "a", "order_states": ["paid"]}, {"group_id": "b", "order_states": ["paid"]}]}
        )

    def test_agents_of_groups_need_not_stand_in_agents(self) -> None:
        parse_settings({"agents": [], "groups": [{"group_id": "g", "agent_ids": ["nobody-yet"]}]})

    def test_those_that_were_stored_before_ids_could_not_end_blank_stay(self) -> None:
        document: Document = {"groups": [{"group_id": "售后 ", "agent_ids": [" a"]}], "dedicated_agents": {"b ": "a"}}
        found, version, given_ = parse_settings(document, stored=True)
        assert found.groups[0].group_id == "售后 "
        assert parse_settings(orjson.loads(given_), stored=True) == (found, version, given_)
        with pytest.raises(InvalidEvent):
            parse_settings(document)
        with pytest.raises(InvalidEvent):
            parse_settings({"groups": [{"group_id": "售后\n"}]}, stored=True)

    def test_heartbeats_with_the_default_lag(self) -> None:
        parse_settings({"expect_heartbeats": True})

    @given(shop_configs)
    @settings(deadline=None)
    def test_read_again_from_what_was_given_are_the_same(self, document: Document) -> None:
        found, version, stored = parse_settings(document)
        assert parse_settings(orjson.loads(stored)) == (found, version, stored)
        assert json.loads(stored) == {name: value for name, value in document.items() if name in SETTINGS}


class TestFromYaml:
    """PyYAML makes more than JSON has."""

    @pytest.mark.parametrize(
        ("document", "path"),
        [
            ({"robot_id": date(2026, 6, 11)}, "$.robot_id"),
            ({"robot_id": "\ud800"}, "$.robot_id"),
            ({"dedicated_agents": {7: "a"}}, "$.dedicated_agents[...]"),
            ({"busy_threshold": float("nan")}, "$.busy_threshold"),
            ({"busy_threshold": float("inf")}, "$.busy_threshold"),
            ({"busy_threshold": 10**40}, "$.busy_threshold"),
            ({"agents": {"agent_id": "a"}}, "$.agents"),
            ({"agents": ({"agent_id": "a"},)}, "$.agents"),
        ],
    )
    def test_what_json_has_not_is_refused(self, document: dict[str, object], path: str) -> None:
        with pytest.raises(InvalidEvent) as caught:
            parse_settings(document)
        assert (caught.value.code, caught.value.path) == ("config", path)

    def test_an_unknown_field_may_be_anything(self) -> None:
        mixed: dict[Any, object] = {"since": date(2026, 6, 11), 7: None, None: "\ud800"}
        assert parse_settings(mixed) == parse_settings({})

    def test_a_change_is_that_of_the_record(self) -> None:
        document = {"type": "shop_config", "shop_id": "s", "busy_threshold": 5}
        record = decode("shop-configs", orjson.dumps(document), key=b"s", timestamp_ms=9)
        assert parse_change(document, timestamp_ms=9) == record

    @pytest.mark.parametrize("document", [None, [], "shop", {"shop_id": "s"}])
    def test_a_change_is_an_object_with_its_type(self, document: object) -> None:
        with pytest.raises(InvalidEvent, match=r"^schema: "):
            parse_change(document, timestamp_ms=9)
