"""The client against servers that others wrote."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web

from gateway.upstream.call import Call, Origin
from gateway.upstream.client import Upstream
from gateway.upstream.pool import OriginStats
from tests.upstream.loopback import LIMITS, client, post, until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {"path": request.path_qs, "size": len(await request.read()), "agent": request.headers["x-a"]}
    )


async def events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for number in range(20):
        await response.write(b"data: %d\n\n" % number)
    await response.write_eof()
    return response


async def packed(_request: web.Request) -> web.Response:
    response = web.Response(text="hello " * 1000)
    response.enable_compression(web.ContentCoding.gzip)
    response._compression_force = web.ContentCoding.gzip  # whatever the client accepts, as some proxies do
    return response


@asynccontextmanager
async def aiohttp_server() -> AsyncIterator[Origin]:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([web.post("/echo", echo), web.post("/events", events), web.get("/packed", packed)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Origin("http", "127.0.0.1", runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def test_aiohttp_answers_whole_streamed_and_packed_on_one_connection() -> None:
    async with aiohttp_server() as origin, client() as upstream:
        call = Call(origin, "POST", "/echo?x=1", (("x-a", "b"),), bytes(3_000_000))
        echoed = await (await upstream.open(call, LIMITS)).read(1_000)
        assert echoed == b'{"path": "/echo?x=1", "size": 3000000, "agent": "b"}'
        stream = await (await upstream.open(post(origin, path="/events"), LIMITS)).read(1_000)
        assert stream == b"".join(b"data: %d\n\n" % number for number in range(20))
        plain = await (await upstream.open(Call(origin, "GET", "/packed", (), b""), LIMITS)).read(10_000)
        assert plain == b"hello " * 1000
        missing = await upstream.open(Call(origin, "GET", "/none", (), b""), LIMITS)
        assert (missing.head.status, await missing.read(100)) == (404, b"404: Not Found")
        assert upstream.stats() == {origin: OriginStats(1, 0, 0, 0, opened=1, reused=3)}


async def test_aiohttp_serves_many_at_once() -> None:
    async with aiohttp_server() as origin, client() as upstream:

        async def one(number: int) -> bytes:
            call = Call(origin, "POST", f"/echo?{number}", (("x-a", "b"),), bytes(number))
            return await (await upstream.open(call, LIMITS)).read(1_000)

        echoed = await asyncio.gather(*(one(number) for number in range(200)))
        assert echoed == [b'{"path": "/echo?%d", "size": %d, "agent": "b"}' % (n, n) for n in range(200)]
        assert upstream.stats()[origin].busy == 0


NGINX_CONF = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off; keepalive_requests 3; keepalive_timeout 60s 5s; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    location /ok {{ return 200 "hi"; }}
    location /moved {{ return 302 /ok; }}
    location /dead {{ proxy_pass http://127.0.0.1:1; }}
  }}
}}
"""


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def nginx(folder: Path) -> AsyncIterator[Origin]:
    assert NGINX is not None
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX_CONF.format(port=port))
    process = await asyncio.create_subprocess_exec(NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr")
    try:
        await until(lambda: (folder / "nginx.pid").exists())
        yield Origin("http", "127.0.0.1", port)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        await process.wait()


async def answers(upstream: Upstream, origin: Origin, path: str, times: int) -> list[tuple[int, bytes]]:
    seen = []
    for _ in range(times):
        answer = await upstream.open(Call(origin, "GET", path, (), b""), LIMITS)
        seen.append((answer.head.status, await answer.read(1_000)))
    return seen


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
async def test_nginx_answers_and_its_closing_is_followed(tmp_path: Path) -> None:
    async with nginx(tmp_path) as origin, client() as upstream:
        assert await answers(upstream, origin, "/ok", 7) == [(200, b"hi")] * 7
        assert upstream.stats()[origin].opened == 3  # nginx closes each connection after its third request
        assert [status for status, _ in await answers(upstream, origin, "/moved", 1)] == [302]
        assert [status for status, _ in await answers(upstream, origin, "/dead", 1)] == [502]
