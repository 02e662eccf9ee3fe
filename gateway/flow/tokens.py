"""`/v1/messages/count_tokens`: asked of an endpoint that speaks the surface's own format, else estimated here.

The same walk as for answers, over those candidates alone; providers do not charge for counting, so it costs nothing
and saves nothing. An estimate is marked by the header `x-pointsman-endpoint: pointsman/estimate`.
"""

from msgspec.structs import replace

from gateway.core.decision import Outcome
from gateway.core.estimate import input_tokens
from gateway.core.refusal import Refused
from gateway.flow.answer import Walk
from gateway.flow.ports import ReplySink
from gateway.flow.run import Request, Run
from gateway.formats.surfaces.messages import count_tokens_body

ESTIMATE = "pointsman/estimate"


async def count_tokens(walk: Walk, request: Request, sink: ReplySink) -> None:
    """Answer a request for a count of tokens."""
    native = request.surface.native_api
    parts = walk.parts
    try:
        considered = await parts.planner.considered(request.ask, request.extras, request.client, request.moment)
    except Refused:
        await walk.answer(request, sink)  # refuses it in the surface's own words, and writes the row
        return
    speaking = tuple(step for step in considered.steps if step.endpoint.family == native)
    if speaking:
        await walk.follow(request, replace(considered, steps=speaking), sink)
        return
    run = Run(request, considered=considered, outcome=Outcome.OK, status=200)
    headers = [
        ("content-type", "application/json"),
        ("x-pointsman-decision", request.id),
        ("x-pointsman-endpoint", ESTIMATE),
        ("x-pointsman-route", considered.route.name),
        ("x-pointsman-attempts", "0"),
    ]
    sink.whole(200, headers, count_tokens_body(input_tokens(request.ask)))
    walk.record(run)
