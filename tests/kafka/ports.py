"""Ports of the loopback that stay ours while a broker is down.

A port that is merely free now may be another test's, or the near end of some client's connection, when a killed broker
comes back to it.
"""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.kafka.errors import KafkaTestError

HOST = "127.0.0.1"


class Ports:
    """Reserved ports, until `close()`.

    Each is bound here without listening. With SO_REUSEADDR on both sides (Java sets it) a broker can still listen on
    it, and the kernel gives it to nobody; while no broker listens, clients are refused.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def reserve(self, wanted: int = 0) -> int:
        """Reserve a port; 0: any free one.

        Raises:
            KafkaTestError: if the port that was asked for is taken.
        """
        holder = self._held.enter_context(socket.socket())
        if wanted:  # connections of a broker that has just ended do not count
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((HOST, wanted))
        except OSError as exc:
            raise KafkaTestError(f"port {wanted} cannot be used ({exc.strerror})", mend="give another port") from None
        # Only now: two that set it beforehand may both be given the same free port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port: int = holder.getsockname()[1]
        return port

    def close(self) -> None:
        """Give them back. Safe to call twice."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
