"""The two ladders (sections 4 and 5): which rung takes a message, and what every rung before it said.

A rung is a function of a `Case`. It answers `taken`, or why it did not take the message, or None where not listed.
Nothing is changed here but virtual times, which share moves as it picks (S2).
"""

from collections.abc import Callable

from schemas.decisions import Outcome
from streams.routing.case import Case
from streams.routing.draws import draw_for_buyer
from streams.routing.pick import pick_by_share, pick_random
from streams.routing.plan import ALL_AGENTS, page_pool_name

Rung = Callable[[Case], Outcome | None]


def addressed_agent(case: Case) -> Outcome:
    """Q0, P0: the agent that the buyer wrote to, if believed online; suspended does not matter."""
    addressed = case.message.addressed_agent_id
    if addressed is None:
        return "not_addressed"
    obstacle = case.obstacle(addressed, suspended_receives=True)
    if obstacle is None:
        return case.give("agent", addressed)
    if obstacle == "agent_offline":
        if case.diverts:
            case.without = (*case.without, addressed)  # F5
        else:
            case.waits_with_addressed = True
    return obstacle


def addressed_agent_offline(case: Case) -> Outcome | None:
    """Q0, P0 with offline_diversion off: the message waits with the agent that it was written to."""
    addressed = case.message.addressed_agent_id
    return case.give("agent", addressed) if case.waits_with_addressed and addressed is not None else None


def robot_when_unattended(case: Case) -> Outcome | None:
    """Q1: with nobody available the robot answers instead, where both settings say so (F1)."""
    return _robot(case) if case.plan.unattended_robot and not case.somebody_available() else None


def leave_message(case: Case) -> Outcome:
    """Q1, P6: with nobody available the main account, a proxy account or the message pool."""
    return "not_needed" if case.somebody_available() else leave_message_anyway(case)


def leave_message_anyway(case: Case) -> Outcome:
    """Q8, P6: all who are available are of weight 0. Main and proxy accounts receive even offline."""
    settings = case.plan.config.leave_message
    if settings.to == "main_account" and settings.main_account_id is not None:
        return case.give("main_account", settings.main_account_id)
    if settings.to == "recent_contact":
        contact = case.buyer.contact_id
        if contact is not None and contact not in case.without and _in_group(case, contact):
            return case.give("agent", contact)  # Y6
        return case.give("message_pool", "message_pool")
    if settings.to == "proxy_account":
        proxies = case.plan.proxies
        return case.give("proxy_account", proxies[draw_for_buyer(case.shop.shop_id, case.buyer.buyer_id, len(proxies))])
    return case.give("message_pool", "message_pool")


def recent_contact(case: Case) -> Outcome:
    """Q2, P1: whoever spoke to the buyer within the window. Busyness and weight are not asked."""
    buyer, window_ms = case.buyer, case.plan.recent_window_ms
    contact = buyer.contact_id
    if contact is None:
        return "no_record"
    age_ms = case.shop.clock_ms - buyer.contact_ms
    if window_ms is not None and age_ms > window_ms:
        return "expired"
    if not _in_scope(case, contact):
        case.contact_out_of_group = contact
        return "out_of_group"
    agent = case.shop.agents.get(contact)
    kept = age_ms <= case.plan.suspended_keeps_ms and not (agent is not None and agent.no_reply_suspended)  # Y1, Y11
    obstacle = case.obstacle(contact, suspended_receives=kept)
    if obstacle is None:
        return case.give("agent", contact)
    case.has_contact = case.group is None  # Y8: one that cannot receive counts as none
    return obstacle


def _in_group(case: Case, agent_id: str) -> bool:
    """Y8: whether the buyer's group lets the agent have it; any agent without one."""
    return case.group is None or agent_id in case.group.members


def _in_scope(case: Case, contact: str) -> bool:
    """Y8, Y2: whether the last contact may be asked for, by the buyer's group, or by those of the order state."""
    if case.group is not None:
        return contact in case.group.members
    if not case.plan.contact_of_group:
        return True
    state = case.message.order_state
    binding = case.plan.bindings.get(state) if state is not None else None
    return binding is None or contact in binding.members


def dedicated_agent(case: Case) -> Outcome:
    """Q3: the buyer's dedicated agent, if available."""
    config = case.plan.config
    if not config.dedicated_direct:
        return "off"
    dedicated = config.dedicated_agents.get(case.buyer.buyer_id)
    if dedicated is None:
        return "no_binding"
    if not _in_group(case, dedicated):
        return "out_of_group"
    obstacle = case.obstacle(dedicated, suspended_receives=False)
    return case.give("agent", dedicated) if obstacle is None else obstacle


def robot_first(case: Case) -> Outcome:
    """Q4: the robot takes everything that does not ask for a human."""
    return _robot(case) if case.plan.config.robot_first else "off"


def group_robot(case: Case) -> Outcome:
    """Q5: a group that binds the order state has its robot on."""
    binding = case.binding
    if binding is None:
        return "no_binding"
    return _robot(case) if binding.robot else "off"


