"""Presence and the detection lag (section 2): devices, windows, silence, and what is published of them."""

from msgspec import UNSET, UnsetType

from schemas.decisions import AgentPresence, Cause, Presence
from schemas.events import AgentStatus
from streams.routing.assign import drain_message_pool, rescue_buyers, stranded_buyers
from streams.routing.devices import counts, disconnect_all, disconnect_kind, is_connected, is_stale, note_status
from streams.routing.draws import detection_lag_ms
from streams.routing.records import Window
from streams.routing.standing import refresh
from streams.routing.state import NEVER_MS, Agent, Shop
from streams.routing.ties import forget_taken


def apply_status(shop: Shop, event: AgentStatus) -> None:
    """A status event: connectivity a device (L1), availability an account, each unless stale (L10)."""
    agent = shop.agent(event.agent_id)
    noticed(shop, agent, event.occurred_at_ms)
    if event.status in {"suspended", "resumed"}:
        stale = event.occurred_at_ms < agent.status_ms
        if not stale:
            agent.status_ms = event.occurred_at_ms
            agent.suspended = event.status == "suspended"
            lift_no_reply_suspension(agent)  # a suspension is the agent's own now (Y11)
            publish_change(shop, agent)
    else:
        stale = _apply_connectivity(shop, agent, event)
    if stale:
        shop.stats.stale_statuses += 1
    shop.release(agent)


def noticed(shop: Shop, agent: Agent, own_time_ms: int) -> None:
    """Any event of the agent makes it known and, by the event's own time, seen (L9)."""
    agent.seen = True
    agent.seen_ms = max(agent.seen_ms, own_time_ms)
    agent.last_ms = shop.clock_ms
    shop.changed_agents.add(agent.agent_id)
    if shop.plan.config.expect_heartbeats:
        set_deadline(shop, agent)


def lift_no_reply_suspension(agent: Agent) -> bool:
    """Y11: what suspended the agent for want of replies is over, and the count begins anew: whether it did."""
    if not agent.no_reply_suspended:
        return False
    agent.no_reply_suspended = False
    agent.no_reply_count = 0
    return True


def did_something(shop: Shop, agent: Agent, *, answered: bool) -> bool:
    """Y10, Y11: the agent replied, closed or transferred: whether a drain may find more than before.

    A reply or close, `answered`, also ends a suspension for want of replies.
    """
    agent.no_reply_count = 0
    may_drain = forget_taken(shop, agent)
    was_available = agent.available
    if answered and lift_no_reply_suspension(agent):
        agent.suspended = False
        if believe_anew(shop, agent):
            announce(shop, agent)
    return may_drain or (agent.available and not was_available)


def suspend_for_silence(shop: Shop, agent: Agent) -> None:
    """Y11: X2 took another buyer from this agent; after so many in a row it is suspended, if others are available."""
    agent.no_reply_count += 1
    shop.changed_agents.add(agent.agent_id)
    limit = shop.plan.config.no_reply_suspend_after
    if limit is None or agent.no_reply_count < limit or agent.suspended:
        return
    if shop.available_count - agent.available <= 0:
        return
    agent.suspended = agent.no_reply_suspended = True
    agent.status_ms = shop.clock_ms
    shop.stats.no_reply_suspensions += 1
    if believe_anew(shop, agent):
        announce(shop, agent)


def _apply_connectivity(shop: Shop, agent: Agent, event: AgentStatus) -> bool:
    """Connect or disconnect a device, or all of a kind (Y16); true if the event is stale."""
    connected_before = is_connected(shop, agent)
    if event.status != "online" and event.device_id is None:
        if not disconnect_kind(shop, agent, event.device, event.occurred_at_ms):
            return True
    else:
        key = (event.device, event.device_id or "")
        if is_stale(agent, key, event.occurred_at_ms):
            return True
        note_status(shop, agent, key, event.occurred_at_ms, connected=event.status == "online")
    if event.status == "online":
        if not connected_before and agent.window is None:
            agent.suspended = False  # L1: believed offline, so coming back lifts a suspension
            lift_no_reply_suspension(agent)
        agent.mobile_session = agent.mobile_session or event.device == "mobile"
    elif event.status == "logged_out" and event.device == "mobile":
        agent.mobile_session = False  # F7
    connected = is_connected(shop, agent)
    if event.status == "online" and not connected:
        shop.stats.uncounted_onlines.append((shop.shop_id, agent.agent_id))
    set_deadline(shop, agent)
    at_once = event.status == "logged_out" and shop.plan.config.logout_is_immediate and counts(shop, event.device)
    if connected:
        agent.window = None  # L5
        set_deadline(shop, agent)
        publish_change(shop, agent)
    elif agent.window is not None and at_once:
        goes_offline(shop, agent, agent.window.t0_ms, agent.window.lag_ms)  # L8, F7
    elif connected_before:
        _disconnected(shop, agent, event.occurred_at_ms, at_once=at_once)
    return False


def _disconnected(shop: Shop, agent: Agent, t0_ms: int, *, at_once: bool) -> None:
    """The last counting device went: a window begins (L3), unless no lag is left or logout is immediate (L8)."""
    if at_once:
        goes_offline(shop, agent, t0_ms, 0)
        return
    window = Window(t0_ms, _lag_ms(shop, agent, t0_ms))
    shop.stats.detection_lags_ms.append(window.lag_ms)
    if window.deadline_ms <= shop.clock_ms:
        goes_offline(shop, agent, t0_ms, window.lag_ms)  # L11: no lag is left
        return
    agent.window = window
    set_deadline(shop, agent)
    publish_change(shop, agent)


