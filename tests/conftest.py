"""Options and rules of every test run."""

import signal

import pytest

from tests.kafka.session import add_broker_option, leave_out_kafka, require_chosen_broker


def pytest_addoption(parser: pytest.Parser) -> None:
    add_broker_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    require_chosen_broker(config)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that started us in the background ignores Ctrl-C for us, and the programs under test would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out_kafka(items)
