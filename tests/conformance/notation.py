"""Read scenario files: the compact notation of README.md into records, expectations and merge steps.

Strict: a word that the notation does not have, or a value of the wrong shape, is a `NotationError` that names file and
line. Every event becomes a record as a producer would send it (topic, key, JSON value, timestamp), so that scenarios
pass through the contract's codec like any input.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from schemas.codec import Topic
from tests.conformance.entries import START_MS, Entry, duration_ms, read_entries
from tests.conformance.records import SHOP_ID, Record, Until, config_record, steps_of, topic_named

_SCENARIO_WORDS = {
    "name", "rules", "shop", "events", "merged", "merge", "expect", "expect_all", "only", "counts", "pending", "pool",
    "fair_over_any_window",
}  # fmt: skip
_RULE_ID = re.compile(
    r"L([1-9]|10|11)|C[1-3]|Q[0-8]|P[0-6]|R[12]|S[1-5]|T[1-6]|O[1-5]|X[1-3]|F([1-9]|10)|Y([1-9]|1[0-6])"
    r"|section (1|9|10|13)"
)

_TARGET_KINDS = ("agent", "robot", "main_account", "proxy_account")
_PLAIN_FIELDS = {
    "assignment_id", "rule", "policy", "previous_agent_id", "new_owner", "target_presence", "pending_before", "weight",
    "candidate_count", "push", "waiting_messages", "config_version", "pending_replies", "stranded_buyers", "cause",
}  # fmt: skip
_INSTANTS = {"occurred_at": "occurred_at_ms", "decided_at": "decided_at_ms", "since": "since_ms", "at": "at_ms"}
_DURATIONS = {"late": "late_ms", "lag": "lag_ms"}
_RENAMED = {
    "message": "message_id",
    "buyer": "buyer_id",
    "agent": "agent_id",
    "presence": "presence",
    "shop": "shop_id",
}


@dataclass(frozen=True, kw_only=True)
class MergeStep:
    """One step of an O2 scenario: a record arrives, topics are read to their ends, or records are to come out."""

    word: str
    names: tuple[str, ...]
    topic: Topic | None = None
    time_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One output: `fields` must be equal, `absent` must not be there, `trace_has` must stand in the trace in order."""

    fields: Mapping[str, Any]
    absent: tuple[str, ...] = ()
    trace_has: tuple[tuple[str, str], ...] = ()
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario: what happens, and what must come of it."""

    name: str
    file: str
    line: int
    rules: tuple[str, ...]
    steps: tuple[Record | Until, ...] = ()
    merged: bool = False
    merge: tuple[MergeStep, ...] = ()
    expect: tuple[Expected, ...] = ()
    expect_all: bool = True
    only: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    pending: Mapping[str, int] = field(default_factory=dict)
    pool: int | None = None
    fair_over_any_window: Mapping[str, int] = field(default_factory=dict)


def load(path: Path) -> list[Scenario]:
    """All scenarios of a file, in its order.

    Raises:
        NotationError: the file says something that the notation does not have.
    """
    return [_scenario(entry) for entry in read_entries(path)]


def _scenario(entry: Entry) -> Scenario:
    entry.check_words(_SCENARIO_WORDS)
    rules = tuple(entry.take("rules", list))
    for rule in rules:
        if not _RULE_ID.fullmatch(str(rule)):
            raise entry.fail(f"{rule!r} is no rule id")
    if (only := entry.get("only")) not in {None, "assignments", "presence"}:
        raise entry.fail(f"'only' is assignments or presence, not {only!r}")
    if "merge" in entry:
        entry.check_words({"name", "rules", "merge"})
        merge = tuple(_merge_step(step) for step in entry.take("merge", list))
        return Scenario(name=entry.take("name", str), file=entry.file, line=entry.line, rules=rules, merge=merge)
    steps: list[Record | Until] = []
    if "shop" in entry:
        steps.append(config_record(entry, entry.take("shop", dict), SHOP_ID, START_MS))
    for event in entry.take("events", list):
        steps.extend(steps_of(event))
    return Scenario(
        name=entry.take("name", str),
        file=entry.file,
        line=entry.line,
        rules=rules,
        steps=tuple(steps),
        merged=bool(entry.get("merged", False)),
        expect=tuple(_expected(expected) for expected in entry.take("expect", list)),
        expect_all=bool(entry.get("expect_all", True)),
        only=only,
        counts=_counts(_after(entry, "counts")),
        pending=_after(entry, "pending"),
        pool=entry.take("pool", int) if "pool" in entry else None,
        fair_over_any_window=_after(entry, "fair_over_any_window"),
    )


def _after(entry: Entry, word: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", entry.take(word, dict)) if word in entry else {}


def _counts(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Counters are numbers; the two lists of times are written as durations."""
    return {
        name: [duration_ms(text) for text in value] if isinstance(value, list) else value
        for name, value in counts.items()
    }


