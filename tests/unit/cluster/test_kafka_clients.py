"""Clients that cannot connect or may not do something: said in words, once, with a way to mend it."""

import logging

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError

from streams.errors import BrokerUnreachableError, ClusterError
from streams.kafka_clients import administration, failures_in_words, started

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
    with pytest.raises(KafkaError, match="something else"), failures_in_words(NOBODY):
        raise KafkaError("something else")
