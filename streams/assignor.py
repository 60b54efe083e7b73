"""Who gets which partitions: Faust's assignor, which refuses a group in which others subscribe to other topics."""

from collections.abc import MutableMapping
from typing import Any

from faust.assignor.partition_assignor import PartitionAssignor

from streams.errors import ClusterError
from streams.group import require_own_topics


class OwnTopicsAssignor(PartitionAssignor):
    """`require_own_group` looks before a worker joins; two that start at the same instant do not see each other there.

    Whoever leads the group sees both here, before anybody has a partition, and ends.
    """

    def assign(self, cluster: Any, member_metadata: MutableMapping[str, Any]) -> Any:
        """The assignment of every member.

        Raises:
            ClusterError: naming the other topics.
        """
        app: Any = self.app
        subscribed = {topic for member in member_metadata.values() for topic in member.subscription}
        try:
            require_own_topics(app.settings, subscribed)
        except ClusterError as exc:
            # aiokafka, in whose thread this is, would tell an error of its own instead.
            app.loop.call_soon_threadsafe(app.lane.on_failure, exc)
            raise
        return super().assign(cluster, member_metadata)
