"""README.zh-CN.md: written as Chinese is, complete, and true of the router."""

import re
from pathlib import Path
from typing import get_args

import orjson
import pytest
from click.testing import CliRunner

from schemas.decisions import AgentPresence, Assignment, Outcome
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.settings import SETTINGS
from schemas.shop import AgentSettings, DetectionLag, Group, LeaveMessage, Page
from streams.cli import COMMANDS, main
from streams.metrics import RULES
from streams.simulate.profiles import ORDER_STATES, PAGES
from tests.unit.docs.documents import ROOT, code_names, fences, prose, read

README = ROOT / "README.zh-CN.md"
TEXT = read("README.zh-CN.md")
_RECORDS = (AgentPresence, AgentReply, AgentSettings, AgentStatus, Assignment, BuyerMessage, DetectionLag, Group,
            LeaveMessage, Page)  # fmt: skip
_VALUES = {
    "all_agents",
    "all_pending",
    "offline",
    "pinduoduo",
    "qianniu",
    "random_group",
    "stranded",
    "undetected_offline",
}
_MESSAGE = 1_781_139_700_000
"""When the buyer of the stories below writes, in ms."""


def test_punctuation_is_full_width() -> None:
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose(README))
    assert re.findall(r".{0,8}(?:[\u4e00-\u9fff][,;:!?()\"']|[,;:!?()\"'][\u4e00-\u9fff]).{0,8}", text) == []


@pytest.mark.parametrize("word", ["老买家", "编号", "被晾", "点名"])
def test_words_that_operators_do_not_say(word: str) -> None:
    assert word not in TEXT


@pytest.mark.parametrize("name", [*RULES, *get_args(Outcome), *ORDER_STATES, *PAGES])
def test_rules_outcomes_states_and_pages_are_in_it(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_names_that_are_in_it_exist() -> None:
    fields = {name for record in _RECORDS for name in record.__struct_fields__}
    known = {*RULES, *get_args(Outcome), *ORDER_STATES, *PAGES, *SETTINGS, *_VALUES, *fields, *COMMANDS, "fenliu"}
    named = {name for name in code_names(prose(README)) if re.fullmatch(r"[a-z_]+", name)}
    assert named - known == set()


# What it says of the router, with the settings that it shows


def settings_with(word: str) -> str:
    (found,) = (fence.body for fence in fences("yaml") if fence.path == README and word in fence.body)
    return found


def event(kind: str, number: int, at_ms: int, **fields: object) -> dict[str, object]:
    return {"type": kind, "event_id": f"{kind}-{number}", "shop_id": "shop-1", "occurred_at_ms": at_ms, **fields}


def comes(agent: str, at_ms: int, status: str = "online") -> dict[str, object]:
    return event("agent_status", at_ms, at_ms, agent_id=agent, status=status)


def rules(place: Path, settings: str, *events: dict[str, object]) -> list[tuple[str, str]]:
    """Rule and target of each assignment."""
    (place / "shops.yaml").write_text(settings, encoding="utf-8")
    (place / "events.jsonl").write_bytes(b"\n".join(map(orjson.dumps, events)))
    said = CliRunner().invoke(main, ["replay", "--shops", str(place / "shops.yaml"), str(place / "events.jsonl")])
    assert said.exit_code == 0, said.output
    return [(each["rule"], each["target"]["id"]) for each in map(orjson.loads, said.stdout.splitlines())]


def test_refunds_go_on_to_others_when_their_agent_is_away(tmp_path: Path) -> None:
    refund = event("buyer_message", 1, _MESSAGE, buyer_id="b", order_state="refunding")
    settings = settings_with("售后")
    here = [comes("阿芳", _MESSAGE - 2), comes("小丽", _MESSAGE - 1)]
    assert rules(tmp_path, settings, *here, refund) == [("group_share", "阿芳")]
    assert rules(tmp_path, settings, here[1], refund) == [("group_fallback", "小丽")]


def test_the_robot_answers_for_an_empty_shop_only_with_both_settings(tmp_path: Path) -> None:
    alone = event("buyer_message", 1, _MESSAGE, buyer_id="b")
    settings = settings_with("robot_when_unattended")
    assert rules(tmp_path, settings, alone) == [("robot_when_unattended", "店小蜜")]
    without = settings.replace("robot_first: true", "robot_first: false")
    assert rules(tmp_path, without, alone) == [("leave_message", "message_pool")]


@pytest.mark.parametrize(("rescue", "moved"), [("all_pending", 2), ("stranded", 1)])
def test_who_is_rescued(tmp_path: Path, rescue: str, moved: int) -> None:
    """The buyer before the drop is moved by all_pending only."""
    settings = settings_with("rescue: all_pending").replace("all_pending", rescue)
    story = [
        comes("小丽", _MESSAGE - 1000),
        event("buyer_message", 1, _MESSAGE, buyer_id="before"),
        comes("小丽", _MESSAGE + 1000, "offline"),
        event("buyer_message", 2, _MESSAGE + 2000, buyer_id="after"),
        comes("阿强", _MESSAGE + 3000),
        comes("阿强", _MESSAGE + 600_000),
    ]
    assert rules(tmp_path, settings, *story)[2:] == [("stranded_rescue", "阿强")] * moved
