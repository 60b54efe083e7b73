"""Settings that are right and do nothing, or hardly what was meant. It knows no file: it is given what was written."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
import orjson

from schemas.shop import ShopConfig
from streams.names import do_you_mean

Given = dict[str, object]
"""A shop's settings as they were written; some may be wrong, and of these nothing is said here."""

_DEFAULTS: Final = orjson.loads(msgspec.json.encode(ShopConfig()))
_PINDUODUO_LACKS: Final = {
    "dedicated_direct": "dedicated agents",
    "dedicated_agents": "dedicated agents",
    "robot_first": "robots",
    "robot_id": "robots",
    "robot_when_unattended": "robots",
    "unbound_order_state": "order states",
    "recent_contact_scope": "order states",
}
_QIANNIU_LACKS: Final = {"pages": "pages", "offline_receivers": "offline receivers"}
_GUESSES: Final = 5
"""So many times in a shop it is looked for the nearest name: that compares with every agent of the shop."""
_NO_REPLY: Final = ("no_reply_limit", "no_reply_else", "no_reply_suspend_after")


class Advice(NamedTuple):
    """A sentence about what stands at a path of the settings, such as `$.groups[1].robot`."""

    path: str
    text: str


def advise(given: Given) -> Iterator[Advice]:
    """What somebody who wrote these settings should know."""
    policy = given.get("policy", "qianniu")
    if policy == "pinduoduo":
        yield from _of_pinduoduo(given)
    elif policy == "qianniu":
        yield from _of_qianniu(given)
    yield from _of_recent_contact(given)
    yield from _of_no_reply(given)
    yield from _of_leave_message(given)
    if _differs(given, "rescue") and given.get("offline_diversion") is False:
        yield _idle("rescue", "while offline_diversion is off (L7)")
    if _differs(given, "full_keeps_recent") and not _limits(given):
        yield _idle("full_keeps_recent", "without default_max_pending or a max_pending of some agent: nobody is full")
    yield from _unlisted(given)


def _of_pinduoduo(given: Given) -> Iterator[Advice]:
    for name, what in _PINDUODUO_LACKS.items():
        if _differs(given, name):
            yield _idle(name, f"with policy pinduoduo, whose ladder has no {what}")
    if any(group.get("order_states") or group.get("robot") is True for _, group in _records(given, "groups")):
        yield _idle("groups", "with policy pinduoduo, whose ladder has pages, but for transfers to a group")
    if _differs(given, "fallback") and not (_records(given, "pages") or _records(given, "groups")):
        yield _idle("fallback", "without pages: everybody answers everywhere")


def _of_qianniu(given: Given) -> Iterator[Advice]:
    for name, what in _QIANNIU_LACKS.items():
        if _differs(given, name):
            yield _idle(name, f"with policy qianniu, whose ladder has no {what}")
    groups = _records(given, "groups")
    robots = given.get("robot_first") is True or any(group.get("robot") is True for _, group in groups)
    if given.get("dedicated_direct") is True and not given.get("dedicated_agents"):
        yield _idle("dedicated_direct", "without dedicated_agents")
    if given.get("dedicated_agents") and given.get("dedicated_direct") is not True:
        yield _idle("dedicated_agents", "without dedicated_direct: true")
    if _differs(given, "robot_when_unattended") and given.get("robot_first") is not True:
        yield _idle("robot_when_unattended", "without robot_first: true")
    if _differs(given, "robot_id") and not robots:
        yield _idle("robot_id", "without robot_first or a robot of some group")
    if _differs(given, "unbound_order_state") and not groups:
        yield _idle("unbound_order_state", "without groups")
    if _differs(given, "recent_contact_scope") and not any(group.get("order_states") for _, group in groups):
        yield _idle("recent_contact_scope", "without groups that bind order states")
    if _differs(given, "fallback") and not groups:
        yield _idle("fallback", "without groups: everybody answers everything")
    for index, group in groups:
        if group.get("robot") is True and not group.get("order_states") and not _differs(given, "unbound_order_state"):
            yield _idle(f"groups[{index}].robot", "without order_states: no message comes to this group's robot")