def _merge_step(entry: Entry) -> MergeStep:
    if "ended" in entry:
        entry.check_words({"ended"})
        return MergeStep(word="ended", names=tuple(topic_named(entry, topic) for topic in entry.take("ended", list)))
    if "pops" in entry:
        entry.check_words({"pops"})
        return MergeStep(word="pops", names=tuple(entry.take("pops", list)))
    entry.check_words({"arrives", "topic", "at", "bad"})
    bad = bool(entry.get("bad", False))
    return MergeStep(
        word="arrives",
        names=(entry.take("arrives", str),),
        topic=topic_named(entry, entry.take("topic", str)),
        time_ms=None if bad else entry.instant("at"),
    )


def _expected(entry: Entry) -> Expected:
    if "dead_letter" in entry:
        entry.check_words({"dead_letter", "mentions"})
        fields = {"dead_letter": entry.take("dead_letter", str)}
        return Expected(fields=fields, mentions=tuple(entry.get("mentions", ())))
    assignment = "message" in entry
    kind_words = {"message", "buyer", "to", "trace", "trace_has"} if assignment else {"presence", "agent"}
    entry.check_words({*kind_words, *_PLAIN_FIELDS, *_INSTANTS, *_DURATIONS, "shop", "absent"})
    fields = {"type": "assignment" if assignment else "agent_presence", "shop_id": SHOP_ID}
    for word in entry:
        if word in _PLAIN_FIELDS:
            fields[word] = entry[word]
        elif word in _INSTANTS:
            fields[_INSTANTS[word]] = entry.instant(word)
        elif word in _DURATIONS:
            fields[_DURATIONS[word]] = entry.duration(word)
        elif word in _RENAMED:
            fields[_RENAMED[word]] = entry.take(word, str)
    if "to" in entry:
        fields["target"] = _target(entry)
    if "trace" in entry:
        fields["trace"] = [list(pair) for pair in _trace(entry, "trace")]
    return Expected(
        fields=fields,
        absent=tuple(entry.get("absent", ())),
        trace_has=tuple(_trace(entry, "trace_has")) if "trace_has" in entry else (),
    )


def _target(entry: Entry) -> dict[str, str]:
    """`an`, `robot r1`, `main_account boss`, `proxy_account p1` or `message_pool`."""
    text = cast("str", entry.take("to", str))
    if text == "message_pool":
        return {"kind": text, "id": text}
    kind, _, name = text.rpartition(" ")
    if kind and kind not in _TARGET_KINDS:
        raise entry.fail(f"{kind!r} is no kind of target; kinds: {', '.join(_TARGET_KINDS)} and message_pool")
    return {"kind": kind or "agent", "id": name}


def _trace(entry: Entry, word: str) -> Iterator[tuple[str, str]]:
    for text in entry.take(word, list):
        rung, _, outcome = str(text).partition(" ")
        if not outcome or " " in outcome:
            raise entry.fail(f"{text!r} is no pair of a rung and an outcome")
        yield rung, outcome
