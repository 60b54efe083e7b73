"""One shop: its settings, its buyers and its agents on one timeline, and the records that they leave.

Each shop has its own random sources, made from the seed and its number, so shops do not disturb each other.
"""

from collections.abc import Iterator, Sequence
from random import Random

import orjson

from schemas.codec import RANK, TYPE_OF_TOPIC, Topic
from streams.simulate.buyers import Buyers, Conversation
from streams.simulate.cast import make_cast
from streams.simulate.closed_loop import RouterResponder
from streams.simulate.demand import MINUTE_MS, Curve
from streams.simulate.durations import uniform
from streams.simulate.floor import Floor, ReplyName
from streams.simulate.options import DAY_MS, SimulationOptions
from streams.simulate.profiles import PROFILES, Document, promotion_settings
from streams.simulate.record import Record
from streams.simulate.responder import Handover, Responder
from streams.simulate.roster import Step, day_plan, standing_at
from streams.simulate.staffing import pace
from streams.simulate.sticky import StickyResponder
from streams.simulate.timeline import Timeline

_ROBOT_ANSWER = uniform(0.4, 2)
_GREETING = uniform(0.3, 1)
_HEARTBEAT_MS = 45_000
_TIE_ROOM_MS = 20
_PROMOTION_LASTS_MS = 45 * MINUTE_MS


