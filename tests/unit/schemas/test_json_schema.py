"""The JSON Schemas are those of the types, and say the same as the codec."""

import json
import re
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given, settings

from schemas import catalog, generate
from schemas.codec import InvalidEvent
from tests.unit.schemas.golden import TOPIC_OF_TYPE, read, samples
from tests.unit.schemas.strategies import Document, changed_documents, documents

VALIDATORS: Final = {name: jsonschema.Draft202012Validator(catalog.load(name)) for name in catalog.NAMES}
VALID: Final = samples("valid")

# What JSON Schema cannot express (schemas/conditions.py); the codec alone refuses it.
BEYOND_JSON_SCHEMA: Final = re.compile(
    r"\$\.detection_lag_s\.min: expected no more than max"
    r"|\$\.(agents\[\d+\]\.agent_id|groups\[\d+\]\.group_id|pages\[\d+\]\.page): expected an id that does not stand"
)


@pytest.mark.parametrize("name", catalog.NAMES)
def test_a_schema_is_as_generated(name: str) -> None:
    written = (generate.DIRECTORY / f"{name}.json").read_text(encoding="utf-8")
    assert written == generate.text(generate.schemas()[name]), "stale: run `python -m schemas.generate`"


def test_every_schema_is_in_the_catalog() -> None:
    assert {path.stem for path in generate.DIRECTORY.iterdir()} == set(catalog.NAMES) == set(generate.schemas())


@pytest.mark.parametrize("name", catalog.NAMES)
def test_a_schema_is_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(catalog.load(name))


@pytest.mark.parametrize("name", catalog.NAMES)
def test_every_field_is_described(name: str) -> None:
    properties: Any = catalog.load(name)["properties"]
    assert all(part.get("description") for part in properties.values())


def test_an_unknown_name_is_refused_with_the_list() -> None:
    with pytest.raises(LookupError, match=r"no schema 'assignmnet'; there are .*assignment"):
        catalog.load("assignmnet")


@pytest.mark.parametrize("name", VALID)
def test_a_valid_sample_is_valid(name: str) -> None:
    VALIDATORS[name.partition("/")[0]].validate(json.loads(VALID[name]))


@given(documents)
@settings(deadline=None)
def test_a_right_event_is_right_for_both(document: Document) -> None:
    VALIDATORS[document["type"]].validate(document)
    read(document["type"], json.dumps(document).encode())


@given(changed_documents())
@settings(max_examples=500, deadline=None)
def test_the_codec_and_the_schema_agree(document: Document) -> None:
    kind = document.get("type")
    # A record of another type is what its topic's schema says of it; which topic does not matter.
    kind = kind if isinstance(kind, str) and kind in TOPIC_OF_TYPE else "buyer_message"
    refusal = _refusal(kind, document)
    if refusal is None:
        VALIDATORS[kind].validate(document)
    elif not BEYOND_JSON_SCHEMA.match(refusal):
        assert not VALIDATORS[kind].is_valid(document), refusal


def _refusal(kind: str, document: Document) -> str | None:
    try:
        read(kind, json.dumps(document).encode())
    except InvalidEvent as error:
        return error.detail
    return None
