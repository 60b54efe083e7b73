"""What can go wrong with the demo itself."""

from streams.errors import FenliuError


class DemoError(FenliuError):
    """A part of the demo ended before its time; the message has its last words."""
