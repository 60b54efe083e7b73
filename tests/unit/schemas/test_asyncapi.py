"""The AsyncAPI document is one, describes the topics that there are, and its examples are true."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import orjson
import pytest
import yaml

import schemas
from schemas import catalog
from schemas.codec import TYPE_OF_TOPIC, InvalidEvent
from tests.unit.schemas.golden import read
from tests.unit.schemas.test_json_schema import VALIDATORS

DIRECTORY: Final = Path(schemas.__file__).parent
DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((DIRECTORY / "asyncapi.yaml").read_text(encoding="utf-8"))
SPECIFICATION: Final[dict[str, Any]] = orjson.loads(
    (Path(__file__).parent / "asyncapi" / "asyncapi-3.0.0.json").read_bytes()
)
TYPE_OF_OUTPUT: Final = {"assignments": "assignment", "agent-presence": "agent_presence", "dead-letters": "dead_letter"}
MESSAGES: Final[dict[str, dict[str, Any]]] = {
    message["name"]: message for message in DOCUMENT["components"]["messages"].values()
}
EXAMPLES: Final = [
    pytest.param(name, example, id=f"{name}/{example['name']}")
    for name, message in MESSAGES.items()
    for example in message.get("examples", ())
]


def references(part: object) -> Iterator[str]:
    """Every reference in the document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolved(reference: str) -> Any:
    """What a reference in the document leads to."""
    file, _, pointer = reference.partition("#")
    found: Any = orjson.loads((DIRECTORY / file).read_bytes()) if file else DOCUMENT
    for name in filter(None, pointer.split("/")):
        found = found[name]
    return found


def test_the_document_is_asyncapi() -> None:
    jsonschema.Draft7Validator(SPECIFICATION).validate(DOCUMENT)


@pytest.mark.parametrize("broken", ["info", "asyncapi"])
def test_a_document_that_is_none_would_be_found(broken: str) -> None:
    rest = {name: part for name, part in DOCUMENT.items() if name != broken}
    assert not jsonschema.Draft7Validator(SPECIFICATION).is_valid(rest)


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_a_reference_leads_somewhere(reference: str) -> None:
    assert resolved(reference)


def test_every_schema_is_used() -> None:
    used = {reference for reference in references(DOCUMENT) if not reference.startswith("#")}
    assert used == {f"v1/{name}.json" for name in catalog.NAMES}


def test_every_topic_has_a_channel_with_the_messages_of_its_type() -> None:
    types: dict[str, set[str]] = {
        channel["address"]: {resolved(message["$ref"])["name"] for message in channel["messages"].values()}
        for channel in DOCUMENT["channels"].values()
    }
    expected = {topic: {name} for topic, name in ({**TYPE_OF_TOPIC} | TYPE_OF_OUTPUT).items()}
    expected["shop-configs"].add("shop_config_tombstone")
    expected["dead-letters"].add("redriven")
    assert types == expected


def test_inputs_are_received_and_outputs_are_sent() -> None:
    actions = {
        resolved(operation["channel"]["$ref"])["address"]: operation["action"]
        for operation in DOCUMENT["operations"].values()
    }
    assert actions == dict.fromkeys(TYPE_OF_TOPIC, "receive") | dict.fromkeys(TYPE_OF_OUTPUT, "send")


def test_shop_configs_alone_is_compacted() -> None:
    compacted = [
        channel["address"]
        for channel in DOCUMENT["channels"].values()
        if resolved(channel["bindings"]["$ref"])["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]
    ]
    assert compacted == ["shop-configs"]


def test_every_record_with_a_value_has_an_example() -> None:
    assert {name for name, message in MESSAGES.items() if message.get("examples")} == set(catalog.NAMES)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_true(name: str, example: dict[str, Any]) -> None:
    value = orjson.dumps(example["payload"])
    if name == "dead_letter":
        headers = example["headers"]
        VALIDATORS[name].validate(headers)
        with pytest.raises(InvalidEvent) as caught:
            read(TYPE_OF_TOPIC[headers["fenliu.topic"]], value)
        assert (caught.value.code, caught.value.detail) == (headers["fenliu.error"], headers["fenliu.error.detail"])
    else:
        read(name, value)
        VALIDATORS[name].validate(example["payload"])


def test_the_traceparent_of_an_example_is_one() -> None:
    headers = DOCUMENT["components"]["schemas"]["traceHeaders"]
    given = [
        example["headers"]
        for name, message in MESSAGES.items()
        for example in message.get("examples", ())
        if name != "dead_letter" and "headers" in example
    ]
    assert given
    for example in given:
        jsonschema.Draft7Validator(headers).validate(example)
