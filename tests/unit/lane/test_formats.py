"""Formats of the state: every old one is restored for ever, unknown ones are refused, migrations are chained."""

import re
from pathlib import Path

import pytest

from streams.lane import formats
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, decode_checkpoint
from streams.lane.formats import UnknownFormatError, migrated
from streams.lane.restored import Held, hold
from streams.lane.writing import difference
from streams.routing import Change, Router
from tests.unit.lane.golden import DIRECTORY, load, shown

DUMPS = sorted(DIRECTORY.glob("format-*.jsonl"))


def restored(changes: list[Change]) -> tuple[Router, Checkpoint]:
    """As a take-over does it: the checkpoint record says in which format the rest is."""
    (value,) = [value for table, _, value in changes if table == CHECKPOINTS]
    assert value is not None
    checkpoint = decode_checkpoint(value)
    router = Router()
    take = migrated(checkpoint.version, router.load)
    for change in changes:
        if change.table != CHECKPOINTS:
            take(*change)
    router.finish_load()
    return router, checkpoint


def test_there_is_a_dump_of_every_format() -> None:
    """`python -m tests.unit.lane.golden` writes that of a new one."""
    assert [path.name for path in DUMPS] == [f"format-{number}.jsonl" for number in range(1, formats.FORMAT + 1)]


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_every_format_is_restored_for_ever(path: Path) -> None:
    changes, expected = load(path)
    assert all(expected.keys.values()), "every table has records"
    assert any(change.value is None for change in changes), "tombstones are among them"
    router, checkpoint = restored(changes)
    assert f"format-{checkpoint.version}" == path.stem
    found = shown(router, sorted(expected.pending))
    if checkpoint.version != formats.FORMAT:
        found = found._replace(keys=expected.keys)  # ours may have more keys, or fewer
    assert found == expected
    assert checkpoint.keys == expected.keys


def test_the_current_format_is_written_as_it_was() -> None:
    """If this fails, the state has another format now: see `streams.lane.formats`."""
    changes, _ = load(DUMPS[-1])
    held: Held = {}
    for change in changes:
        if change.table != CHECKPOINTS:
            hold(held, *change)
    router, _ = restored(changes)
    assert router.take_changes() == []
    router.rewrite()
    written = router.take_changes()
    assert {(change.table, change.key): change.value for change in written} == held
    assert difference(held, written) == []


@pytest.mark.parametrize(("version", "newer"), [(formats.FORMAT + 1, True), (0, False), (-1, False)])
def test_a_format_that_is_not_known_is_refused(version: int, newer: bool) -> None:
    with pytest.raises(UnknownFormatError, match=f"format {version}, and this version reads formats 1 to 2") as refused:
        decode_checkpoint(b'{"version":%d,"anything":"else"}' % version)
    assert refused.value.newer == newer


def test_migrations_are_chained_and_may_drop_and_rename_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_1(change: Change) -> Change | None:
        return None if change.table == "gone" else change._replace(table=f"{change.table}-2")

    def from_2(change: Change) -> Change:
        return change._replace(value=None if change.value is None else change.value + b"!")

    monkeypatch.setattr(formats, "FORMAT", 3)
    steps = {1: from_1, 2: from_2}
    loaded: list[Change] = []
    for version in (1, 2, 3):
        take = migrated(version, lambda *change: loaded.append(Change(*change)), steps)
        for table, value in (("shops", b"x"), ("shops", None), ("gone", b"y")):
            take(table, b"key", value)
    assert [(change.table, change.value) for change in loaded] == [
        ("shops-2", b"x!"), ("shops-2", None),
        ("shops", b"x!"), ("shops", None), ("gone", b"y!"),
        ("shops", b"x"), ("shops", None), ("gone", b"y"),
    ]  # fmt: skip


def test_only_what_differs_is_written() -> None:
    held = {("a", b"1"): b"same", ("a", b"2"): b"old", ("b", b"3"): b"gone"}
    wanted = [
        Change("a", b"1", b"same"),
        Change("a", b"2", b"new"),
        Change("b", b"4", b"more"),
        Change("b", b"5", None),
    ]
    assert difference(held, wanted) == [
        Change("a", b"2", b"new"), Change("b", b"3", None), Change("b", b"4", b"more"),
    ]  # fmt: skip


def test_a_chain_with_a_gap_reads_only_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMAT", 4)
    monkeypatch.setitem(formats.MIGRATIONS, 3, lambda change: change)
    monkeypatch.setitem(formats.MIGRATIONS, 1, lambda change: change)
    formats.require_readable(3)
    with pytest.raises(UnknownFormatError, match=re.escape("format 2, and this version reads formats 3 to 4")):
        formats.require_readable(2)
