"""Every error of the Kafka client has a meaning, and a broker's state is never called a defect of fenliu."""

from collections import Counter

import pytest
from aiokafka import errors as kafka

from streams.errors import ExitCode
from streams.kafka_errors import causes, meaning_of, passes
from streams.kafka_meanings import MEANINGS, FencedInstanceIdError
from streams.lane.errors import explained

CLASSES = sorted(
    {
        each
        for each in vars(kafka).values()
        if isinstance(each, type) and issubclass(each, Exception) and each.__module__ == kafka.__name__
    },
    key=lambda each: each.__name__,
)
MISUSE = {kafka.IllegalStateError, kafka.IllegalArgumentError, kafka.IllegalOperation, kafka.KafkaConfigurationError}


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: str(each.__name__))
def test_each_class_passes_or_says_who_must_mend_what(error: type[Exception]) -> None:
    explanation = explained(error(), "here")
    if error in MISUSE:
        assert explanation.exit_code == ExitCode.DEFECT
        return
    assert explanation.exit_code in {ExitCode.BROKER, ExitCode.CLUSTER, ExitCode.USAGE, ExitCode.FENCED}
    assert explanation.mend
    assert error.__name__ in explanation.what


def test_each_class_stands_in_one_line_of_the_table() -> None:
    listed = Counter(error for meaning in MEANINGS for error in meaning.errors)
    assert set(listed.values()) == {1}
    assert set(CLASSES) <= set(listed)


def test_what_brokers_answer_is_known_by_its_number() -> None:
    assert kafka.for_code(82) is FencedInstanceIdError
    assert explained(kafka.for_code(82)(), "here").exit_code == ExitCode.USAGE
    assert "FENLIU_GROUP_INSTANCE_ID" in str(explained(kafka.for_code(82)(), "here"))
    assert passes(kafka.for_code(30_000)())


@pytest.mark.parametrize("error", [each for each in CLASSES if getattr(each, "retriable", False)])
def test_what_the_client_would_retry_passes(error: type[Exception]) -> None:
    # A topic that is new is not known at once, so the client asks again; for as long as it asks it is there, or gone.
    assert passes(error()) or error is kafka.UnknownTopicOrPartitionError


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Unexpected exception in heartbeat task: GroupLoadInProgressError()", ExitCode.BROKER),
        ("Unexpected exception in heartbeat task: FencedInstanceIdError()", ExitCode.USAGE),
        ("LeaderNotAvailableError()", ExitCode.BROKER),
        ("TopicAuthorizationFailedError('t')", ExitCode.CLUSTER),
        ("Unable to get cluster metadata over all known brokers", ExitCode.BROKER),
    ],
)
def test_an_error_that_the_client_names_in_its_text_only(text: str, code: ExitCode) -> None:
    assert explained(kafka.KafkaError(text), "here").exit_code == code


def test_a_wrapper_says_nothing_itself() -> None:
    wrapped = kafka.KafkaError("Unexpected error during coordination ValueError()")
    wrapped.__cause__ = ValueError("a slip of ours")
    assert meaning_of(wrapped) is None
    assert explained(wrapped, "here").exit_code == ExitCode.DEFECT
    assert "a slip of ours" in explained(wrapped, "here").what


def test_an_error_of_ours_says_more_than_one_without_a_name() -> None:
    assert explained(ExceptionGroup("", [kafka.UnknownError(), ValueError()]), "here").exit_code == ExitCode.DEFECT
    assert explained(ExceptionGroup("", [kafka.NodeNotReadyError(), ValueError()]), "here").exit_code == ExitCode.BROKER


def test_causes_go_through_groups_and_wrappers() -> None:
    wrapped = kafka.KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = kafka.ProducerFenced()
    assert [type(each) for each in causes(ExceptionGroup("", [wrapped, ValueError()]))] == [
        kafka.ProducerFenced,
        ValueError,
    ]
