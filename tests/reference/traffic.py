"""Sequences of valid events that hit corners: few buyers and agents, colliding times, late events, long silences.

With `section_13` they use all that its rules are about, often; without, nothing of it.
`random_events(seed)` is for long comparisons, `event_sequences()` for hypothesis (it shrinks). An item of a sequence
is an event, or a whole number: the wall clock has passed it and the timers up to it are to fire.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
from hypothesis import strategies as st

from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from tests.reference.shops import (
    GROUPS,
    NO_GROUP,
    ORDER_STATES,
    PAGES,
    Cast,
    Document,
    Source,
    config_change,
    draw_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from schemas.decisions import AgentPresence, Assignment

T = TypeVar("T")
Event = BuyerMessage | AgentStatus | AgentReply | ShopConfigChange
Item = Event | int

START_MS = 1_700_000_000_000
SECOND_MS, MINUTE_MS, HOUR_MS = 1000, 60_000, 3_600_000
# Exactly on, before and after the deadlines that the drawn settings lead to.
EXACT_GAPS_MS = (30_000, 60_000, 90_000, 120_000, 300_000, HOUR_MS, HOUR_MS + 1, 72 * HOUR_MS, 72 * HOUR_MS + 1)


class Router(Protocol):
    """What a sequence can be played to."""

    def apply(self, event: Event) -> list[Assignment | AgentPresence]:
        """Apply one event."""

    def fire_timers(self, until_ms: int) -> list[Assignment | AgentPresence]:
        """Fire what is due at or before `until_ms`."""


@dataclass(frozen=True)
class Step:
    """One thing that happens, without the past: where it stands in time follows from the steps before it."""

    kind: str  # message, status, reply, config, tick
    shop_id: str
    gap_ms: int
    late_ms: int = 0
    repeat: int = 0  # a message that repeats the id of the one so many messages of the buyer before; 0: none
    fields: Document = field(default_factory=dict)
    settings: Document | None = None
    goodbye: bool = False  # a reply to the buyer who was given away last, by the agent who gave it away (Y12)


@dataclass(frozen=True)
class RandomSource:
    """Choices of a seeded generator."""

    rng: random.Random

    def number(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.rng.randrange(len(options))]

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent


@dataclass(frozen=True)
class DrawnSource:
    """Choices of hypothesis."""

    draw: DrawFn

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def pick(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent


def draw_cast(source: Source) -> Cast:
    """1 to 3 shops, 1 to 5 agents, 3 to 8 buyers; the shops share the names of their people."""
    return Cast(
        shops=tuple(f"shop-{n}" for n in range(1, source.pick([1, 1, 2, 3]) + 1)),
        agents=tuple(f"a{n}" for n in range(1, source.number(1, 5) + 1)),
        buyers=tuple(f"b{n}" for n in range(1, source.number(3, 8) + 1)),
    )


def draw_gap(source: Source) -> int:
    """Often the same ms, sometimes exactly on a deadline, now and then days."""
    long_ms = [24 * HOUR_MS, 80 * HOUR_MS, 30 * 24 * HOUR_MS, 30 * 24 * HOUR_MS + 1]
    size = source.number(0, 99)
    up_to_ms = [(60, 3 * SECOND_MS), (75, MINUTE_MS), (85, 8 * MINUTE_MS), (88, 5 * HOUR_MS)]
    if size < 35:
        return 0
    for share, limit_ms in up_to_ms:
        if size < share:
            return source.number(1, limit_ms)
    return source.pick(EXACT_GAPS_MS if size < 98 else long_ms)


def draw_late(source: Source) -> int:
    """How far an event stands behind the newest time, mostly not at all."""
    if not source.chance(15):
        return 0
    return source.pick([1, source.number(1, 5 * SECOND_MS), 30_000, 60_000, source.number(1, 6 * MINUTE_MS)])


def draw_step(source: Source, cast: Cast, *, ticks: bool, section_13: bool = False) -> Step:
    """Draw one step."""
    kind = source.pick(["message"] * 9 + ["status"] * 7 + ["reply"] * 5 + ["config"] * 2 + ["tick"] * ticks)
    shop_id = source.pick(cast.shops)
    gap_ms = draw_gap(source)
    if kind == "tick":
        return Step(kind, shop_id, gap_ms)
    late_ms = draw_late(source)
    if kind == "config":
        settings = draw_settings(source, cast, section_13=section_13) if source.chance(90) else None
        return Step(kind, shop_id, gap_ms, late_ms, settings=settings)
    if kind == "message":
        repeat = source.number(1, 10) if source.chance(10) else 0
        fields = draw_message(source, cast)
        if section_13 and source.chance(30):
            fields["priority"] = source.number(0, 9)
        return Step(kind, shop_id, gap_ms, late_ms, repeat, fields)
    draw_fields = draw_status if kind == "status" else draw_reply
    fields = draw_fields(source, cast)
    goodbye = section_13 and draw_asked_for_there(source, cast, fields)
    return Step(kind, shop_id, gap_ms, late_ms, fields=fields, goodbye=goodbye)


def draw_message(source: Source, cast: Cast) -> Document:
    """A buyer's message, sometimes to an agent whom nobody has heard of."""
    fields: Document = {"buyer_id": source.pick(cast.buyers)}
    if source.chance(60):
        fields["order_state"] = source.pick(ORDER_STATES)
    if source.chance(50):
        fields["entry_page"] = source.pick(PAGES)
    if source.chance(20):
        fields["addressed_agent_id"] = source.pick([*cast.agents, "stranger"])
    if source.chance(20):
        fields["wants_human"] = True
    return fields


