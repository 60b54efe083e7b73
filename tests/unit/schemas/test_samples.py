"""Every sample reads, or is refused, as it always did."""

import pytest

from schemas.codec import InvalidEvent, decode_line
from tests.unit.schemas.golden import TOPIC_OF_TYPE, expected, read, samples

VALID = samples("valid")
INVALID = samples("invalid")
LINES = [name for name in VALID if name.partition("/")[0] in TOPIC_OF_TYPE]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_sample_reads(name: str) -> None:
    read(name.partition("/")[0], VALID[name])


@pytest.mark.parametrize("name", LINES)
def test_a_valid_sample_reads_as_a_line_too(name: str) -> None:
    kind = name.partition("/")[0]
    topic = TOPIC_OF_TYPE[kind]
    event = read(kind, VALID[name])
    line = VALID[name]
    if b"occurred_at_ms" not in line:
        with pytest.raises(InvalidEvent, match=r"^schema: \$\.occurred_at_ms"):
            decode_line(line)
    else:
        assert decode_line(line) == (topic, event)


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_sample_is_refused_with_its_code_and_path(name: str) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        read(name.partition("/")[0], INVALID[name])
    error = refusal.value
    assert {"code": error.code, "path": error.path} == expected()[name]
    assert error.detail.startswith(f"{error.path}: expected ")


def test_every_invalid_sample_says_what_is_expected() -> None:
    assert expected().keys() == INVALID.keys()
