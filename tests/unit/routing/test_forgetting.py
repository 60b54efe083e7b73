"""What is not configured, owes nothing and was idle for longer than the window is forgotten (T6), nothing else."""

from random import Random
from typing import Literal

import msgspec
import pytest

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Change, Router, StateError
from tests.reference.model import ReferenceRouter
from tests.reference.shops import Document, config_change
from tests.reference.traffic import Event, Item, play
from tests.unit.routing.test_housekeeping import objects_of
from tests.unit.routing.test_standing import check

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
WINDOW_MS = 72 * HOUR_MS
STATUSES: tuple[Literal["online", "offline", "logged_out", "suspended", "resumed"], ...] = (
    "online", "online", "offline", "offline", "logged_out", "suspended", "resumed",
)  # fmt: skip

Tables = dict[tuple[str, bytes], bytes]


def status(agent_id: str, name: str, at_ms: int, device_id: str = "", kind: str = "pc") -> AgentStatus:
    (known,) = {each for each in STATUSES if each == name}
    return AgentStatus(
        event_id="s", shop_id="s", agent_id=agent_id, occurred_at_ms=at_ms, status=known, device_id=device_id,
        device="pc" if kind == "pc" else "mobile",
    )  # fmt: skip


def message(buyer_id: str, at_ms: int, addressed: str | None = None, state: str | None = None) -> BuyerMessage:
    return BuyerMessage(
        event_id=f"m{at_ms}", shop_id="s", buyer_id=buyer_id, occurred_at_ms=at_ms,
        addressed_agent_id=addressed, order_state=state,
    )  # fmt: skip


def reply(agent_id: str, buyer_id: str, at_ms: int, to: str | None = None) -> AgentReply:
    return AgentReply(
        event_id="r", shop_id="s", agent_id=agent_id, buyer_id=buyer_id, occurred_at_ms=at_ms,
        kind="reply" if to is None else "transfer", to_agent_id=to,
    )  # fmt: skip


def write_down(tables: Tables, router: Router) -> None:
    """What a compacted changelog keeps; no tombstone is of a key that was never there."""
    for table, key, value in router.take_changes():
        if value is None:
            del tables[table, key]
        else:
            tables[table, key] = value


def keys(tables: Tables, table: str) -> list[str]:
    return sorted(key.decode().replace("\x1f", "/") for name, key in tables if name == table)


def restored(tables: Tables) -> Router:
    router = Router()
    for (table, key), value in tables.items():
        router.load(table, key, value)
    router.finish_load()
    return router


# -- the whole of it -------------------------------------------------------------------------------------------------


def some_settings(rng: Random) -> Document:
    groups = [{"group_id": each, "order_states": ["paid"], "agent_ids": ["an", "bo"]} for each in ("g1", "g2")]
    return {
        "policy": rng.choice(["qianniu", "qianniu", "pinduoduo"]),
        "offline_diversion": rng.random() < 0.5,
        "mobile_diversion": rng.random() < 0.3,
        "expect_heartbeats": rng.random() < 0.3,
        "recent_contact_window_h": rng.choice([1, 72, 72, 100, None]),
        "agents": [{"agent_id": each} for each in ("an", "bo") if rng.random() < 0.3],
        "groups": groups[: rng.randint(0, 2)],
        "pages": [{"page": "p", "agent_ids": ["an", "chen"]}] if rng.random() < 0.4 else [],
        "leave_message": rng.choice([{"to": "message_pool"}, {"to": "main_account", "main_account_id": "boss"}]),
        "rescue": rng.choice(["none", "stranded", "all_pending"]),
        "no_reply_reassign_s": rng.choice([None, 60]),
    }


