"""A proxy between workers and a broker that can be slow, deaf or gone, and knows which requests wait for an answer.

Of Kafka's protocol it reads the heads: the size of a message in 4 bytes, then of a request its kind in 2, its version
in 2 and its number on this connection in 4, of an answer that number.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.kafka.ports import HOST

END_TXN = 26
"""The kind of the request that commits a transaction, or aborts it."""
_CHUNK = 1 << 16
_KIND = slice(4, 6)
_ANSWERED = slice(4, 8)
_NUMBER = slice(8, 12)


class Proxy:
    """Forwards connections from one port to another; `async with` opens and closes it.

    Args:
        port: where to listen.
        upstream_port: of the broker.
    """

    def __init__(self, port: int, upstream_port: int) -> None:
        self._port = port
        self._upstream_port = upstream_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._refusing = False
        self._open: list[dict[bytes, int]] = []
        self._asked = asyncio.Condition()
        self.delay_s = 0.0
        """Added to every chunk, in each direction; what is sent meanwhile waits behind it."""

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, HOST, self._port, reuse_address=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def holding(self, kind: int) -> None:
        """Wait until the broker has got a request of a kind whose answer has not been passed on."""
        async with self._asked:
            await self._asked.wait_for(lambda: any(kind in requests.values() for requests in self._open))

    def freeze(self) -> None:
        """Forward nothing; connections stay open, and new ones hang."""
        self._flowing.clear()

    def cut(self) -> None:
        """Reset every connection, and each new one, until `heal`."""
        self._refusing = True
        for writer in list(self._writers):
            writer.transport.abort()

    def heal(self) -> None:
        """Forward everything again, at once."""
        self._refusing = False
        self.delay_s = 0.0
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._connect(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._refusing:
                return
            there, back = await asyncio.open_connection(HOST, self._upstream_port)
            self._writers.add(back)
            requests: dict[bytes, int] = {}
            self._open.append(requests)

            def asked(head: bytes) -> None:
                requests[head[_NUMBER]] = int.from_bytes(head[_KIND])

            def answered(head: bytes) -> None:
                requests.pop(head[_ANSWERED], None)

            try:
                async with asyncio.TaskGroup() as pumps:
                    pumps.create_task(self._pump(reader, back, asked))
                    pumps.create_task(self._pump(there, writer, answered))
            finally:
                self._open = [each for each in self._open if each is not requests]
                self._writers.discard(back)
                back.transport.abort()
        except* OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Callable[[bytes], None]
    ) -> None:
        heads = _Heads()
        while chunk := await reader.read(_CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._flowing.wait()
            writer.write(chunk)
            for head in heads.of(chunk):
                passed(head)
            async with self._asked:
                self._asked.notify_all()
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


class _Heads:
    """Finds the heads of the messages in one direction of a connection, however it is cut into chunks."""

    LENGTH = 12

    def __init__(self) -> None:
        self._head = b""
        self._rest = 0

    def of(self, chunk: bytes) -> Iterator[bytes]:
        """The first bytes, `LENGTH` or all, of every message whose head this chunk completes."""
        while chunk:
            if self._rest:
                chunk, self._rest = chunk[self._rest :], max(0, self._rest - len(chunk))
                continue
            missing = self._missing()
            self._head, chunk = self._head + chunk[:missing], chunk[missing:]
            if not self._missing():
                yield self._head
                self._rest = 4 + self._size() - len(self._head)
                self._head = b""

    def _size(self) -> int:
        return int.from_bytes(self._head[:4])

    def _missing(self) -> int:
        """How many bytes of the head are still to come."""
        if len(self._head) < 4:
            return 4 - len(self._head)
        return min(self.LENGTH, 4 + self._size()) - len(self._head)
