"""What the demo counts, which lines it chooses, and what its summary says."""

import io
import time

import msgspec
from rich.console import Console

from schemas.decisions import AgentPresence, Assignment, Target
from streams.demo.lines import Sampler
from streams.demo.reader import RefusedRecord, Seen
from streams.demo.summary import summary
from streams.demo.tally import Tally, quantile, ranked

ASSIGNMENT = Assignment(
    assignment_id="m1",
    message_id="m1",
    shop_id="tb-001",
    buyer_id="b1",
    target=Target("agent", "小满"),
    rule="recent_contact",
    policy="qianniu",
    previous_agent_id="小满",
    new_owner=False,
    target_presence="online",
    pending_before=0,
    waiting_messages=1,
    late_ms=0,
    trace=[("recent_contact", "taken")],
    occurred_at_ms=1,
    decided_at_ms=1,
    config_version="default",
)
OFFLINE = AgentPresence(
    shop_id="tb-001", agent_id="小满", presence="offline", since_ms=1, at_ms=9, pending_replies=3, stranded_buyers=2
)
REFUSED = RefusedRecord("config", "$.busy_threshold", "shop-configs", 5, "tb-001")


def _assigned(message_id: str, number: int = 1, rule: str = "recent_contact", at_ms: int = 1) -> Assignment:
    assignment_id = message_id if number == 1 else f"{message_id}#{number}"
    return msgspec.structs.replace(
        ASSIGNMENT, message_id=message_id, assignment_id=assignment_id, rule=rule, decided_at_ms=at_ms
    )


def test_the_backlog_is_done_when_each_of_its_messages_has_an_assignment() -> None:
    tally = Tally()
    for message in ("m1", "m2"):
        tally.sent(message, time.monotonic(), live=False)
    tally.sent("m3", time.monotonic(), live=True)
    tally.count(_assigned("m1"))
    tally.count(_assigned("m1", number=2, rule="pool_drained"))
    tally.count(_assigned("m3"))
    assert tally.backlog_left == 1
    tally.count(_assigned("m2"))
    assert tally.backlog_left == 0
    assert (tally.assignments, tally.first_assignments) == (4, 3)


def test_only_live_messages_sent_after_the_backlog_are_timed() -> None:
    tally = Tally()
    tally.sent("early", time.monotonic(), live=True)
    tally.note_caught_up()
    tally.sent("live", time.monotonic() + 1e-6, live=True)
    for message in ("early", "live", "unknown"):
        tally.count(_assigned(message))
    assert len(tally.latencies_s) == 1


def test_presence_and_dead_letters_are_counted() -> None:
    tally = Tally()
    for seen in (OFFLINE, REFUSED, REFUSED):
        tally.count(seen)
    assert (tally.stranded_buyers, tally.dead_letters, dict(tally.presence)) == (2, 2, {"offline": 1})


def test_quantiles_and_ranks() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile(list(range(100)), 0.99) == 99
    assert ranked({"b": 1, "c": 5, "a": 1}) == [("c", 5), ("a", 1), ("b", 1)]


def test_the_sampler_shows_the_rarest_first_in_order_of_time_and_counts_the_rest() -> None:
    sampler = Sampler(lines_per_s=4)
    for number in range(100):
        sampler.offer(_assigned(f"m{number}", at_ms=number))
    rare: list[Seen] = [OFFLINE, REFUSED]
    for seen in rare:
        sampler.offer(seen)
    chosen, hidden = sampler.take(elapsed_s=1)
    assert len(chosen) == 4
    assert hidden == 98
    assert all(seen in chosen for seen in rare)
    assert sampler.take(elapsed_s=10) == ([], 0)


def test_the_sampler_keeps_to_its_rate() -> None:
    sampler = Sampler(lines_per_s=8)
    shown = 0
    for _ in range(40):  # ten seconds
        for number in range(50):
            sampler.offer(_assigned(f"m{number}"))
        shown += len(sampler.take(elapsed_s=0.25)[0])
    assert 70 <= shown <= 80


class Sent:
    """What the summary asks of the traffic."""

    events, bad_records, backlog_events, backlog_messages = 1200, 7, 1000, 500


def test_the_summary_says_everything_that_was_promised() -> None:
    tally = Tally()
    tally.sent("m1", 0, live=False)
    for seen in (_assigned("m1"), OFFLINE, REFUSED):
        tally.count(seen)
    tally.note_caught_up()
    tally.sent("m2", time.monotonic() + 1e-6, live=True)
    tally.count(_assigned("m2", rule="group_share"))
    out = io.StringIO()
    console = Console(file=out, width=120)
    console.print(summary(tally, Sent(), live_s=3, metrics_url="http://127.0.0.1:1/metrics", series=42))
    text = out.getvalue()
    for part in (
        "1,200, 7 of them bad",
        "recent_contact",
        "group_share",
        "权重分流",
        "config",
        "2 buyers",
        "p99",
        "events a second",
        "http://127.0.0.1:1/metrics (42 series)",
    ):
        assert part in text


def test_the_summary_of_a_demo_that_was_stopped_early_does_not_invent_figures() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120)
    console.print(summary(Tally(), Sent(), live_s=0, metrics_url="http://127.0.0.1:1/metrics", series=None))
    assert "not routed to its end" in out.getvalue()
    assert "no live message" in out.getvalue()
