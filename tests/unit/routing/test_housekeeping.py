"""Nine simulated weeks: what is remembered grows with the buyers of a window, not with those of all time (T5)."""

import gc
from dataclasses import dataclass, field
from types import FunctionType, ModuleType

import pytest

from schemas.codec import decode
from schemas.events import BuyerMessage
from streams.routing import TABLES, Router
from streams.simulate import SimulationOptions, simulate
from streams.simulate.options import DAY_MS

pytestmark = pytest.mark.slow

WEEKS = 9
SETTLED_WEEK = 6
"""tb-001 forgets after 72 hours, and pdd-002, which has no window, after 30 days; from this week on both do."""

OPTIONS = SimulationOptions(
    seed=1, shops=2, agents=4, buyers=100_000, rate=0.01, hours=24 * 7 * WEEKS, replies="sticky"
)
_BATCH = 500

Key = tuple[str, bytes]


@dataclass
class Week:
    """How much there was at the end of one."""

    keys: dict[str, int]
    state_bytes: int
    objects: int
    buyers_so_far: int
    changes: int
    tombstones: int


@dataclass
class Run:
    """A router that saw all weeks, and what a compacted changelog of it holds."""

    router: Router = field(default_factory=Router)
    changelog: dict[Key, bytes] = field(default_factory=dict)
    changes: int = 0
    tombstones: int = 0
    unheard_of: list[Key] = field(default_factory=list)
    buyers: set[tuple[str, str]] = field(default_factory=set)
    weeks: list[Week] = field(default_factory=list)

    def write_down(self) -> None:
        """As the lane does after a batch; it asks for the counters, too, which are kept until then."""
        self.router.take_stats()
        for table, key, value in self.router.take_changes():
            self.changes += 1
            if value is not None:
                self.changelog[table, key] = value
                continue
            self.tombstones += 1
            if self.changelog.pop((table, key), None) is None:
                self.unheard_of.append((table, key))

    def live(self) -> dict[str, int]:
        """Keys that are not deleted, by table."""
        return {table: sum(name == table for name, _ in self.changelog) for table in TABLES}

    def end_week(self) -> None:
        self.write_down()
        self.weeks.append(
            Week(
                keys=self.router.key_counts(),
                state_bytes=sum(map(len, self.changelog.values())),
                objects=objects_of(self.router),
                buyers_so_far=len(self.buyers),
                changes=self.changes,
                tombstones=self.tombstones,
            )
        )


def objects_of(root: object) -> int:
    """How many objects it holds on to: whatever grows beside the tables, a queue of timers, say, is among them."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        for each in gc.get_referents(waiting.pop()):
            if id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType):
                seen.add(id(each))
                waiting.append(each)
    return len(seen)


@pytest.fixture(scope="module")
def run() -> Run:
    run, week_ends_ms = Run(), OPTIONS.start_ms + 7 * DAY_MS
    for number, record in enumerate(simulate(OPTIONS)):
        if record.at_ms >= week_ends_ms:
            run.end_week()
            week_ends_ms += 7 * DAY_MS
        event = decode(record.topic, record.value, key=record.key, timestamp_ms=record.at_ms)
        if isinstance(event, BuyerMessage):
            run.buyers.add((event.shop_id, event.buyer_id))
        run.router.apply(event)
        if number % _BATCH == 0:
            run.write_down()
            assert run.live() == run.router.key_counts()
    run.end_week()
    return run


def test_the_changelog_holds_what_the_router_remembers_and_no_more(run: Run) -> None:
    assert run.live() == run.router.key_counts() == run.weeks[-1].keys
    restored = Router()
    for (table, key), value in run.changelog.items():
        restored.load(table, key, value)
    restored.finish_load()
    assert restored.key_counts() == run.router.key_counts()
    assert restored.gauges() == run.router.gauges()


def test_a_tombstone_follows_every_buyer_that_is_forgotten_and_nothing_else(run: Run) -> None:
    assert run.unheard_of == []
    assert run.tombstones > len(run.buyers) / 2
    # A buyer may be forgotten and come back, and is then deleted more than once; the live ones are not deleted yet.
    assert run.tombstones >= len(run.buyers) - run.weeks[-1].keys["last_contacts"]


def test_buyers_go_on_coming_while_what_is_remembered_stays(run: Run) -> None:
    settled, last = run.weeks[SETTLED_WEEK - 1], run.weeks[-1]
    assert last.buyers_so_far > 1.3 * settled.buyers_so_far
    assert last.buyers_so_far > 2 * last.keys["last_contacts"]
    for week in run.weeks[SETTLED_WEEK:]:
        assert week.keys["last_contacts"] < 1.05 * settled.keys["last_contacts"]
        assert week.state_bytes < 1.05 * settled.state_bytes
        assert week.objects < 1.05 * settled.objects
        assert {table: week.keys[table] for table in ("shops", "shop_settings")} == {"shops": 2, "shop_settings": 2}
        assert week.keys["pending_replies"] <= OPTIONS.shops * OPTIONS.agents * 3  # an agent, its PC and its mobile


def test_the_changelog_grows_by_the_traffic_and_not_by_what_there_was_before(run: Run) -> None:
    written = [week.changes for week in run.weeks]
    each_week = [
        after - before for before, after in zip(written[SETTLED_WEEK - 1 :], written[SETTLED_WEEK:], strict=False)
    ]
    assert max(each_week) < 1.2 * min(each_week)


def test_when_nobody_comes_any_more_no_buyer_is_remembered(run: Run) -> None:
    run.router.fire_timers(OPTIONS.end_ms + 31 * DAY_MS)
    run.write_down()
    left = run.router.key_counts()
    assert left == run.live()
    assert left["last_contacts"] == 0
    assert (left["shops"], left["shop_settings"]) == (2, 2)
    assert run.router.next_deadline_ms() is None
