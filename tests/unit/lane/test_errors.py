"""What an error of the Kafka client means for the process."""

import pytest
from aiokafka import errors as kafka

from streams.errors import ExitCode, FenliuError, SettingsError
from streams.lane.errors import explained


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (kafka.ProducerFenced(), ExitCode.FENCED),
        (ExceptionGroup("", [ValueError(), kafka.ProducerFenced()]), ExitCode.FENCED),
        (kafka.KafkaConnectionError("nobody"), ExitCode.BROKER),
        (kafka.TopicAuthorizationFailedError("t"), ExitCode.CLUSTER),
        (kafka.InvalidTimestampError(), ExitCode.CLUSTER),
        (kafka.MessageSizeTooLargeError(), ExitCode.CLUSTER),
        (ValueError("surprise"), ExitCode.DEFECT),
        (SettingsError("FENLIU_X"), ExitCode.USAGE),
    ],
)
def test_each_has_its_exit_code(error: BaseException, code: ExitCode) -> None:
    explanation = explained(error, "partition 1")
    assert isinstance(explanation, FenliuError)
    assert explanation.exit_code == code


def test_the_cause_behind_a_client_error_counts() -> None:
    wrapped = kafka.KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = kafka.InvalidProducerEpoch()
    assert explained(wrapped, "partition 1").exit_code == ExitCode.FENCED
