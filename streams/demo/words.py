"""Why a message went there, in words: English, with the platforms' own term beside it."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET

from schemas.decisions import AgentPresence, Assignment

POOL = "留言池"


class Reason(NamedTuple):
    """A rule in words.

    Args:
        term: what the platforms call it.
        because: the reason for one assignment.
    """

    term: str
    because: Callable[[Assignment], str]


def _always(text: str) -> Callable[[Assignment], str]:
    return lambda _: text


def _share(among: str) -> Callable[[Assignment], str]:
    def because(assignment: Assignment) -> str:
        if assignment.candidate_count == 1:
            return f"the only one of {among}"
        return f"weight {assignment.weight} among {assignment.candidate_count} of {among}"

    return because


def _group_share(assignment: Assignment) -> str:
    bound = ("group_robot", "no_binding") not in assignment.trace
    return _share("the order state's group" if bound else "the shop")(assignment)


def _previous(text: str) -> Callable[[Assignment], str]:
    return lambda assignment: text.format(assignment.previous_agent_id or "the agent before")


def _leave_message(assignment: Assignment) -> str:
    account = {"main_account": "the owner's account", "proxy_account": "a proxy account"}.get(assignment.target.kind)
    return f"nobody is available, {account} gets it" if account else "nobody is available, it waits in the pool"


def _offline_receiver(assignment: Assignment) -> str:
    return "nobody is online, " + ("pushed to the phone" if assignment.push is True else "shown at the next login")


def _pool(assignment: Assignment) -> str:
    waited_s = (assignment.decided_at_ms - assignment.occurred_at_ms) // 1000
    return f"waited {_span(waited_s)} in the pool, now there is room"


REASONS: dict[str, Reason] = {
    "addressed_agent": Reason("指定客服", _always("the buyer wrote to this agent")),
    "addressed_agent_offline": Reason(
        "指定客服离线", _always("the buyer wrote to this agent, the shop does not divert")
    ),
    "leave_message": Reason("留言", _leave_message),
    "robot_when_unattended": Reason("无人值守", _always("nobody is available, the robot answers")),
    "recent_contact": Reason("最近联系人", _always("talked with this buyer last")),
    "dedicated_agent": Reason("专属客服", _always("this buyer's own agent")),
    "robot_first": Reason("机器人优先", _always("the shop lets the robot answer first")),
    "group_robot": Reason("分组机器人", _always("the order state's group has a robot")),
    "group_share": Reason("权重分流", _group_share),
    "group_fallback": Reason("全店分流", _share("the shop, its group has nobody")),
    "page_share": Reason("页面分流", _share("the page's agents")),
    "random_online": Reason("随机分流", _previous("{} is not there, drawn by lot")),
    "offline_receiver": Reason("离线接待", _offline_receiver),
    "queue": Reason("排队", _always("everybody is full, it waits in the pool")),
    "pool_drained": Reason("留言分流", _pool),
    "stranded_rescue": Reason("掉线转接", _previous("{} lost the connection while this buyer waited")),
    "no_reply": Reason("超时转接", _previous("{} did not answer in time")),
}
"""Every rule of the two ladders."""


def reason(assignment: Assignment) -> Reason:
    """The rule of an assignment in words; a rule that is not known here speaks for itself."""
    return REASONS.get(assignment.rule) or Reason("", _always(assignment.rule.replace("_", " ")))


def term(rule: str) -> str:
    """What the platforms call a rule; nothing for one that is not known here."""
    known = REASONS.get(rule)
    return known.term if known else ""


def because(assignment: Assignment) -> str:
    """One sentence on why it went there, and what is special about it."""
    text = reason(assignment).because(assignment)
    if assignment.target_presence == "undetected_offline":
        text += "; gone, but nobody noticed yet"
    elif assignment.pending_before:
        text += f"; {assignment.pending_before} waiting"
    return text


def target(assignment: Assignment) -> str:
    """Who gets it."""
    return POOL if assignment.target.kind == "message_pool" else assignment.target.id


PRESENCE_TERMS = {"online": "在线", "suspended": "挂起", "undetected_offline": "掉线", "offline": "离线"}


def presence(event: AgentPresence) -> str:
    """What happened to an agent, in a sentence."""
    lag = "" if event.lag_ms is UNSET else _span(event.lag_ms // 1000)
    if event.presence == "undetected_offline":
        return f"connection lost; the platform will notice in {lag}"
    if event.presence == "offline":
        stranded = 0 if event.stranded_buyers is UNSET else event.stranded_buyers
        noticed = f"noticed after {lag}" if lag and lag != "0 s" else "left"
        if not stranded:
            return noticed
        return f"{noticed}, {stranded} {'buyer' if stranded == 1 else 'buyers'} stranded"
    if event.presence == "suspended":
        return f"takes no new buyers, {event.pending_replies} waiting"
    return f"at work, {event.pending_replies} waiting"


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h {seconds % 3600 // 60} min"
