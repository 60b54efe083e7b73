"""Bad records: every kind is what it is meant to be (section 9), and no good record changes for it."""

from collections import Counter

import pytest

from schemas.codec import InvalidEvent, decode, decode_line
from streams.simulate import SimulationOptions, simulate
from streams.simulate.bad import KINDS

pytestmark = pytest.mark.slow

BASE = {"shops": 3, "rate": 3.0, "hours": 1.0}


def test_bad_records_are_added_and_change_no_other() -> None:
    good = list(simulate(SimulationOptions(**BASE)))  # type: ignore[arg-type]
    spoiled = list(simulate(SimulationOptions(**BASE, bad_share=0.02)))  # type: ignore[arg-type]
    remaining = iter(spoiled)
    assert all(record in remaining for record in good)
    assert 0.01 < len(spoiled) / len(good) - 1 < 0.03


def test_bad_lines_of_a_file_cover_every_code_that_a_file_can_hold() -> None:
    codes: Counter[str] = Counter()
    lines = [record.value or b"" for record in simulate(SimulationOptions(**BASE, bad_share=0.02))]  # type: ignore[arg-type]
    for line in lines:
        assert b"\n" not in line
        try:
            decode_line(line)
        except InvalidEvent as exc:
            codes[exc.code] += 1
    assert codes.keys() == {"not_json", "not_utf8", "too_large", "too_deep", "schema", "config"}
    assert max(codes.values()) < 6 * min(codes.values())


def test_bad_records_of_kafka_have_wrong_keys_partitions_clocks_and_null_values_too() -> None:
    now_ms = SimulationOptions().end_ms
    codes: Counter[str] = Counter()
    for record in simulate(SimulationOptions(**BASE, bad_share=0.02, bad_routing=True)):  # type: ignore[arg-type]
        try:
            event = decode(record.topic, record.value, key=record.key, timestamp_ms=now_ms)
        except InvalidEvent as exc:
            codes["null" if record.value is None else exc.code] += 1
        else:
            codes[
                "misrouted" if record.misrouted else "ahead" if event.occurred_at_ms > now_ms + 60_000 else "good"
            ] += 1
    assert codes.keys() == {
        "not_json", "not_utf8", "too_large", "too_deep", "schema", "config", "key_mismatch", "null", "misrouted",
        "ahead", "good",
    }  # fmt: skip
    assert len(KINDS) == 13
