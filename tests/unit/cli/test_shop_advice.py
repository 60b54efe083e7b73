"""Settings that are right and do nothing, and agents whom nobody listed."""

import pytest

from streams.shop_advice import advise
from streams.yaml_source import parse_yaml

PDD = "policy: pinduoduo\n"
GROUPS = "groups: [{group_id: g, order_states: [paid], agent_ids: [an]}]\n"


def advice(text: str) -> list[tuple[str, str]]:
    given = parse_yaml(text.encode(), name="shops.yaml").value
    assert isinstance(given, dict)
    return [(path.removeprefix("$."), said.removeprefix("this has no effect ")) for path, said in advise(given)]


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        (PDD + "robot_first: true", "robot_first", "with policy pinduoduo, whose ladder has no robots"),
        (PDD + "robot_id: 店小蜜", "robot_id", "with policy pinduoduo, whose ladder has no robots"),
        (PDD + "robot_when_unattended: true", "robot_when_unattended", "with policy pinduoduo"),
        (PDD + "dedicated_direct: true", "dedicated_direct", "with policy pinduoduo, whose ladder has no dedicated"),
        (PDD + "dedicated_agents: {b: an}", "dedicated_agents", "with policy pinduoduo, whose ladder has no dedicated"),
        (PDD + "unbound_order_state: random_group", "unbound_order_state", "with policy pinduoduo"),
        (PDD + "recent_contact_scope: group", "recent_contact_scope", "with policy pinduoduo"),
        (PDD + GROUPS, "groups", "with policy pinduoduo, whose ladder has pages, but for transfers to a group"),
        (PDD + "groups: [{group_id: g, robot: true}]", "groups", "with policy pinduoduo"),
        (PDD + "fallback: queue", "fallback", "without pages"),
        ("pages: [{page: item, agent_ids: [an]}]", "pages", "with policy qianniu, whose ladder has no pages"),
        ("offline_receivers: [an]", "offline_receivers", "with policy qianniu, whose ladder has no offline receivers"),
        ("dedicated_agents: {b: an}", "dedicated_agents", "without dedicated_direct: true"),
        ("dedicated_direct: true", "dedicated_direct", "without dedicated_agents"),
        ("rescue: stranded\noffline_diversion: false", "rescue", "while offline_diversion is off (L7)"),
        ("robot_when_unattended: true", "robot_when_unattended", "without robot_first: true"),
        ("robot_id: 店小蜜", "robot_id", "without robot_first or a robot of some group"),
        ("unbound_order_state: random_group", "unbound_order_state", "without groups"),
        ("recent_contact_scope: group", "recent_contact_scope", "without groups that bind order states"),
        ("fallback: queue", "fallback", "without groups"),
        ("groups: [{group_id: a}, {group_id: g, robot: true}]", "groups[1].robot", "without order_states"),
        ("full_keeps_recent: false", "full_keeps_recent", "without default_max_pending or a max_pending"),
        ("no_reply_limit: 2", "no_reply_limit", "without no_reply_reassign_s"),
        ("no_reply_else: leave_message", "no_reply_else", "without no_reply_reassign_s"),
        ("no_reply_suspend_after: 3", "no_reply_suspend_after", "without no_reply_reassign_s"),
        ("no_reply_reassign_s: 60\nno_reply_limit: 0", "no_reply_reassign_s", "with no_reply_limit 0"),
        (
            "suspended_keeps_recent_h: 24\nsuspended_keeps_recent: false",
            "suspended_keeps_recent_h",
            "while suspended_keeps_recent is off",
        ),
        ("suspended_keeps_recent_h: 72", "suspended_keeps_recent_h", "where recent_contact_window_h (72) is over"),
        (
            PDD + "suspended_keeps_recent_h: 24\nrecent_contact_window_h: 24",
            "suspended_keeps_recent_h",
            "where recent_contact_window_h (24) is over",
        ),
        ("leave_message: {main_account_id: boss}", "leave_message.main_account_id", "without to: main_account"),
        (
            "leave_message: {to: main_account, main_account_id: boss, proxy_account_ids: [x]}",
            "leave_message.proxy_account_ids",
            "without to: proxy_account",
        ),
    ],
)
def test_a_setting_without_effect_is_told_with_what_it_needs(text: str, path: str, why: str) -> None:
    ((told_path, told_why),) = advice(text)
    assert told_path == path
    assert told_why.startswith(why)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "policy: nobody\npages: [{page: p}]",
        "robot_first: false\nrobot_id: robot\npages: []\nno_reply_limit: 1\nrescue: none",
        PDD + "robot_first: false\nunbound_order_state: all_agents\ndedicated_agents: {}",
        PDD + "pages: [{page: p, agent_ids: [an]}]\noffline_receivers: [an]\nfallback: queue",
        PDD + "groups: [{group_id: g, agent_ids: [an]}]\nfallback: queue",  # for transfers to it
        PDD + "suspended_keeps_recent_h: 24",
        "dedicated_direct: true\ndedicated_agents: {b: an}",
        "rescue: stranded",
        "robot_first: true\nrobot_id: x\nrobot_when_unattended: true",
        "robot_id: x\ngroups: [{group_id: g, order_states: [paid], robot: true}]",
        "unbound_order_state: random_group\ngroups: [{group_id: g, robot: true}]",
        GROUPS + "recent_contact_scope: group\nfallback: queue",
        "full_keeps_recent: false\ndefault_max_pending: 9",
        "full_keeps_recent: false\nagents: [{agent_id: an, max_pending: 9}]",
        "no_reply_reassign_s: 60\nno_reply_limit: 2\nno_reply_else: leave_message\nno_reply_suspend_after: 3",
        "suspended_keeps_recent_h: 24",
        "leave_message: {to: proxy_account, proxy_account_ids: [x]}",
        "agents: {}\ngroups: 5\nleave_message: x\nsuspended_keeps_recent_h: x",  # errors, and told as such
        "dedicated_direct: true\ndedicated_agents: [1]",
    ],
)
def test_nothing_is_said_of_a_setting_that_has_its_effect_or_its_default(text: str) -> None:
    assert advice(text) == []


def test_a_buyer_who_may_wait_for_ever() -> None:
    ((path, said),) = advice("leave_message: {to: recent_contact}")
    assert path == "leave_message.to"
    assert "waits for ever" in said
    assert advice("leave_message: {to: recent_contact}\nno_reply_reassign_s: 60") == []


def test_an_agent_who_is_not_listed_is_told_with_the_nearest_who_is() -> None:
    text = """\
agents: [{agent_id: 小丽}, {agent_id: 阿强}]
unlisted_agent_weight: 7
groups: [{group_id: g, order_states: [paid], agent_ids: [小丽, 小莉]}]
dedicated_direct: true
dedicated_agents: {vip: 阿墙, b: 阿强}
"""
    assert advice(text) == [
        ("groups[0].agent_ids[1]", "小莉 is not in agents, so its weight is 7; do you mean 小丽?"),
        ("dedicated_agents.vip", "阿墙 is not in agents, so its weight is 7; do you mean 阿强?"),
    ]
    pages = PDD + "agents: [{agent_id: an}]\npages: [{page: p, agent_ids: [bo]}]\noffline_receivers: [cy, an]\n"
    assert [path for path, _ in advice(pages)] == ["pages[0].agent_ids[0]", "offline_receivers[0]"]


def test_a_shop_that_lists_nobody_may_name_anybody() -> None:
    assert advice(GROUPS) == []
