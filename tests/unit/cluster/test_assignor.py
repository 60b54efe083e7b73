"""The assignor refuses a group in which others subscribe to other topics: two fenlius started at the same instant."""

import asyncio

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from schemas.codec import RANK
from streams.app import FenliuApp
from streams.assignor import OwnTopicsAssignor
from streams.errors import ClusterError
from streams.settings import Settings


def member(app: FenliuApp, prefix: str = "") -> ConsumerProtocolMemberMetadata:
    return OwnTopicsAssignor(app).metadata({prefix + app.settings.topic(topic) for topic in RANK})


async def test_the_leader_ends_when_somebody_has_other_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    app, told = FenliuApp(Settings.load()), asyncio.get_running_loop().create_future()
    app.loop = asyncio.get_running_loop()
    monkeypatch.setattr(app.lane, "on_failure", told.set_result)
    members = {"a": member(app), "b": member(app, "trial-")}
    with pytest.raises(ClusterError, match="trial-buyer-messages"):
        OwnTopicsAssignor(app).assign(ClusterMetadata(), members)
    assert "give this fenliu an id of its own" in str(await told)
