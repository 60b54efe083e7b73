"""What a worker's log says of records that it cannot use."""

import pytest

from streams.dead_letter_log import TOLD_EVERY_S, DeadLetterLog


def test_the_first_is_told_at_once_and_the_others_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Catches: silence at a hundred a second, and a line for each."""
    clock = [100.0]
    letters = DeadLetterLog(lambda: clock[0])
    for _ in range(1000):
        letters.note({"schema": 1})
        letters.note({})
        clock[0] += 0.001
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "Records that cannot be used went to dead-letters: 1 schema"
    ]
    letters.note({"not_json": 2})
    clock[0] += TOLD_EVERY_S
    letters.tell()
    letters.tell()
    assert len(caplog.records) == 2
    assert "999 schema, 2 not_json" in caplog.records[1].getMessage()
    assert {record.levelname for record in caplog.records} == {"WARNING"}
