"""The Faust app: its topics, tables, agent and web server. `faust -A streams.app agents` and `tables` list them.

What happens to a batch is in `streams.lane`; who gets which message is decided in `streams.routing`.
"""

import logging
import platform
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import StreamT
from faust.types.tables import TableT
from faust.web.base import BlueprintManager

from schemas.codec import RANK
from streams import __version__
from streams.assignor import OwnTopicsAssignor
from streams.group import require_own_group
from streams.health import mount
from streams.kafka_clients import partition_counts
from streams.lane.checkpoint import CHECKPOINTS
from streams.lane.consumer import LaneTransport
from streams.lane.inputs import Batch
from streams.lane.lane import Lane
from streams.lane.recovery import LaneTables
from streams.lane.worker import LaneWorker
from streams.metrics import Metrics
from streams.routing import COMPILED, TABLES, Router
from streams.settings import Settings
from streams.topics import require_topics

logger = logging.getLogger(__name__)


class Boot(BootStrategy):
    """Starts no Faust producer: each partition has its own, transactional."""

    enable_kafka_producer = False


class BatchSchema(faust.Schema[Any, Any]):
    """The lane has decoded everything: Faust passes its batches through."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> Any:  # noqa: ARG002
        """A batch has no key."""
        return None

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:  # noqa: ARG002
        """The batch itself."""
        return message.value


class InputTopics(faust.Topic):
    """Several topics as one: `faust agents` asks for the name of an agent's topic."""

    def get_topic_name(self) -> str:
        """All the names."""
        return ", ".join(self.topics)


class FenliuApp(faust.App):
    """A Faust app that routes on the lane."""

    BootStrategy = Boot

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        metrics = Metrics(settings, self._shop_pending)
        self.lane = Lane(settings, router_factory=Router, tables=TABLES, observer=metrics)
        super().__init__(
            settings.app_id,
            broker=[f"kafka://{server}" for server in settings.kafka_bootstrap_servers.split(",")],
            datadir=settings.data_dir,
            store="memory://",
            # Topics are created by `fenliu topics create` and never on the way.
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            broker_session_timeout=settings.session_timeout_s,
            # Faust's assignor compares it with the one of its last assignment, and nobody else calls it: a worker that
            # comes back under its name may well listen on another port.
            canonical_url=f"http://{settings.group_instance_id or settings.app_id}",
            PartitionAssignor=OwnTopicsAssignor,
            TableManager=LaneTables,
            Worker=LaneWorker,
            autodiscover=False,
            web_bind=settings.http_host,
            web_host=settings.http_host,
            web_port=settings.http_port,
            web_tables_enabled=False,
            web_router_enabled=False,
            web_stats_enabled=False,
            web_graph_enabled=False,
        )
        self.transport = LaneTransport(self.conf.broker_consumer, self)
        # Faust's own pages are for its developers; ours are the promised ones.
        self.web.blueprints = BlueprintManager([])
        mount(self, settings, metrics, self.lane.status)

    async def boot_check(self) -> None:
        """Before anything is consumed: the cluster is as declared.

        Raises:
            BrokerUnreachableError: if no broker answers.
            ClusterError: naming every topic that is not as declared, and how to mend it; or other topics for which the
                group is used.
        """
        settings = self.settings
        logger.info(
            "fenliu %s (Python %s, core %s): brokers %s, group %s%s, pages at http://%s:%d",
            __version__, platform.python_version(), "compiled" if COMPILED else "interpreted",
            settings.kafka_bootstrap_servers, settings.app_id,
            "" if settings.group_instance_id is None else f" as {settings.group_instance_id}",
            settings.http_host, settings.http_port,
        )  # fmt: skip
        await require_topics(settings)
        await require_own_group(settings)
        inputs_have = (await partition_counts(settings.kafka_client_kwargs()))[settings.topic("buyer-messages")]
        logger.info("The topics are as declared, with %d partitions; joining the group", inputs_have)

    def declared(self, table: str, what: str) -> TableT[Any, Any]:
        """Declare a table; the lane writes and restores its changelog."""
        changelog = self.topic(self.settings.changelog(table), compacting=True, key_serializer="raw")
        return self.Table(table, changelog_topic=changelog, help=what)

    def _shop_pending(self, shop_id: str) -> dict[str, int]:
        return self.lane.shop_pending(shop_id)

    def _create_directories(self) -> None:
        """State lives in memory and in changelogs: nothing is written to the data directory."""


app = FenliuApp(Settings.load())

inputs = InputTopics(app, topics=[app.settings.topic(topic) for topic in RANK], schema=BatchSchema())

pending_replies = app.declared("pending_replies", "What each agent has to answer, its presence, devices and share.")
last_contacts = app.declared("last_contacts", "What is remembered of each buyer: last contact, who it waits for.")
shops = app.declared("shops", "The clock and the pools of each shop.")
shop_settings = app.declared("shop_settings", "The settings of each shop, as they were given.")
checkpoints = app.declared(CHECKPOINTS, "How far each partition is routed: written with the offsets it names.")


@app.agent(inputs)
async def route(batches: StreamT[Batch]) -> None:
    """Route the batches of all partitions; each is committed in one transaction, while others go on."""
    async for batch in batches:
        app.lane.submit(batch)