def draw_status(source: Source, cast: Cast) -> Document:
    """Mostly coming online, or nobody would ever be there."""
    fields: Document = {
        "agent_id": source.pick(cast.agents),
        "status": source.pick(["online"] * 5 + ["offline"] * 3 + ["logged_out"] * 2 + ["suspended", "resumed"]),
    }
    if source.chance(25):
        fields["device"] = "mobile"
    if source.chance(15):
        fields["device_id"] = source.pick(["one", "two"])
    return fields


def draw_reply(source: Source, cast: Cast) -> Document:
    """All kinds; accounts and strangers answer and receive too."""
    kind = source.pick(["reply"] * 4 + ["transfer"] * 3 + ["close", "auto"])
    people = [*cast.agents, *cast.agents, "main", "proxy-1", "newcomer"]
    agent_id = source.pick(people)
    fields: Document = {"agent_id": agent_id, "buyer_id": source.pick(cast.buyers), "kind": kind}
    if kind == "transfer":
        fields["to_agent_id"] = agent_id if source.chance(15) else source.pick([*people, "somebody-new"])
    return fields


def draw_asked_for_there(source: Source, cast: Cast, fields: Document) -> bool:
    """Section 13 in a status or a reply; whether it says goodbye."""
    if "status" in fields:
        if fields["status"] != "online" and source.chance(20):
            fields["device_id"] = ""
        return False
    if fields["kind"] == "transfer":
        if source.chance(50):
            del fields["to_agent_id"]
            fields["to_group_id"] = source.pick([*GROUPS, NO_GROUP])
        elif source.chance(50):
            fields["to_agent_id"] = source.pick(cast.agents)
        return False
    return fields["kind"] == "reply" and source.chance(25)


def assemble(steps: Iterable[Step]) -> list[Item]:
    """Put steps on the time line. One time line for all shops; event ids are given in order, save for the repeats."""
    now_ms = START_MS
    items: list[Item] = []
    ids_of_buyer: dict[tuple[str, object], list[str]] = {}
    given_away: dict[str, Document] = {}
    for number, step in enumerate(steps, 1):
        now_ms += step.gap_ms
        if step.kind == "tick":
            items.append(now_ms)
            continue
        occurred_at_ms = now_ms - step.late_ms
        if step.kind == "config":
            items.append(config_change(step.shop_id, occurred_at_ms, step.settings))
            continue
        event_id = f"e{number}"
        fields = step.fields
        if fields.get("kind") == "transfer":
            given_away[step.shop_id] = {name: fields[name] for name in ("agent_id", "buyer_id")}
        if step.goodbye:
            fields = fields | given_away.get(step.shop_id, {})
        if step.kind == "message":
            known = ids_of_buyer.setdefault((step.shop_id, step.fields["buyer_id"]), [])
            if 0 < step.repeat <= len(known):
                event_id = known[-step.repeat]
            known.append(event_id)
        document = {"event_id": event_id, "shop_id": step.shop_id, "occurred_at_ms": occurred_at_ms, **fields}
        kinds = {"message": BuyerMessage, "status": AgentStatus, "reply": AgentReply}
        items.append(msgspec.convert(document, kinds[step.kind]))
    return items


def random_events(seed: int, length: int = 200, *, ticks: bool = False, section_13: bool = False) -> list[Item]:
    """A sequence that is the same for the same seed."""
    source = RandomSource(random.Random(seed))  # noqa: S311  (test traffic, no secret)
    cast = draw_cast(source)
    return assemble(draw_step(source, cast, ticks=ticks, section_13=section_13) for _ in range(length))


@st.composite
def steps_of(draw: DrawFn, cast: Cast, ticks: bool, section_13: bool) -> Step:
    """One step of a cast."""
    return draw_step(DrawnSource(draw), cast, ticks=ticks, section_13=section_13)


def event_sequences(
    max_scenes: int = 10, *, ticks: bool = False, section_13: bool = False
) -> SearchStrategy[list[Item]]:
    """Sequences for hypothesis, up to 10 steps a scene; what does not matter is dropped when a failing case shrinks.

    The scenes mean nothing: hypothesis draws short lists, and a list of lists is long enough to be of use.
    """

    @st.composite
    def sequences(draw: DrawFn) -> list[Item]:
        cast = draw_cast(DrawnSource(draw))
        scene = st.lists(steps_of(cast, ticks, section_13), min_size=1, max_size=10)
        scenes = draw(st.lists(scene, min_size=1, max_size=max_scenes))
        return assemble([step for scene in scenes for step in scene])

    return sequences()


def play(router: Router, items: Iterable[Item]) -> list[list[Assignment | AgentPresence]]:
    """What a router answers to each item."""
    return [router.fire_timers(item) if isinstance(item, int) else router.apply(item) for item in items]