def group_share(case: Case) -> Outcome:
    """Q6: share among the groups that bind the order state, or among all where none does."""
    binding = case.binding
    return pick_by_share(case, ALL_AGENTS if binding is None else binding.pool)


def group_fallback(case: Case) -> Outcome:
    """Q7: the bound groups have nobody who can take the message, so share among all."""
    if case.binding is None:
        return "no_binding"  # F1
    if case.plan.config.fallback == "queue" and not case.by_lot:
        case.queues = True
        return "off"  # Y3
    return pick_by_share(case, ALL_AGENTS, only=case.contact_out_of_group)


def page_share(case: Case) -> Outcome | None:
    """P3: no contact, so share among the agents of the page's rule, or among all without one."""
    if case.has_contact:
        return None
    if case.group is not None:
        return pick_by_share(case, case.group.pool)
    page = _bound_page(case)
    return pick_by_share(case, ALL_AGENTS if page is None else page_pool_name(page))


def _bound_page(case: Case) -> str | None:
    """The page that the buyer came from, if it has a rule."""
    page = case.message.entry_page
    return page if page is not None and page in case.plan.pages else None


def random_online(case: Case) -> Outcome:
    """P2, P4: the last contact, or every agent of the page or group, cannot receive."""
    if not case.has_contact and case.plan.config.fallback == "queue" and (case.group or _bound_page(case)):
        case.queues = True
        return "off"  # Y3
    return pick_random(case, only=case.contact_out_of_group)


def offline_receiver(case: Case) -> Outcome | None:
    """P5, Y15: nobody is available, or all are of weight 0, so one of those who receive then.

    `push` tells whether its mobile app is alive.
    """
    if case.somebody_eligible():
        return None  # F1
    if not case.plan.receivers:
        return "off"
    receivers = [agent_id for agent_id in case.plan.receivers if agent_id not in case.without]
    if not receivers:
        return "excluded"
    receiver = receivers[draw_for_buyer(case.shop.shop_id, case.buyer.buyer_id, len(receivers))]
    agent = case.shop.agents.get(receiver)
    case.push = agent is not None and agent.mobile_session
    return case.give("agent", receiver)


def queue(case: Case) -> Outcome | None:
    """X1, Y3: only full agents were found, or the group or page has nobody: the message waits in the pool for them."""
    return case.give("message_pool", "message_pool") if case.found_only_full or case.queues else None


def _robot(case: Case) -> Outcome:
    if not case.robots:
        return "excluded"
    if case.kept_from_robots:
        return "wants_human"
    return case.give("robot", case.plan.config.robot_id)


Ladder = tuple[tuple[str, Rung], ...]

QIANNIU: Ladder = (
    ("addressed_agent", addressed_agent),  # Q0
    ("addressed_agent_offline", addressed_agent_offline),  # Q0
    ("robot_when_unattended", robot_when_unattended),  # Q1
    ("leave_message", leave_message),  # Q1
    ("recent_contact", recent_contact),  # Q2
    ("dedicated_agent", dedicated_agent),  # Q3
    ("robot_first", robot_first),  # Q4
    ("group_robot", group_robot),  # Q5
    ("group_share", group_share),  # Q6
    ("group_fallback", group_fallback),  # Q7
    ("queue", queue),  # X1
    ("leave_message", leave_message_anyway),  # Q8
)

PINDUODUO: Ladder = (
    ("addressed_agent", addressed_agent),  # P0
    ("addressed_agent_offline", addressed_agent_offline),  # P0
    ("recent_contact", recent_contact),  # P1
    ("page_share", page_share),  # P3
    ("random_online", random_online),  # P2, P4
    ("offline_receiver", offline_receiver),  # P5
    ("queue", queue),  # X1
    ("leave_message", leave_message_anyway),  # P6
)

# Y8: from Q2 or P1 on.
QIANNIU_TRANSFER: Ladder = QIANNIU[4:]
PINDUODUO_TRANSFER: Ladder = PINDUODUO[2:]

# T4: from Q2 or P1, and without the rungs that take a message when no agent can.
QIANNIU_DRAIN: Ladder = QIANNIU[4:10]
PINDUODUO_DRAIN: Ladder = PINDUODUO[2:5]

UNATTENDED = frozenset({"leave_message", "offline_receiver", "queue"})
"""Rungs that find no agent who is available (X2)."""

KEEPS_LAST_CONTACT = UNATTENDED | {"addressed_agent_offline", "robot_when_unattended", "robot_first", "group_robot"}
"""T3: rungs whose assignment does not make the target the buyer's last contact."""


def climb(case: Case, ladder: Ladder) -> str | None:
    """Try the rungs in order until one takes the message: its name, or None. `case.trace` tells what each one said."""
    trace = case.trace
    for name, rung in ladder:
        outcome = rung(case)
        if outcome is not None:
            trace.append((name, outcome))
            if outcome == "taken":
                return name
    return None
