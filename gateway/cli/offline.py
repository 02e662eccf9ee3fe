"""`pointsman explain` where no gateway runs: one is made for this one question, out of the configuration here.

It knows no live health, and it sends nothing to anybody.
"""

import asyncio
from collections.abc import Mapping

from gateway.cli.explain import ask
from gateway.cli.local_http import Reply
from gateway.compose import Gateway, new_clock
from gateway.config.compile import Compiled
from gateway.edge.records import Records
from gateway.upstream.client import Upstream
from gateway.web.api import Api
from gateway.web.app import client_app, listen
from gateway.web.auth import Door

HOST = "127.0.0.1"


def ask_offline(compiled: Compiled, body: bytes, headers: Mapping[str, str]) -> Reply:
    """What a gateway with this configuration would answer to `/v1/explain`. Client keys are not asked for."""
    return asyncio.run(_ask(compiled, body, headers))


async def _ask(compiled: Compiled, body: bytes, headers: Mapping[str, str]) -> Reply:
    upstream = Upstream()
    gateway = Gateway(compiled, Records(None), new_clock(), upstream)
    api = Api(gateway.walk, Door(lambda: None, lambda: None), gateway.keep)
    listening = await listen(client_app(api, gateway.counts, lambda: False), HOST, 0, gateway.counts)
    try:
        return await asyncio.to_thread(ask, f"http://{HOST}:{listening.port}", body, headers)
    finally:
        await listening.drain(1.0)
        await upstream.close()
