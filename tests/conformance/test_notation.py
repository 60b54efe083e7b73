"""The notation refuses what it does not know, with the file and the line."""

from pathlib import Path

import pytest

from tests.conformance.entries import NotationError, duration_ms
from tests.conformance.notation import load

HEAD = "- name: x\n  rules: [L1]\n"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0s", 0),
        ("1ms", 1),
        ("1h30m", 5_400_000),
        ("72h+1ms", 259_200_001),
        ("3m-1ms", 179_999),
        ("1m+278841ms", 338_841),
        ("30d", 2_592_000_000),
    ],
)
def test_times_add_up(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "5m,", "5minutes", "1.5h", "5m -1ms"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        duration_ms(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x", "one.yaml:1: a scenario file is a list"),
        (HEAD + "  events: []\n  expect: []\n  wish: 1", "one.yaml:1: unknown word 'wish'"),
        ("- name: x\n  rules: [L12]\n  events: []\n  expect: []", "one.yaml:1: 'L12' is no rule id"),
        (HEAD + "  events: []", "one.yaml:1: 'expect' is missing"),
        (HEAD + "  events:\n    - {at: 1m, agent: an}\n  expect: []", "one.yaml:4: no event"),
        (HEAD + "  events:\n    - {at: 1m, status: online, agnt: an}\n  expect: []", "one.yaml:4: unknown word 'agnt'"),
        (
            HEAD + "  events:\n    - {at: 1x, status: online, agent: an}\n  expect: []",
            "one.yaml:4: 'at': '1x' is no time",
        ),
        (HEAD + "  events:\n    - {at: 1m, at: 2m}\n  expect: []", "one.yaml:4: 'at' is no word, or stands twice"),
        (HEAD + "  events:\n    - {record: news, value: {}}\n  expect: []", "one.yaml:4: 'news' is no topic"),
        (HEAD + "  events: []\n  expect:\n    - {message: m1, two: an}", "one.yaml:5: unknown word 'two'"),
        (HEAD + "  events: []\n  expect:\n    - {message: m1, to: king an}", "one.yaml:5: 'king' is no kind of target"),
        (HEAD + "  events: []\n  expect:\n    - {message: m1, trace: [queue]}", "one.yaml:5: 'queue' is no pair"),
        (HEAD + "  events: []\n  expect: []\n  only: robots", "one.yaml:1: 'only' is assignments or presence"),
        (HEAD + "  events: []\n  expect: []\n  pending: [an]", "one.yaml:1: 'pending' has a value of the wrong kind"),
        (HEAD + "  merge:\n    - {arrives: a, at: 1m}", "one.yaml:4: 'topic' is missing"),
        (HEAD + "  events: [", "one.yaml: "),
    ],
)
def test_what_the_notation_does_not_know_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotationError) as caught:
        load(path)
    assert str(caught.value).startswith(problem)
