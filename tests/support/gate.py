"""A gate in front of a PostgreSQL: what is behind it is up, down or silent, as a test wants it."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import sqlalchemy as sa

from tests.support.databases import Database

_SOCKET = ".s.PGSQL.5432"
_CHUNK = 65_536


class Gate:
    """Passes a unix socket on to a server's. It is open once entered.

    ``shut`` cuts every connection and refuses new ones, as a server that was killed; ``silence``
    keeps them and passes nothing on any more, as one that hangs; ``open`` ends both.
    """

    def __init__(self, server_directory: str) -> None:
        self._behind = Path(server_directory) / _SOCKET
        self._folder = tempfile.TemporaryDirectory(prefix="gate-")
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    def url(self, database: Database) -> str:
        """The address of a database, through the gate."""
        plain = database.url.difference_update_query(["host"])
        text = plain.render_as_string(hide_password=False)
        return f"{text}?host={quote(self._folder.name, safe='')}"

    async def open(self) -> None:
        """Let everything through."""
        self._passing.set()
        if self._server is None:
            path = Path(self._folder.name) / _SOCKET
            path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._pass, path)

    async def shut(self) -> None:
        """Cut every line and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            line.transport.abort()
        self._passing.set()
        await asyncio.sleep(0)

    def silence(self) -> None:
        """Keep every line, and let nothing through it."""
        self._passing.clear()

    async def __aenter__(self) -> Self:
        """Open it."""
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut what is left and take the socket away."""
        await self.shut()
        self._folder.cleanup()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_unix_connection(self._behind)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, behind_writer}
        self._lines |= ends
        try:
            await asyncio.gather(
                self._copy(reader, behind_writer), self._copy(behind_reader, writer)
            )
        finally:
            self._lines -= ends
            for end in ends:
                end.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


def directory_of(url: sa.URL) -> str:
    """Where a server's socket lies."""
    host = url.query["host"]
    assert isinstance(host, str)
    return host