def sparse_events(seed: int, count: int) -> list[Item]:
    """Little traffic in a long time: every silence is about as long as the window, or very short."""
    rng, now_ms, items = Random(seed), START_MS, list[Item]()  # noqa: S311
    agents, buyers = ["an", "bo", "chen", "boss", f"stranger-{seed}"], ["li", "wang", "zhao"]
    for number in range(count):
        now_ms += rng.choice([0, 0, 1, 1000, HOUR_MS, 24 * HOUR_MS, WINDOW_MS, WINDOW_MS + 1, 31 * 24 * HOUR_MS])
        at_ms = now_ms - rng.choice([0, 0, 0, 1, 1000, 30 * HOUR_MS, WINDOW_MS])
        agent_id, buyer_id, kind = rng.choice(agents), rng.choice(buyers), rng.random()
        if kind < 0.05:
            items.append(config_change("s", at_ms, some_settings(rng) if rng.random() < 0.7 else None))
        elif kind < 0.15:
            items.append(now_ms)
        elif kind < 0.45:
            device = rng.choice(["", "", f"d{number}"]), rng.choice(["pc", "pc", "mobile"])
            items.append(status(agent_id, rng.choice(STATUSES), at_ms, *device))
        elif kind < 0.75:
            addressed = agent_id if rng.random() < 0.3 else None
            items.append(message(buyer_id, at_ms, addressed, rng.choice(["paid", None])))
        else:
            items.append(reply(agent_id, buyer_id, at_ms, rng.choice([None, None, "an", f"typo-{number}"])))
    return items


@pytest.mark.parametrize("seed", range(60))
def test_in_little_traffic_and_long_silences_the_reference_decides_the_same(seed: int) -> None:
    items = sparse_events(seed, 120)
    assert play(Router(), items) == play(ReferenceRouter(), items)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_forgotten_is_so_after_a_restore_too(seed: int) -> None:
    rng, kept, moving = Random(seed), Router(), Router()  # noqa: S311
    tables: Tables = {}
    for item in sparse_events(seed, 120):
        assert play(moving, [item]) == play(kept, [item])
        for shop in kept._shops.values():
            check(shop)
        for table, key, value in moving.take_changes():
            if value is None:
                tables.pop((table, key), None)  # made and forgotten since the last look
            else:
                tables[table, key] = value
        kept.drop_changes()
        if rng.random() < 0.2:
            moving = restored(tables)
        assert moving.next_deadline_ms() == kept.next_deadline_ms()
        assert moving.key_counts() == kept.key_counts()
        assert {table: len(keys(tables, table)) for table in kept.key_counts()} == kept.key_counts()
        assert moving.gauges() == kept.gauges()


DAY_MS = 24 * HOUR_MS


def a_day(number: int) -> list[Event]:
    """Of a shop in which all that can change does: sessions, buyers, targets of transfers, groups; and of another."""
    start_ms, events = START_MS + number * DAY_MS, list[Event]()
    for hour in range(24):
        at_ms, session = start_ms + hour * HOUR_MS, f"session-{number}-{hour}"
        events += [status("an", "online", at_ms, session), message(f"b{number}-{hour}", at_ms + 1)]
        events += [reply("an", f"b{number}-{hour}", at_ms + 2), status("an", "offline", at_ms + 3, session)]
    end_ms = start_ms + DAY_MS - 1
    group = {"group_id": f"g{number}", "order_states": ["paid"], "agent_ids": ["an"]}
    events += [config_change("s", end_ms, {"groups": [group]}), message(f"b{number}", end_ms, state="paid")]
    events += [reply("an", f"b{number}", end_ms, to=f"typo-{number}"), reply(f"day-{number}", f"b{number}", end_ms)]
    elsewhere = message("li", end_ms), reply("bo", "li", end_ms)
    return [*events, *(msgspec.structs.replace(event, shop_id=f"shop-{number}") for event in elsewhere)]


