"""TLS for tests: a certificate of our own, and a front with TLS for a server that has none."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tests.support.redis_server import RedisServer
from tests.support.tools import require_tool


@pytest.fixture(scope="session")
def certificate() -> Iterator[Path]:
    """A self-signed certificate for `localhost`, `cert.pem` with `key.pem` beside it."""
    openssl = require_tool("openssl")
    directory = Path(tempfile.mkdtemp(prefix="tt-tls-", dir="/tmp"))
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=directory, capture_output=True, check=True,
    )  # fmt: skip
    yield directory / "cert.pem"
    shutil.rmtree(directory)


@contextmanager
def tls_front(server: RedisServer, certificate: Path, *, mutual: bool = False) -> Iterator[int]:
    """Listen on a TCP port with TLS and pass all bytes on to `server`; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    ready: Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Queue()
    serving = threading.Thread(target=asyncio.run, args=(_serve(context, server.socket, ready),))
    serving.start()
    loop, stop, port = ready.get(timeout=10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.join()


async def _serve(context: ssl.SSLContext, behind: Path, ready: Queue[Any]) -> None:
    stop = asyncio.Event()
    talks = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        back_reader, back_writer = await asyncio.open_unix_connection(behind)
        await asyncio.gather(_copy(reader, back_writer), _copy(back_reader, writer))

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # clients may refuse us
    ready.put((asyncio.get_running_loop(), stop, listening.sockets[0].getsockname()[1]))
    await stop.wait()
    listening.close()
    await asyncio.gather(*talks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
