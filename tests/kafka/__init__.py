"""Apache Kafka for the tests: one or three real brokers in KRaft mode, without Docker. Java 17 and Maven are enough."""

from tests.kafka.available import kafka_available
from tests.kafka.broker import Broker
from tests.kafka.cluster import KafkaCluster, start_cluster
from tests.kafka.errors import KafkaTestError
from tests.kafka.place import Place

__all__ = ["Broker", "KafkaCluster", "KafkaTestError", "Place", "kafka_available", "start_cluster"]