def test_in_nine_weeks_nothing_grows_by_what_was_before_the_window() -> None:
    router, tables = Router(), Tables()
    weeks: list[tuple[dict[str, int], int, int]] = []
    for number in range(9 * 7):
        play(router, a_day(number))
        router.fire_timers(START_MS + (number + 1) * DAY_MS)
        write_down(tables, router)
        router.take_stats()
        if number % 7 == 6:
            weeks.append((router.key_counts(), sum(map(len, tables.values())), objects_of(router)))
    for counts, state_bytes, objects in weeks[1:]:
        assert counts == weeks[0][0]
        assert state_bytes < 1.05 * weeks[0][1]
        assert objects < 1.1 * weeks[0][2]
    assert {table: len(keys(tables, table)) for table in counts} == counts
    router.fire_timers(START_MS + 100 * DAY_MS)
    write_down(tables, router)
    assert sorted(tables) == [("pending_replies", b"s\x1fan"), ("shop_settings", b"s"), ("shops", b"s")]


# -- devices ---------------------------------------------------------------------------------------------------------


def test_a_device_is_forgotten_a_window_after_its_last_status_and_then_protects_from_nothing_older() -> None:
    router, tables = Router(), Tables()
    play(router, [config_change("s", START_MS, {"agents": [{"agent_id": "an"}]})])
    play(router, [status("an", "online", START_MS, "d1"), status("an", "offline", START_MS + 10, "d1")])
    write_down(tables, router)
    assert keys(tables, "pending_replies") == ["s/an", "s/an/pc/d1"]
    late = status("an", "online", START_MS + 5, "d1")
    router.fire_timers(START_MS + 10 + WINDOW_MS)
    router.apply(late)
    assert router.take_stats().stale_statuses == 1  # L10
    assert restored(tables).gauges().device_keys == 1
    router.fire_timers(START_MS + 10 + WINDOW_MS + 1)
    write_down(tables, router)
    assert keys(tables, "pending_replies") == ["s/an"]
    router.apply(late)
    assert router.take_stats().stale_statuses == 0


def test_a_status_that_comes_more_than_a_window_late_leaves_no_device_behind() -> None:
    router, tables = Router(), Tables()
    play(router, [message("li", START_MS + WINDOW_MS + 2), status("an", "online", START_MS, "d1")])
    write_down(tables, router)
    assert keys(tables, "pending_replies") == ["s/an", "s/an/pc/d1"]
    play(router, [status("an", "offline", START_MS + 1, "d1")])
    write_down(tables, router)
    assert keys(tables, "pending_replies") == ["s/an"]


def test_a_connected_device_stays_and_so_does_its_agent() -> None:
    """A mobile that does not count is connected too: with `mobile_diversion` the agent would be there at once (L2)."""
    router = Router()
    play(router, [status("an", "online", START_MS, "d1"), status("bo", "online", START_MS, "", "mobile")])
    router.fire_timers(START_MS + 10 * WINDOW_MS)
    assert router.shop_pending("s") == {"an": 0, "bo": 0}
    assert router.next_deadline_ms() is None


def test_however_many_devices_an_agent_has_a_change_writes_little() -> None:
    router = Router()
    for number in range(5_000):
        at_ms = START_MS + number * 4_000
        play(router, [status("an", "online", at_ms, f"session-{number}")])
        play(router, [status("an", "offline", at_ms + 1_000, f"session-{number}")])
        assert sum(len(change.value or b"") for change in router.take_changes()) < 500
    assert router.gauges().device_keys == 5_000


# -- agents ----------------------------------------------------------------------------------------------------------

GONE: list[Event] = [
    status("an", "online", START_MS),
    status("an", "suspended", START_MS + 1),
    status("an", "offline", START_MS + 2),
]


