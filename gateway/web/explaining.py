"""The whole decision of a chat completion, without sending it: one handler, on the client's port behind its door and
on the admin port without one."""

import orjson
from aiohttp import web

from gateway.core.ask import Surface
from gateway.core.refusal import Refused
from gateway.flow import faults
from gateway.flow.answer import Walk
from gateway.flow.explain import explained
from gateway.formats.registry import surface
from gateway.web.body import read_body
from gateway.web.desk import Desk, Unreadable


async def explain(desk: Desk, walk: Walk, request: web.Request) -> web.Response:
    """The decision, or what is wrong with the request, as JSON. Nothing is sent, counted or written down."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        desk.check(headers)
        read = desk.read(surface(Surface.CHAT), headers, await read_body(request))
    except Refused as refused:
        return _fault(faults.of_refusal(refused.refusal))
    except Unreadable as unreadable:
        return _fault(unreadable.fault)
    return web.Response(body=orjson.dumps(await explained(walk, read)), content_type="application/json")


def _fault(fault: faults.Fault) -> web.Response:
    body = surface(Surface.CHAT).error_body(fault.error)
    headers = dict(fault.headers)
    return web.Response(status=fault.error.status, headers=headers, body=body, content_type="application/json")
