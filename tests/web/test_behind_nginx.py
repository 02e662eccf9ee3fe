"""Streams through a proxy that buffers by default, as the ingress controller of many clusters is: a real nginx."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

from loadtest.faults import Fault
from tests.support.running_gateway import WAIT_S, Gate, events_of, gateway_with, until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
CONF = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {gateway}; }} }}
}}
"""
BODY = {"model": "auto", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "Count to 9"}]}


@asynccontextmanager
async def nginx_before(gateway: str, folder: Path) -> AsyncIterator[str]:
    """Nothing is said of buffering, nor of HTTP/1.1: by default nginx asks by HTTP/1.0 and buffers what comes."""
    assert NGINX is not None
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = int(taken.getsockname()[1])
    (folder / "nginx.conf").write_text(CONF.format(port=port, gateway=gateway))
    process = await asyncio.create_subprocess_exec(NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr")
    try:
        await until(lambda: (folder / "nginx.pid").exists(), "nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@needs_nginx
@pytest.mark.case("F5")
async def test_each_event_passes_before_the_next_one_is_made(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway_with("sim-fast", sleep=gate) as running, nginx_before(running.url, tmp_path) as url:
        await running.vendors["sim-fast"].fault(Fault(tokens_per_s=1.0))  # each token after the first waits at the gate
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
            http.post(url + "/v1/chat/completions", json=BODY) as response,
        ):
            seen = b""
            while b'"content":"' not in seen.replace(b'"content":""', b""):
                seen += await response.content.readline()
            gate.open()  # only now may the vendor go on: the first token came by itself
            seen += await response.content.read()
    assert events_of(seen.decode())[-1] == "[DONE]"
