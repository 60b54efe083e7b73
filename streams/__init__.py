"""fenliu: customer-service routing as a stream processor on Kafka and Faust."""

__version__ = "0.1.0"
