"""What must agree after a restore, and what is refused."""

import pytest
from msgspec.structs import replace

from schemas.codec import RANK, Topic
from streams.errors import ExitCode
from streams.lane.checkpoint import Checkpoint, Start, agree, decode_checkpoint, encode_checkpoint
from streams.lane.errors import CheckpointMismatchError

OFFSETS: dict[Topic, int] = {"shop-configs": 1, "agent-status": 2, "agent-replies": 3, "buyer-messages": 4}
NOTHING: dict[Topic, int | None] = dict.fromkeys(RANK)
CHECKPOINT = Checkpoint(offsets=OFFSETS, last_times={"buyer-messages": 99}, keys={"shops": 2, "last_contacts": 0})


def test_a_checkpoint_survives_the_wire() -> None:
    assert decode_checkpoint(encode_checkpoint(CHECKPOINT)) == CHECKPOINT


NEWER = replace(CHECKPOINT, version=CHECKPOINT.version + 1)


@pytest.mark.parametrize("value", [b"{", b"{}", encode_checkpoint(NEWER)])
def test_what_is_no_checkpoint_of_this_version_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_checkpoint(value)


def test_a_first_start_begins_at_the_oldest_records() -> None:
    start = agree(3, "app", checkpoint=None, committed=NOTHING, keys={"shops": 0})
    assert start == Start(offsets=NOTHING, last_times={})


def test_what_agrees_goes_on_from_there() -> None:
    start = agree(3, "app", checkpoint=CHECKPOINT, committed=dict(OFFSETS), keys={"shops": 2})
    assert start == Start(offsets=dict(OFFSETS), last_times={"buyer-messages": 99})


def test_expired_offsets_are_taken_from_the_checkpoint(caplog: pytest.LogCaptureFixture) -> None:
    start = agree(3, "app", checkpoint=CHECKPOINT, committed=NOTHING, keys={"shops": 2})
    assert start.offsets == OFFSETS
    assert "have expired" in caplog.text


@pytest.mark.parametrize(
    ("checkpoint", "committed", "keys", "why"),
    [
        (CHECKPOINT, OFFSETS | {"agent-status": 7}, {"shops": 2}, "not those of the checkpoint"),
        (CHECKPOINT, OFFSETS | {"agent-status": None}, {"shops": 2}, "no offset for agent-status.*=beginning"),
        (CHECKPOINT, OFFSETS | {"agent-status": None, "shop-configs": 5}, {"shops": 2}, "not those of the checkpoint"),
        (CHECKPOINT, OFFSETS, {"shops": 1}, "hold 1 keys of shops, but the checkpoint was written with 2"),
        (CHECKPOINT, OFFSETS, {}, "hold no keys, but"),
        (None, NOTHING | {"agent-status": 0}, {}, "no checkpoint record"),
        (None, NOTHING, {"shops": 1}, "without a checkpoint record"),
    ],
)
def test_what_is_not_of_one_transaction_is_refused(
    checkpoint: Checkpoint | None, committed: dict[Topic, int | None], keys: dict[str, int], why: str
) -> None:
    with pytest.raises(CheckpointMismatchError, match=f"(?s){why}") as refused:
        agree(3, "app", checkpoint=checkpoint, committed=committed, keys=keys)
    assert refused.value.exit_code == ExitCode.CLUSTER
    assert "partition 3" in str(refused.value)
    assert "FENLIU_APP_ID" in str(refused.value)
