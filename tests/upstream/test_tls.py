"""TLS against a server on loopback with certificates made on the spot."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.call import Origin
from gateway.upstream.client import Upstream
from gateway.upstream.dial import Address
from gateway.upstream.pool import OriginStats
from tests.upstream.loopback import (
    LIMITS,
    OK,
    Clock,
    client,
    closing_after,
    failure_of,
    post,
    read_request,
    replying,
    serving,
    until,
)  # fmt: skip

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl, which makes the certificates, is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` that signs itself, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    assert OPENSSL is not None
    made = subprocess.run(
        [
            OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    both.write_text(cert.read_text() + key.read_text())
    return both


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["http/1.1"])
    return context


async def on_loopback(_host: str, _port: int) -> Sequence[Address]:
    return [Address(socket.AF_INET, "127.0.0.1")]


@asynccontextmanager
async def tls_client(context: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    async with client(resolver=on_loopback, ssl_context=context) as upstream:
        yield upstream


async def test_speaks_http_1_1_over_tls_and_keeps_the_connection(
    server_side: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    protocols = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocols.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await replying(OK)(reader, writer)

    async with serving(handle, server_side) as origin, tls_client(trusting) as upstream:
        for _ in range(3):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
        assert upstream.stats() == {origin: OriginStats(1, 0, 0, 0, opened=1, reused=2)}
    assert protocols == ["http/1.1"]


async def test_finds_a_name_with_a_dot_at_its_end_in_the_certificate(
    server_side: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with serving(replying(OK), server_side) as origin, tls_client(trusting) as upstream:
        assert await (await upstream.open(post(replace(origin, host="localhost.")), LIMITS)).read(10) == b"hi"


async def test_a_certificate_for_another_name_is_unreachable(
    server_side: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with serving(replying(OK), server_side) as origin, tls_client(trusting) as upstream:
        failure = await failure_of(upstream.open(post(replace(origin, host="api.example.com")), LIMITS))
    assert failure == Failure(
        FailureKind.UNREACHABLE,
        "the certificate of api.example.com is not valid: "
        "Hostname mismatch, certificate is not valid for 'api.example.com'.",
    )


async def test_a_certificate_that_nobody_vouches_for_is_unreachable(server_side: ssl.SSLContext) -> None:
    async with serving(replying(OK), server_side) as origin, tls_client() as upstream:
        failure = await failure_of(upstream.open(post(origin), LIMITS))
    assert failure.kind is FailureKind.UNREACHABLE
    assert failure.message.startswith("the certificate of localhost is not valid: self")


async def test_a_server_without_tls_is_unreachable(trusting: ssl.SSLContext) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with serving(handle) as plain, tls_client(trusting) as upstream:
        failure = await failure_of(upstream.open(post(Origin("https", "localhost", plain.port)), LIMITS))
    assert failure.kind is FailureKind.UNREACHABLE
    assert failure.message.startswith(f"TLS with localhost:{plain.port} failed: ")


async def test_a_handshake_that_never_ends_runs_into_the_connect_limit(trusting: ssl.SSLContext) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.set()
        await asyncio.Event().wait()

    clock, greeted = Clock(), asyncio.Event()
    async with serving(handle) as plain, client(clock=clock, resolver=on_loopback, ssl_context=trusting) as upstream:
        origin = Origin("https", "localhost", plain.port)
        opening = asyncio.ensure_future(upstream.open(post(origin), msgspec.structs.replace(LIMITS, connect_s=2.0)))
        await greeted.wait()
        clock.now_s += 2.0
        upstream.sweep()
        assert (await failure_of(opening)).kind is FailureKind.CONNECT_TIMEOUT
        await until(lambda: upstream.stats()[origin].connecting == 0)


async def test_a_close_in_the_body_truncates(server_side: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    cut = closing_after(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi")
    async with serving(cut, server_side) as origin, tls_client(trusting) as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        assert (await failure_of(answer.read(10))).kind is FailureKind.TRUNCATED


async def test_an_idle_connection_that_the_server_closed_is_replaced(
    server_side: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with serving(closing_after(OK), server_side) as origin, tls_client(trusting) as upstream:
        for _ in range(2):
            assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"
            await until(lambda: upstream.stats()[origin].idle == 0)
        assert upstream.stats()[origin].opened == 2


async def test_cancelling_is_seen_by_the_server(server_side: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        try:
            await reader.read()
        finally:
            left.set()

    async with serving(handle, server_side) as origin, tls_client(trusting) as upstream:
        opening = asyncio.ensure_future(upstream.open(post(origin), LIMITS))
        await asked.wait()
        opening.cancel()
        await left.wait()


async def test_buffers_little_for_a_reader_that_does_not_read(
    server_side: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    size = 32 * 1024 * 1024
    sent = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536
        await reader.read()

    async with serving(handle, server_side) as origin, tls_client(trusting) as upstream:
        answer = await upstream.open(post(origin), LIMITS)
        quiet, before = 0, 0
        while quiet < 300:
            await asyncio.sleep(0)
            quiet, before = (quiet + 1 if sent == before and sent else 0), sent
        assert sent < size // 2
        assert len(await answer.read(size)) == size
        assert upstream.stats()[origin].idle == 1
