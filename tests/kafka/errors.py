"""What can go wrong with the test cluster itself."""

from streams.errors import FenliuError


class KafkaTestError(FenliuError):
    """The test cluster cannot be prepared, started or reached: the tests on it say nothing about fenliu."""