def _of_recent_contact(given: Given) -> Iterator[Advice]:
    hours = given.get("suspended_keeps_recent_h")
    if hours is None:
        return
    window_h = given.get("recent_contact_window_h", None if given.get("policy") == "pinduoduo" else 72)
    if given.get("suspended_keeps_recent") is False:
        yield _idle("suspended_keeps_recent_h", "while suspended_keeps_recent is off")
    elif isinstance(hours, int) and isinstance(window_h, int) and hours >= window_h:
        yield _idle("suspended_keeps_recent_h", f"where recent_contact_window_h ({window_h}) is over no later")


def _of_no_reply(given: Given) -> Iterator[Advice]:
    if given.get("no_reply_reassign_s") is None:
        for name in _NO_REPLY:
            if _differs(given, name):
                yield _idle(name, "without no_reply_reassign_s")
    elif given.get("no_reply_limit") == 0:
        yield _idle("no_reply_reassign_s", "with no_reply_limit 0")


def _of_leave_message(given: Given) -> Iterator[Advice]:
    leave = given.get("leave_message")
    if not isinstance(leave, dict):
        return
    to = leave.get("to", "message_pool")
    for name, needed in (("main_account_id", "main_account"), ("proxy_account_ids", "proxy_account")):
        if leave.get(name) and to != needed:
            yield _idle(f"leave_message.{name}", f"without to: {needed}")
    if to == "recent_contact" and given.get("no_reply_reassign_s") is None:
        yield Advice(
            "$.leave_message.to",
            "recent_contact without no_reply_reassign_s: a buyer whose last agent does not come back waits for ever; "
            "set no_reply_reassign_s, from 30 to 86400 seconds",
        )


def _unlisted(given: Given) -> Iterator[Advice]:
    """Agents who are named somewhere and not listed, in a shop that lists some: 小莉 for 小丽."""
    listed = [agent_id for _, agent in _records(given, "agents") if isinstance(agent_id := agent.get("agent_id"), str)]
    if not listed:
        return
    weight = given.get("unlisted_agent_weight", _DEFAULTS["unlisted_agent_weight"])
    known = set(listed)
    unlisted = [(path, agent_id) for path, agent_id in _named(given) if agent_id not in known]
    for number, (path, agent_id) in enumerate(unlisted):
        guess = do_you_mean(agent_id, known) if number < _GUESSES else ""
        yield Advice(path, f"{agent_id} is not in agents, so its weight is {weight}{guess}")


def _named(given: Given) -> Iterator[tuple[str, str]]:
    for name in ("groups", "pages"):
        for index, part in _records(given, name):
            yield from _ids(f"$.{name}[{index}].agent_ids", part.get("agent_ids"))
    dedicated = given.get("dedicated_agents")
    for buyer_id, agent_id in dedicated.items() if isinstance(dedicated, dict) else ():
        if isinstance(agent_id, str):
            yield f"$.dedicated_agents.{buyer_id}", agent_id
    yield from _ids("$.offline_receivers", given.get("offline_receivers"))


def _ids(path: str, items: object) -> Iterator[tuple[str, str]]:
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, str):
            yield f"{path}[{index}]", item


def _records(given: Given, name: str) -> list[tuple[int, dict[str, object]]]:
    """The objects of a list, each with its index."""
    items = given.get(name)
    return (
        [(index, item) for index, item in enumerate(items) if isinstance(item, dict)] if isinstance(items, list) else []
    )


def _limits(given: Given) -> bool:
    agents = _records(given, "agents")
    return given.get("default_max_pending") is not None or any(
        agent.get("max_pending") is not None for _, agent in agents
    )


def _differs(given: Given, name: str) -> bool:
    """Whether a setting says something else than its default."""
    return name in given and given[name] != _DEFAULTS[name]


def _idle(name: str, why: str) -> Advice:
    return Advice(f"$.{name}", f"this has no effect {why}")
