"""All that is wrong with a shop_config, beside the first thing, which is what a router says."""

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from schemas.codec import InvalidEvent, parse_change
from schemas.problems import problems_of_change

SAMPLES = Path(__file__).parent / "samples"
INVALID = sorted((SAMPLES / "invalid" / "shop_config").glob("*.json"))
VALID = sorted((SAMPLES / "valid" / "shop_config").glob("*.json"))


def refused(document: object) -> InvalidEvent | None:
    try:
        parse_change(document, timestamp_ms=0)
    except InvalidEvent as invalid:
        return invalid
    return None


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_the_first_is_among_them_as_it_is(path: Path) -> None:
    document = orjson.loads(path.read_bytes())
    first = refused(document)
    assert first is not None
    assert str(first) in map(str, problems_of_change(document))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_good_one_has_none(path: Path) -> None:
    assert problems_of_change(orjson.loads(path.read_bytes())) == []


@pytest.mark.parametrize("document", [None, 5, "x", [], [{}]])
def test_what_is_no_object_has_one(document: object) -> None:
    assert [str(problem) for problem in problems_of_change(document)] == ["schema: $: expected an object"]


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every part of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, item in items for way in ((*at, key), *places(item, (*at, key)))]


def spoil(document: Any, way: tuple[str | int, ...], what: object) -> None:
    """Put something else there, or take it out."""
    for step in way[:-1]:
        document = document[step]
    if what is REMOVED:
        del document[way[-1]]
    else:
        document[way[-1]] = what


REMOVED = object()
OTHERS: tuple[object, ...] = (None, True, -1, 10**9, 1.5, "", "x", " x", [], [7, 7], {}, {"min": 50, "max": 3}, REMOVED)


@pytest.mark.parametrize("seed", range(300))
def test_it_has_some_exactly_where_a_router_refuses_it(seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    document = orjson.loads((SAMPLES / "valid" / "shop_config" / "every_setting.json").read_bytes())
    for _ in range(chance.randrange(1, 4)):
        spoil(document, chance.choice(places(document)), chance.choice(OTHERS))
    first, found = refused(document), problems_of_change(document)
    assert (first is None) == (not found)
    if first is not None:
        assert str(first) in map(str, found)
    named = [problem.path for problem in found if "[...]" not in problem.path]
    assert sorted(set(named)) == sorted(named)


def test_two_spoilt_places_are_both_told() -> None:
    document = orjson.loads((SAMPLES / "valid" / "shop_config" / "every_setting.json").read_bytes())
    document["busy_threshold"], document["agents"][0]["weight"] = 0, "many"
    assert [problem.path for problem in problems_of_change(document)] == ["$.busy_threshold", "$.agents[0].weight"]
