"""The generated traffic is valid, repeats itself, and reaches every rung, rule and presence."""

from __future__ import annotations

import random
from itertools import chain

import pytest
from hypothesis import given

from schemas.decisions import Assignment
from tests.reference.model import ReferenceRouter
from tests.reference.shops import config_change, draw_settings, version_of
from tests.reference.traffic import Item, RandomSource, draw_cast, event_sequences, play, random_events

RULES = {
    "addressed_agent", "addressed_agent_offline", "leave_message", "robot_when_unattended", "recent_contact",
    "dedicated_agent", "robot_first", "group_robot", "group_share", "group_fallback", "queue", "random_online",
    "page_share", "offline_receiver", "pool_drained", "stranded_rescue", "no_reply",
}  # fmt: skip


def test_c1_the_version_of_some_settings() -> None:
    # blake2b of {"policy":"pinduoduo","robot_id":"小蜜"} in UTF-8
    settings: dict[str, object] = {"robot_id": "小蜜", "policy": "pinduoduo", "no_such_setting": 1}
    assert version_of(settings) == "c58c8c100bd8"


@pytest.mark.parametrize("seed", range(50))
def test_c1_c2_settings_are_valid_and_have_their_version(seed: int) -> None:
    source = RandomSource(random.Random(seed))  # noqa: S311  (test traffic, no secret)
    document = draw_settings(source, draw_cast(source))
    assert config_change("s", 0, document).version == version_of(document)


@pytest.mark.parametrize("seed", range(20))
def test_o5_the_same_events_give_the_same_decisions(seed: int) -> None:
    items = random_events(seed, 60, ticks=True)
    assert items == random_events(seed, 60, ticks=True)
    assert play(ReferenceRouter(), items) == play(ReferenceRouter(), items)


@pytest.mark.slow
def test_every_rule_and_presence_comes_up() -> None:
    rules: set[str] = set()
    presences: set[str] = set()
    for seed in range(60):
        for decision in chain(*play(ReferenceRouter(), random_events(seed, 200, ticks=True))):
            if isinstance(decision, Assignment):
                rules.add(decision.rule)
                assert decision.trace[-1][1] == "taken"
            else:
                presences.add(decision.presence)
    assert rules == RULES
    assert presences == {"online", "suspended", "undetected_offline", "offline"}


@pytest.mark.slow
@given(event_sequences(ticks=True))
def test_the_model_takes_whatever_comes(items: list[Item]) -> None:
    answers = play(ReferenceRouter(), items)
    assert len(answers) == len(items)
