"""The scoring page and its API, on the monitor's port.

    GET  /evaluate                                    the page
    GET  /api/evaluation/next?scorer=NAME             {ticket, prompt, left, right}, or {done: true, waiting}
    POST /api/evaluation/verdicts                     {ticket, scorer, verdict}; verdict: left|right|tie|both_bad|skip
    GET  /api/evaluation/progress                     numbers for each route and task

There is no login: a scorer is whoever gives a name. So a browser that shows another site's page is kept from scoring in
its user's name: what comes from elsewhere is refused, and a verdict is JSON, which no other site's page can send
without being asked first whether it may. Who asks a lot waits: a few threads are there for all scorers together.
"""

import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from gateway.edge.assets import page_route
from monitor.evaluation.desk import Choice, Desk, ScorerError
from monitor.evaluation.intake import read_up_to
from monitor.evaluation.store import StoreError
from monitor.evaluation.tickets import LapsedTicketError, TicketError
from monitor.evaluation.turns import Turns

FRESH = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
BODY_LIMIT = 16 << 10  # a verdict has some 400 bytes
AT_ONCE = 4  # questions of scorers that the store is asked
VALID = f"send {{ticket, scorer, verdict}}, verdict being one of {', '.join(Choice)}"

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a verdict."""

    ticket: str
    scorer: str
    verdict: Choice


def evaluation_routes(desk: Desk) -> list[web.RouteDef]:
    """What the monitor's application adds where evaluation is on."""

    turns = Turns(AT_ONCE)

    async def following(request: web.Request) -> web.Response:
        scorer = request.query.get("scorer", "")
        return _json(await turns.take(lambda: desk.next(scorer)))

    async def verdicts(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _refused(415, "send the verdict as application/json")
        body = await read_up_to(request, BODY_LIMIT)
        if body is None:
            return _refused(413, f"send at most {BODY_LIMIT >> 10} KiB")
        try:
            said = msgspec.json.decode(body, type=Said)
        except msgspec.MsgspecError as error:
            return _refused(400, f"{error}; {VALID}")
        await turns.take(lambda: desk.judge(said.ticket, said.scorer, said.verdict))
        return _json({"taken": True})

    async def progress(_: web.Request) -> web.Response:
        return _json({"progress": await turns.take(desk.progress)})

    return [
        page_route("/evaluate", "evaluate.html"),
        web.get("/api/evaluation/next", _attended(following)),
        web.post("/api/evaluation/verdicts", _attended(verdicts)),
        web.get("/api/evaluation/progress", _attended(progress)),
    ]


def _attended(handler: Handler) -> Handler:
    """Refuses what another site's page asks for, and tells in words what was wrong."""

    async def attended(request: web.Request) -> web.Response:
        if _from_elsewhere(request):
            return _refused(403, "another site's page may not ask for this")
        try:
            return await handler(request)
        except LapsedTicketError as error:
            return _refused(410, str(error))
        except (ScorerError, TicketError) as error:
            return _refused(400, str(error))
        except StoreError as error:
            log.warning("scoring: %s", error)
            return _refused(503, "the store of pairs does not answer; try again later")

    return attended


def _from_elsewhere(request: web.Request) -> bool:
    """By what a browser says itself; whoever is no browser says nothing, and needs no protection from its user."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")  # all that is said where the page did not come by TLS or from this machine
    return origin is not None and origin.partition("://")[2] != request.host


def _json(told: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), content_type="application/json", headers=FRESH)


def _refused(status: int, message: str) -> web.Response:
    body = msgspec.json.encode({"error": {"message": message}})
    return web.Response(status=status, body=body, content_type="application/json", headers=FRESH)
