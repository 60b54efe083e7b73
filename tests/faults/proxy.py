"""A TCP proxy between workers and a broker that can be slow, deaf or gone."""

import asyncio
from contextlib import suppress

from tests.kafka.ports import HOST

_CHUNK = 1 << 16


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
            try:
                async with asyncio.TaskGroup() as pumps:
                    pumps.create_task(self._pump(reader, back))
                    pumps.create_task(self._pump(there, writer))
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except* OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()