class Shop:
    """A simulated shop; `records()` can be read once.

    Args:
        options: of the whole simulation.
        number: the shop's, from 0.
        messages: how many buyer messages are expected of it.
        curve: its demand.
        spike_ms: when the promotion begins; its settings change then if it takes part.
    """

    def __init__(
        self, options: SimulationOptions, number: int, *, messages: float, curve: Curve, spike_ms: int | None
    ) -> None:
        self._options = options
        self._profile = PROFILES[number % len(PROFILES)]
        self._number = number
        shop_id = f"{self._profile.platform}-{number + 1:03d}"
        cast = make_cast(
            shop_id, options.agents, options.buyers, self._rng("cast"), night_duty=self._profile.night_duty
        )
        self._cast = cast
        self._shop_id = shop_id
        self._key = shop_id.encode()
        self._spike_ms = spike_ms
        self._random = self._rng("shop").random
        self._timeline = Timeline(options.start_ms)
        self._out: list[Record] = []
        self._counts: dict[Topic, int] = dict.fromkeys(RANK, 0)
        self._last = (options.start_ms, 0)
        self._suspended: set[str] = set()
        self._greeted: set[str] = set()
        self._responder: Responder = RouterResponder() if options.replies == "router" else StickyResponder()
        self._open()
        self._floor = Floor(
            self._timeline,
            cast.agents,
            pace=pace(cast, messages, options),
            rng=self._rng("agents"),
            publish=self._reply,
        )
        self._buyers = Buyers(
            self._timeline,
            curve,
            messages=messages,
            buyers=options.buyers,
            in_waves=options.hours > 72,
            pinduoduo=self._profile.platform == "pdd",
            colleagues=cast.agent_ids,
            utc_offset_ms=options.utc_offset_ms,
            rng=self._rng("buyers"),
            publish=self._message,
        )

    def records(self) -> Iterator[Record]:
        """Everything that happens, in order of time."""
        out, end_ms, advance = self._out, self._options.end_ms, self._timeline.advance
        while advance(end_ms):
            if out:
                yield from out
                out.clear()

    def _rng(self, purpose: str) -> Random:
        # A string seed is hashed with SHA-512, so it does not depend on PYTHONHASHSEED.
        return Random(f"{self._options.seed}/{self._number}/{purpose}")  # noqa: S311  traffic, no secrets

    # --- the plan ---------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Ask for the settings, for the agents who are at work already, and for the days to come."""
        timeline, start_ms = self._timeline, self._options.start_ms
        if self._profile.settings is not None:
            settings = self._profile.settings(self._cast, self._rng("settings"))
            timeline.call_at(start_ms, self._configure, settings)
            if self._profile.promotion and self._spike_ms is not None:
                timeline.call_at(self._spike_ms - 5 * MINUTE_MS, self._configure, promotion_settings(settings))
                timeline.call_at(self._spike_ms + _PROMOTION_LASTS_MS, self._configure, settings)
        today = (start_ms + self._options.utc_offset_ms) // DAY_MS
        # Yesterday's late shift and today's early one may be at work at the first instant.
        for agent_number in range(len(self._cast.agents)):
            steps = [*self._plan(agent_number, today - 1), *self._plan(agent_number, today)]
            past = [step for step in steps if step.at_ms < start_ms]
            for step in standing_at(past, start_ms, self._random):
                timeline.call_at(step.at_ms, self._step, step)
            for step in steps[len(past) :]:
                timeline.call_at(step.at_ms, self._step, step)
            if self._profile.heartbeats:
                first_ms = start_ms + int(self._random() * _HEARTBEAT_MS)
                timeline.call_at(first_ms, self._heartbeat, self._cast.agents[agent_number].agent_id)
        self._timeline.call_at((today + 1) * DAY_MS - self._options.utc_offset_ms, self._dawn, None, today + 1)

    def _dawn(self, _subject: None, day: int) -> None:
        for agent_number in range(len(self._cast.agents)):
            for step in self._plan(agent_number, day):
                self._timeline.call_at(step.at_ms, self._step, step)
        self._timeline.call_at((day + 1) * DAY_MS - self._options.utc_offset_ms, self._dawn, None, day + 1)

    def _plan(self, agent_number: int, day: int) -> list[Step]:
        rng = self._rng(f"day/{agent_number}/{day}")
        agent = self._cast.agents[agent_number]
        return day_plan(agent, day, self._options.utc_offset_ms, rng, silent_drops=self._profile.heartbeats)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _configure(self, settings: Document, _token: int) -> None:
        self._hand_over(self._responder.config(self._publish("shop-configs", "c", settings)))

    def _step(self, step: Step, _token: int) -> None:
        self._floor.take(step)
        if step.status == "suspended":
            self._suspended.add(step.agent_id)
        elif step.status in {"resumed", "logged_out"}:
            self._suspended.discard(step.agent_id)
        if step.status is not None:
            self._status(step)

    def _heartbeat(self, agent_id: str, _token: int) -> None:
        self._timeline.call_at(self._timeline.now_ms + _HEARTBEAT_MS, self._heartbeat, agent_id)
        if self._floor.is_connected(agent_id):
            self._status(Step(self._timeline.now_ms, agent_id, "online"))

    def _status(self, step: Step) -> None:
        event: Document = {"agent_id": step.agent_id, "status": step.status, "device": step.device}
        if step.device_id:
            event["device_id"] = step.device_id
        line = self._publish("agent-status", "s", event)
        reachable = self._floor.is_connected(step.agent_id) and step.agent_id not in self._suspended
        self._hand_over(self._responder.status(line, self._timeline.now_ms, step.agent_id, reachable=reachable))

    def _message(self, talk: Conversation) -> None:
        event: Document = {"buyer_id": talk.buyer_id}
        if talk.order_state is not None:
            event["order_state"] = talk.order_state
        if talk.page is not None:
            event["entry_page"] = talk.page
        if talk.addressed is not None:
            event["addressed_agent_id"] = talk.addressed
        if talk.wants_human:
            event["wants_human"] = True
        line = self._publish("buyer-messages", "m", event)
        self._hand_over(self._responder.message(line, self._timeline.now_ms, talk.buyer_id))

    def _reply(self, kind: ReplyName, agent_id: str, buyer: str, to_agent: str | None) -> bool:
        event: Document = {"agent_id": agent_id, "buyer_id": buyer, "kind": kind}
        if to_agent is not None:
            event["to_agent_id"] = to_agent
        line = self._publish("agent-replies", "r", event)
        self._hand_over(self._responder.reply(line, to_agent or agent_id, buyer))
        over = kind == "reply" and self._buyers.answered(buyer, agent_id)
        if over:
            self._greeted.discard(buyer)
        return over

    def _auto(self, subject: tuple[str, str], is_robot: int) -> None:
        account, buyer = subject
        line = self._publish("agent-replies", "r", {"agent_id": account, "buyer_id": buyer, "kind": "auto"})
        self._hand_over(self._responder.reply(line, account, buyer))
        if is_robot:
            self._buyers.answered_by_robot(buyer)

    def _hand_over(self, handovers: Sequence[Handover]) -> None:
        """Let the agents know who waits for them now."""
        for buyer, owner, is_robot in handovers:
            if owner is not None and is_robot:
                self._floor.hand(buyer, None)
                wait_ms = _ROBOT_ANSWER.draw(self._random)
                self._timeline.call_at(self._timeline.now_ms + wait_ms, self._auto, (owner, buyer), 1)
                continue
            self._floor.hand(buyer, owner)
            if owner is not None and self._profile.greets and buyer not in self._greeted:
                self._greeted.add(buyer)
                wait_ms = _GREETING.draw(self._random)
                self._timeline.call_at(self._timeline.now_ms + wait_ms, self._auto, (owner, buyer), 0)

    # --- records ----------------------------------------------------------------------------------------------------

    def _publish(self, topic: Topic, letter: str, fields: Document) -> bytes:
        """Add a record; its instant is now, or a little later where a topic of a higher rank spoke just now.

        So the order of the records is the order in which the router merges them (O2), too.
        """
        at_ms, rank = self._timeline.now_ms, RANK[topic]
        last_ms, last_rank = self._last
        at_ms = max(at_ms, last_ms)
        if at_ms == last_ms and rank < last_rank and at_ms < self._timeline.now_ms + _TIE_ROOM_MS:
            at_ms += 1
        self._last = (at_ms, rank)
        number = self._counts[topic] = self._counts[topic] + 1
        line = orjson.dumps(
            {
                "type": TYPE_OF_TOPIC[topic],
                "event_id": f"{self._shop_id}-{letter}{number}",
                "shop_id": self._shop_id,
                "occurred_at_ms": at_ms,
                **fields,
            }
        )
        self._out.append(Record(at_ms, self._number, topic, self._key, line))
        return line
