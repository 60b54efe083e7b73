"""For every test run: the option `--broker`, and what is left out where Apache Kafka cannot run.

It knows no Kafka client: unit tests import it too, and are quick.
"""

from typing import Literal

import pytest

from tests.kafka.available import kafka_available, kafka_required

BrokerKind = Literal["embedded", "kafka"]


def add_broker_option(parser: pytest.Parser) -> None:
    """`--broker`: what the tests marked `broker` run on."""
    parser.addoption(
        "--broker",
        choices=("embedded", "kafka"),
        default="embedded",
        help="what the integration tests run on: the embedded broker (the default), or Apache Kafka",
    )


def broker_kind(config: pytest.Config) -> BrokerKind:
    """What was chosen by `--broker`."""
    kind: BrokerKind = config.getoption("--broker")
    return kind


def require_chosen_broker(config: pytest.Config) -> None:
    """Refuse `--broker=kafka` where it cannot run: a run in which every test is left out must not look like success.

    Raises:
        pytest.UsageError: saying what is missing.
    """
    reason = kafka_available() if broker_kind(config) == "kafka" else None
    if reason is not None:
        raise pytest.UsageError(f"--broker=kafka: {reason}")


def leave_out_kafka(items: list[pytest.Item]) -> None:
    """Skip the tests marked `kafka` where Apache Kafka cannot run; with CI set they stay, and fail."""
    marked = [item for item in items if item.get_closest_marker("kafka") is not None]
    reason = kafka_available() if marked and not kafka_required() else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"Apache Kafka cannot run here: {reason}"))
