"""Files of events in other forms than JSON Lines in UTF-8: read where that is safe, else one sentence for each."""

import gzip
from codecs import BOM_UTF8
from collections.abc import Callable

import orjson
import pytest

from tests.unit.replay.files import Replaying, lines, message, status

MORNING = [status("online", 0), message("m1", 1000), message("m2", 2000)]
TEXT = lines(MORNING).decode()
PRETTY = orjson.dumps(MORNING[0], option=orjson.OPT_INDENT_2)


def test_gzip_is_told_by_its_first_bytes_not_by_its_name(replay: Replaying) -> None:
    replay.write("day.jsonl", gzip.compress(lines(MORNING)))
    assert replay("day.jsonl").ids == ["m1", "m2"]
    assert replay("-", stdin=gzip.compress(lines(MORNING))).ids == ["m1", "m2"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_costs_no_line(replay: Replaying, pack: Callable[[bytes], bytes]) -> None:
    """The first line was the agent's `online`: without it both messages went to the pool."""
    replay.write("day.jsonl", pack(BOM_UTF8 + lines(MORNING)))
    done = replay("day.jsonl")
    assert done.exit_code == 0
    assert [decision["target"]["id"] for decision in done.decisions] == ["an", "an"]


def test_nor_does_one_between_files_that_were_put_together(replay: Replaying) -> None:
    replay.write("day.jsonl", BOM_UTF8 + lines(MORNING[:2]) + BOM_UTF8 + lines(MORNING[2:]) + BOM_UTF8 + b"\n")
    done = replay("day.jsonl")
    assert (done.exit_code, done.ids) == (0, ["m1", "m2"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_other_encodings_are_named(replay: Replaying, encoding: str) -> None:
    replay.write("day.jsonl", TEXT.encode(encoding))
    done = replay("day.jsonl")
    assert (done.exit_code, done.stdout) == (2, b"")
    name = {"utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE", "utf-32-le": "UTF-32LE"}.get(encoding, encoding.upper())
    assert f"day.jsonl: cannot be read: it is {name}, and events are UTF-8\n" in done.stderr
    assert f"iconv -f {name} -t UTF-8" in done.stderr


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (orjson.dumps(MORNING), "it is one JSON array, and events are one object a line", "jq -c '.[]'"),
        (orjson.dumps(MORNING, option=orjson.OPT_INDENT_2), "it is one JSON array", "jq -c '.[]'"),
        (b"[\n" + b",\n".join(lines(MORNING).splitlines()) + b"\n]\n", "it is one JSON array", "jq -c '.[]'"),
        (PRETTY, "its JSON is spread over several lines, and events are one object a line", "jq -c ."),
        (b"\n" + PRETTY + b"\n" + PRETTY, "its JSON is spread over several lines", "jq -c ."),
        (gzip.compress(BOM_UTF8 + PRETTY), "its JSON is spread over several lines", "jq -c ."),
        (b"PK\x03\x04 a workbook", "it is a zip archive, as .xlsx is too", "unzip -p"),
        (b"\x28\xb5\x2f\xfd events", "it is packed with zstd", "zstd -dc"),
        (b"\xfd7zXZ\0 events", "it is packed with xz", "xz -dc"),
        (b"BZh9 events", "it is packed with bzip2", "bzip2 -dc"),
    ],
)
def test_a_file_of_another_form_is_one_sentence_and_decides_nothing(
    replay: Replaying, content: bytes, what: str, mend: str
) -> None:
    replay.write("day.jsonl", content)
    done = replay("day.jsonl")
    assert (done.exit_code, done.stdout) == (2, b"")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"fenliu: day.jsonl: cannot be read: {what}")
    assert second.startswith("  to mend it: ")
    assert mend in second


@pytest.mark.parametrize("first", [b"{", b"{}", b"[]", b"[1]", b'{"type":', b"[" * 70_000, b'{"a":' * 2000, b"{\n{\n"])
def test_what_only_looks_like_one_stays_a_bad_line(replay: Replaying, first: bytes) -> None:
    replay.write("day.jsonl", first + b"\n" + lines(MORNING))
    done = replay("day.jsonl")
    assert (done.exit_code, done.ids) == (1, ["m1", "m2"])
    assert done.stderr.startswith("day.jsonl:1: ")


def test_a_plain_file_that_is_called_gz(replay: Replaying) -> None:
    replay.write("day.jsonl.gz", lines(MORNING))
    done = replay("day.jsonl.gz")
    assert (done.exit_code, done.stdout) == (2, b"")
    assert "day.jsonl.gz: cannot be read: its name ends in .gz, and it is not gzipped\n" in done.stderr
    assert "without .gz" in done.stderr


def test_an_empty_file_that_is_called_gz_has_no_lines(replay: Replaying) -> None:
    replay.write("day.jsonl.gz", b"")
    assert replay("day.jsonl.gz").exit_code == 0


@pytest.mark.parametrize("name", ["day.jsonl.gz", "day.jsonl"])
@pytest.mark.parametrize("kept", [5, 12, 60, -1])
def test_a_gzipped_file_that_was_cut(replay: Replaying, name: str, kept: int) -> None:
    replay.write(name, gzip.compress(lines(MORNING))[:kept])
    done = replay(name)
    assert (done.exit_code, done.stdout) == (2, b"")
    assert f"{name}: cannot be read: it is gzipped and its end is missing" in done.stderr
    assert "gzip -dc FILE" in done.stderr


@pytest.mark.parametrize("place", [2, 20, -6])
def test_a_gzipped_file_that_is_damaged(replay: Replaying, place: int) -> None:
    packed = bytearray(gzip.compress(lines(MORNING)))
    packed[place] ^= 0xFF
    replay.write("day.jsonl.gz", bytes(packed))
    done = replay("day.jsonl.gz")
    assert (done.exit_code, done.stdout) == (2, b"")
    assert "day.jsonl.gz: cannot be read: it is gzipped and damaged\n" in done.stderr
