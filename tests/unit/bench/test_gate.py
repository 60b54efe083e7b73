"""The performance gate notices a loss of speed. What it says of the code itself is asked by `make gate`, not here."""

from typing import Any

import pytest

from schemas.codec import decode
from tests.bench import gate

pytestmark = pytest.mark.slow


def test_everything_measured_is_accepted_and_nothing_else() -> None:
    assert gate.accepted().keys() == gate.names()


def test_as_many_different_records_and_decisions_are_measured_as_it_says() -> None:
    assert len({id(record) for record in gate._records()}) == gate.FEW
    assert len({decision.assignment_id for decision in gate._decisions()}) == gate.FEW


def test_a_loss_is_noticed_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = gate.accepted()

    def decode_three_times(*args: Any, **kwargs: Any) -> object:
        return [decode(*args, **kwargs) for _ in range(3)]

    monkeypatch.setattr("tests.bench.gate.decode", decode_three_times)
    lost = gate.losses(accepted, only={"decoding a record", "ordering a record"}, attempts=2)
    assert set(lost) == {"decoding a record"}