def detected(shop: Shop, agent: Agent, deadline_ms: int) -> None:
    """The agent's deadline has come: it was silent for too long (L9), or its window is over (L6)."""
    if _silence_deadline_ms(shop, agent) == deadline_ms:
        was_connected = is_connected(shop, agent)
        disconnect_all(shop, agent)
        if was_connected:
            since_ms = _seen_ms(shop, agent)
            goes_offline(shop, agent, since_ms, _lag_ms(shop, agent, since_ms), cause="silence")
    if agent.window is not None and agent.window.deadline_ms == deadline_ms:
        goes_offline(shop, agent, agent.window.t0_ms, agent.window.lag_ms)
    shop.changed_agents.add(agent.agent_id)
    set_deadline(shop, agent)
    shop.release(agent)


def goes_offline(shop: Shop, agent: Agent, t0_ms: int, lag_ms: int, *, cause: Cause | UnsetType = UNSET) -> None:
    """The router knows that the agent is offline (L3, L8, L9)."""
    agent.window = None
    set_deadline(shop, agent)
    _believe(shop, agent, "offline")
    announce_offline(shop, agent, t0_ms, lag_ms, cause=cause)


def announce_offline(shop: Shop, agent: Agent, t0_ms: int, lag_ms: int, *, cause: Cause | UnsetType = UNSET) -> None:
    """Publish `offline` with the stranded buyers (L6), and rescue them (L7)."""
    stranded = len(stranded_buyers(agent, t0_ms))
    shop.stats.stranded_buyers += stranded
    shop.out.append(
        AgentPresence(
            shop_id=shop.shop_id,
            agent_id=agent.agent_id,
            presence="offline",
            since_ms=t0_ms,
            at_ms=shop.clock_ms,
            lag_ms=lag_ms,
            pending_replies=len(agent.waiting),
            stranded_buyers=stranded,
            cause=cause,
        )
    )
    rescue_buyers(shop, agent, t0_ms)


def announce(shop: Shop, agent: Agent) -> None:
    """Publish a presence that is not `offline` (L11)."""
    window = agent.window
    shop.out.append(
        AgentPresence(
            shop_id=shop.shop_id,
            agent_id=agent.agent_id,
            presence=agent.presence,
            since_ms=shop.clock_ms if window is None else window.t0_ms,
            at_ms=shop.clock_ms,
            lag_ms=UNSET if window is None else window.lag_ms,
            pending_replies=len(agent.waiting),
            cause="no_reply" if agent.presence == "suspended" and agent.no_reply_suspended else UNSET,
        )
    )


def publish_change(shop: Shop, agent: Agent) -> None:
    """Publish the presence if it changed (L11), and drain the pool if the agent became available (T4)."""
    was_available = agent.available
    if believe_anew(shop, agent):
        announce(shop, agent)
    if agent.available and not was_available:
        drain_message_pool(shop)


def believe_anew(shop: Shop, agent: Agent) -> bool:
    """Take note of an agent's presence as it follows from its devices now: whether it changed."""
    presence = presence_of(shop, agent)
    changed = presence != agent.presence
    _believe(shop, agent, presence)
    return changed


def _believe(shop: Shop, agent: Agent, presence: Presence) -> None:
    """Keep what follows from a presence."""
    shop.gauges.agents[agent.presence] -= 1
    shop.gauges.agents[presence] += 1
    agent.presence = presence
    agent.online = presence != "offline"
    shop.changed_agents.add(agent.agent_id)
    refresh(shop, agent)


def presence_of(shop: Shop, agent: Agent) -> Presence:
    """What the router believes: `undetected_offline` stands before `suspended` (L11)."""
    if agent.window is not None:
        return "undetected_offline"
    if not is_connected(shop, agent):
        return "offline"
    return "suspended" if agent.suspended else "online"


def set_deadline(shop: Shop, agent: Agent) -> None:
    """Look at the agent before the router may believe it offline if nothing comes."""
    shop.look_at(agent, _earliest_ms(shop, agent))


def next_look_ms(shop: Shop, agent: Agent, at_ms: int) -> int:
    """When to look at the agent if not at `at_ms`, as was planned; the same instant says that its deadline has come.

    A heartbeat only moves a deadline, so the lag is not drawn before it matters.
    """
    earliest_ms = _earliest_ms(shop, agent)
    if earliest_ms > at_ms:
        return earliest_ms
    return min(_window_deadline_ms(agent), _silence_deadline_ms(shop, agent))


def _earliest_ms(shop: Shop, agent: Agent) -> int:
    """The deadline, or for silence the shortest lag there is: no later than the deadline."""
    window_ms = _window_deadline_ms(agent)
    if not _silence_counts(shop, agent):
        return window_ms
    return min(window_ms, _seen_ms(shop, agent) + shop.plan.lag_min_ms)


def _window_deadline_ms(agent: Agent) -> int:
    return NEVER_MS if agent.window is None else agent.window.deadline_ms


def _silence_deadline_ms(shop: Shop, agent: Agent) -> int:
    """L9: when silence disconnects what is connected, counting or not; `NEVER_MS` without heartbeats."""
    if not _silence_counts(shop, agent):
        return NEVER_MS
    seen_ms = _seen_ms(shop, agent)
    return seen_ms + _lag_ms(shop, agent, seen_ms)


def _silence_counts(shop: Shop, agent: Agent) -> bool:
    return shop.plan.config.expect_heartbeats and len(agent.connected) > 0


def _seen_ms(shop: Shop, agent: Agent) -> int:
    """L9: the agent's last-seen time, at least that of the config that turned heartbeats on."""
    return max(agent.seen_ms, shop.heartbeats_since_ms)


def _lag_ms(shop: Shop, agent: Agent, t0_ms: int) -> int:
    return detection_lag_ms(shop.shop_id, agent.agent_id, t0_ms, shop.plan.lag_min_ms, shop.plan.lag_max_ms)
