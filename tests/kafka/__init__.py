"""Apache Kafka for the tests: one or three real brokers in KRaft mode, without Docker. Java 17 and Maven are enough.

`tests.kafka.cluster.start_cluster` is where to begin; `python -m tests.kafka up` runs one by hand.
"""
