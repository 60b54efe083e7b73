"""Clients that cannot connect or may not do something: said in words, once, with a way to mend it."""

import logging

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    TopicAuthorizationFailedError,
)

from streams.errors import BrokerUnreachableError, ClusterError
from streams.kafka_clients import administration, failures_in_words, patiently, started

NOBODY = {"bootstrap_servers": ["127.0.0.1:1", "127.0.0.1:2"]}


async def test_nobody_answers_an_administrator(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1,127\.0\.0\.1:2 .*(.|\n)*BOOTSTRAP_SERVERS"):
        async with administration(NOBODY, patience_s=0.7):
            pass
    assert caplog.records == []


async def test_nobody_answers_a_producer() -> None:
    with pytest.raises(BrokerUnreachableError, match="Connect call failed"):
        async with started(AIOKafkaProducer(**NOBODY), NOBODY, patience_s=0):
            pass


async def test_what_clients_log_is_heard_again_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BrokerUnreachableError):
        async with administration(NOBODY, patience_s=0):
            pass
    logging.getLogger("aiokafka.client").warning("heard")
    assert [record.getMessage() for record in caplog.records] == ["heard"]


@pytest.mark.parametrize("error", [KafkaConnectionError(), KafkaTimeoutError(), TimeoutError()])
def test_a_broker_that_goes_away_cannot_be_reached(error: Exception) -> None:
    with pytest.raises(BrokerUnreachableError), failures_in_words(NOBODY):
        raise error


def test_what_is_not_allowed_is_a_matter_of_the_cluster() -> None:
    with pytest.raises(ClusterError, match="ACL"), failures_in_words(NOBODY):
        raise TopicAuthorizationFailedError("buyer-messages")


def test_other_errors_are_left_as_they_are() -> None:
    slip = ValueError("something else")
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = slip
    for error in (slip, wrapped):
        with pytest.raises(type(error)), failures_in_words(NOBODY):
            raise error


async def test_what_passes_is_asked_for_again() -> None:
    answers: list[object] = [GroupLoadInProgressError(), LeaderNotAvailableError(), TimeoutError(), "here"]

    async def ask() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await patiently(ask) == "here"
    assert answers == []


async def test_what_does_not_pass_is_not_asked_for_again() -> None:
    asked = []

    async def ask() -> None:
        asked.append(1)
        raise TopicAuthorizationFailedError("t")

    with pytest.raises(TopicAuthorizationFailedError):
        await patiently(ask)
    assert asked == [1]
