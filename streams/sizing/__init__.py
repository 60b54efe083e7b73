"""From measured costs to a cluster: how many partitions, workers and brokers a peak needs. It knows no Kafka client."""