def test_an_agent_is_forgotten_a_window_after_the_last_event_that_named_it_and_unknown_again() -> None:
    """Suspended or not: its next `online` lifts that anyway (L1)."""
    router, tables = Router(), Tables()
    config = config_change("s", START_MS, {"offline_diversion": False})
    play(router, [config, *GONE])
    router.fire_timers(START_MS + 2 + WINDOW_MS)
    assert router.shop_pending("s") == {"an": 0}
    known, unknown = Router(), Router()
    write_down(tables, router)
    for each in (known, unknown):
        for (table, key), value in tables.items():
            each.load(table, key, value)
        each.finish_load()
    (waits,) = known.apply(message("li", START_MS + 2 + WINDOW_MS, addressed="an"))
    (diverted,) = unknown.apply(message("li", START_MS + 2 + WINDOW_MS + 1, addressed="an"))
    assert isinstance(waits, Assignment)
    assert isinstance(diverted, Assignment)
    assert (waits.rule, waits.target.id) == ("addressed_agent_offline", "an")
    assert diverted.trace[0] == ("addressed_agent", "agent_unknown")


HELD: dict[str, list[Event]] = {
    "named by the settings": [config_change("s", START_MS, {"groups": [{"group_id": "g", "agent_ids": ["an"]}]})],
    "the last contact of a buyer": [
        reply("an", "li", START_MS + 3),
        *(message("li", START_MS + number * WINDOW_MS // 2) for number in range(1, 5)),
    ],
    "waited for": [
        config_change("s", START_MS, {"offline_diversion": False}),
        *(message("li", START_MS + 3 + number * WINDOW_MS // 2, addressed="an") for number in range(5)),
    ],
}


@pytest.mark.parametrize("why", HELD)
def test_an_agent_that_is_needed_is_not_forgotten(why: str) -> None:
    router = Router()
    play(router, [*GONE, *HELD[why]])
    router.fire_timers(START_MS + 2 * WINDOW_MS + 2)
    assert "an" in router.shop_pending("s")


def test_an_agent_who_is_idle_for_long_already_is_forgotten_as_soon_as_nothing_needs_it() -> None:
    config = config_change("s", START_MS, {"agents": [{"agent_id": "an"}, {"agent_id": "bo"}]})
    router = Router()
    play(router, [config, *GONE, status("bo", "online", START_MS), message("li", START_MS + 1 + 3 * WINDOW_MS)])
    assert router.shop_pending("s") == {"an": 0, "bo": 1}
    router.apply(config_change("s", START_MS + 2 + 3 * WINDOW_MS, None))
    assert router.shop_pending("s") == {"bo": 1}


def test_a_mistyped_target_of_a_transfer_is_forgotten_when_its_buyer_has_another_contact() -> None:
    router = Router()
    play(router, [status("an", "online", START_MS), message("li", START_MS), reply("an", "li", START_MS + 1, to="am")])
    play(router, [message("li", START_MS + 2), reply("an", "li", START_MS + 2)])
    router.fire_timers(START_MS + 1 + WINDOW_MS)
    assert router.shop_pending("s") == {"am": 0, "an": 0}
    router.fire_timers(START_MS + 2 + WINDOW_MS)
    assert router.shop_pending("s") == {"an": 0}


def test_s3_an_agent_who_was_forgotten_comes_back_level_with_the_pool() -> None:
    router = Router()
    play(router, [status("an", "online", START_MS), status("bo", "online", START_MS)])
    play(router, [message(f"b{number}", START_MS + number) for number in range(9)])
    play(router, [reply("bo", f"b{number}", START_MS + 10) for number in range(9)])
    play(router, [status("an", "offline", START_MS + 11), message("li", START_MS + 12)])
    later_ms = START_MS + 2 * WINDOW_MS
    router.fire_timers(later_ms)
    assert router.shop_pending("s") == {"bo": 0}
    play(router, [status("an", "online", later_ms)])
    shop = router._shops["s"]
    assert shop.agents["an"].virtual_times == {"all": shop.pool_clocks["all"]}
    assert shop.agents["an"].last_share_ms == -1


def test_s5_agents_who_are_forgotten_leave_nothing_behind_in_the_order() -> None:
    """Each day another agent serves, and each is a candidate for a while."""
    router = Router()
    for number in range(400):
        at_ms = START_MS + number * 24 * HOUR_MS
        play(router, [status(f"a{number}", "online", at_ms), message(f"b{number}", at_ms)])
        play(router, [reply(f"a{number}", f"b{number}", at_ms + 1), status(f"a{number}", "offline", at_ms + 2)])
    shop = router._shops["s"]
    assert len(shop.agents) < 10
    rankings = (shop.pools["all"].candidates, shop.pools["all"].roomy)
    assert all(len(ranking._heap) < 40 for ranking in rankings)
    assert all(ranking._queued <= shop.agents.keys() for ranking in rankings)
    assert len(shop.idle) < 40


# -- pools and shops -------------------------------------------------------------------------------------------------


def grouped(at_ms: int, *group_ids: str) -> Event:
    groups = [{"group_id": each, "order_states": ["paid"], "agent_ids": ["an", "bo"]} for each in group_ids]
    return config_change("s", at_ms, {"agents": [{"agent_id": "an"}, {"agent_id": "bo"}], "groups": groups})


@pytest.mark.parametrize(("after_ms", "kept"), [(WINDOW_MS, True), (WINDOW_MS + 1, False)])
def test_a_pool_that_the_settings_have_no_longer_is_forgotten_a_window_later(after_ms: int, kept: bool) -> None:
    router = Router()
    play(router, [grouped(START_MS, "g1"), status("an", "online", START_MS), status("bo", "online", START_MS)])
    play(router, [message(f"b{number}", START_MS + number, state="paid") for number in range(5)])
    play(router, [grouped(START_MS + 9, "g2"), grouped(START_MS + 10, "g2", "g3")])
    router.fire_timers(START_MS + 9 + after_ms)
    shop = router._shops["s"]
    assert ("group:g1" in shop.pool_clocks) is kept
    assert all(("group:g1" in agent.virtual_times) is kept for agent in shop.agents.values())
    play(router, [grouped(START_MS + 9 + after_ms, "g1"), message("li", START_MS + 9 + after_ms, state="paid")])
    assert shop.retired_pools.keys() <= {"group:g2", "group:g2\x1fg3"}
    assert (shop.pool_clocks["group:g1"] > 0) is kept


def test_a_shop_of_which_nothing_is_left_is_forgotten_when_its_clock_has_stood_still_for_a_window() -> None:
    router, tables = Router(), Tables()
    play(router, [*GONE, message("li", START_MS + 3), reply("an", "li", START_MS + 4, to="bo")])
    write_down(tables, router)
    assert len(tables) == 5  # an, its device, bo, li, and the shop
    gone_ms = START_MS + 4 + WINDOW_MS + 1  # li, and with it bo, whom it waited for
    router.fire_timers(gone_ms + WINDOW_MS)
    write_down(tables, router)
    assert list(tables) == [("shops", b"s")]
    assert (router.key_counts()["shops"], router.gauges().unattended_shops) == (1, 1)
    router.fire_timers(gone_ms + WINDOW_MS + 1)
    write_down(tables, router)
    assert tables == {}
    assert (router.key_counts()["shops"], router.gauges().unattended_shops) == (0, 0)
    assert router.next_deadline_ms() is None


def test_o3_after_a_shop_was_forgotten_its_clock_begins_anew() -> None:
    items: list[Item] = [message("li", START_MS), START_MS + 5 * WINDOW_MS, message("li", START_MS + 1)]
    router = Router()
    decided = play(router, items)
    assert decided == play(ReferenceRouter(), items)
    (again,) = decided[-1]
    assert isinstance(again, Assignment)
    assert (again.late_ms, again.decided_at_ms, again.waiting_messages) == (0, START_MS + 1, 1)


def test_a_shop_that_is_forgotten_and_comes_back_between_two_looks_at_the_changes_is_written_anew() -> None:
    router, tables = Router(), Tables()
    play(router, [*GONE, message("li", START_MS + 3)])
    write_down(tables, router)
    play(router, [message("wang", START_MS + 9 * WINDOW_MS)])
    write_down(tables, router)
    assert keys(tables, "pending_replies") == []
    assert keys(tables, "last_contacts") == ["s/wang"]
    assert restored(tables).key_counts() == router.key_counts()
    assert restored(tables).gauges() == router.gauges()


def test_a_shop_with_settings_stays() -> None:
    router = Router()
    play(router, [config_change("s", START_MS, {"busy_threshold": 3}), *GONE])
    router.fire_timers(START_MS + 9 * WINDOW_MS)
    assert router.key_counts() == {"pending_replies": 0, "last_contacts": 0, "shops": 1, "shop_settings": 1}
    play(router, [config_change("s", START_MS + 9 * WINDOW_MS, None), START_MS + 10 * WINDOW_MS + 1])
    router.take_changes()
    assert set(router.key_counts().values()) == {0}


def test_forgetting_moves_no_clock() -> None:
    """So an event that comes a little later than the wall clock fired it is not late for that (O5)."""
    router = Router()
    play(router, [*GONE, status("bo", "online", START_MS + 2 * WINDOW_MS)])
    router.fire_timers(START_MS + 2 * WINDOW_MS + 1)
    play(router, [status("bo", "offline", START_MS + 2 * WINDOW_MS + 1), START_MS + 2 * WINDOW_MS + HOUR_MS])
    clock_ms = router._shops["s"].clock_ms
    router.fire_timers(START_MS + 3 * WINDOW_MS + 2)  # bo and its device
    assert router.shop_pending("s") == {}
    assert router._shops["s"].clock_ms == clock_ms


# -- restores --------------------------------------------------------------------------------------------------------


def test_a_changelog_that_still_holds_what_was_forgotten_is_restored_without_it() -> None:
    """Not compacted yet: every record is there, and its tombstone."""
    router, changelog = Router(), list[Change]()
    play(router, [*GONE, message("li", START_MS + 3)])
    changelog += router.take_changes()
    other = BuyerMessage(event_id="m", shop_id="t", buyer_id="wang", occurred_at_ms=START_MS)
    router.fire_timers(START_MS + 9 * WINDOW_MS)
    router.apply(other)
    changelog += router.take_changes()
    again = Router()
    for table in ("shop_settings", "shops", "last_contacts", "pending_replies"):  # each is a topic
        for change in changelog:
            if change.table == table:
                again.load(*change)
    again.finish_load()
    assert again.key_counts() == router.key_counts() == {
        "pending_replies": 0, "last_contacts": 1, "shops": 1, "shop_settings": 0,
    }  # fmt: skip
    assert again.gauges() == router.gauges()


def test_a_device_without_its_agent_is_refused() -> None:
    router = Router()
    router.load("shops", b"s", b'{"clock_ms":1}')
    router.load("pending_replies", b"s\x1fan\x1fpc\x1f", b'{"status_ms":1}')
    with pytest.raises(StateError, match="shop s: table pending_replies has a device of an, but not an itself"):
        router.finish_load()


def test_agents_of_format_1_are_remembered_for_a_window_from_now_on() -> None:
    """It does not tell when they were last active, and has their devices in their own records."""
    router = Router()
    router.load("shops", b"s", b'{"clock_ms":%d,"pool_clocks":{"group:g":7}}' % START_MS)
    record = b'{"pending":0,"seen":true,"devices":[["pc","d1",false,%d],["mobile","",true,5]],"seen_ms":5}'
    router.load("pending_replies", b"s\x1fan", record % (START_MS - 1))
    router.load("pending_replies", b"s\x1fbo", b'{"pending":0,"seen":true}')
    router.finish_load()
    assert router.key_counts()["pending_replies"] == 4
    assert router.next_deadline_ms() == START_MS - 1 + WINDOW_MS + 1  # d1
    router.fire_timers(START_MS + WINDOW_MS)
    assert router.shop_pending("s") == {"an": 0, "bo": 0}
    router.fire_timers(START_MS + WINDOW_MS + 1)
    assert router.shop_pending("s") == {"an": 0}
    assert router._shops["s"].pool_clocks == {}
