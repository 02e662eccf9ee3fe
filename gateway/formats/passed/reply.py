"""What answers that pass say of their consumption, and what is none in spite of its status.

Counts are read where providers put them; what is charged by something that an answer does not tell is left uncounted,
and its cost unknown.
"""

from collections.abc import Mapping
from hashlib import blake2b

from gateway.core.ask import Ask, Surface
from gateway.core.chat import Json
from gateway.core.estimate import input_tokens
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import codec, upstream_errors
from gateway.formats.masking import is_html
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

_TOKENS, _UNITS = frozenset({"tokens"}), frozenset({"requests"})
_BY_FORM = (Surface.TRANSCRIPTIONS, Surface.TRANSLATIONS)
_PLAIN = ("text", "srt", "vtt")  # response formats that are no JSON


def render(ask: Ask, body: bytes, context: RelayContext, results_in_data: bool = False) -> Rendered:
    """A whole 2xx answer; raises `AttemptError` where it is none."""
    if not body.strip() or is_html(body):
        raise malformed("The answer is empty." if not body.strip() else "The upstream sent an HTML page.")
    digest = blake2b(body, digest_size=8).hexdigest()
    if ask.surface in _BY_FORM and ask.body.get("response_format") in _PLAIN:
        return Rendered(body, usage_of(ask, {}), None, digest, 0)
    answer = _object(body)
    if results_in_data and "data" in answer:
        answer["results"] = answer.pop("data")
        body = codec.dumps(answer)
    try:
        usage = usage_of(ask, answer)
        body = _marked(answer, usage, context, body)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error
    return Rendered(body, usage, None, digest, 0)


def _object(body: bytes) -> dict[str, Json]:
    try:
        found = codec.loads(body)
    except ValueError:
        raise malformed("The answer is not JSON.") from None
    if not isinstance(found, dict):
        raise malformed("The answer is not a JSON object.")
    if found.get("error"):
        raise AttemptError(upstream_errors.of_object(found, "error in a 200 answer"))
    return found


def _marked(answer: dict[str, Json], usage: Usage, context: RelayContext, body: bytes) -> bytes:
    """With the model's own name and the cost, where the answer has a place for them; else as it came."""
    told = answer.get("usage")
    cost_usd = context.price(usage)
    priced = isinstance(told, dict) and cost_usd is not None
    if priced:
        answer["usage"]["cost"] = cost_usd
    if "model" in answer:
        answer["model"] = context.model
    return codec.dumps(answer) if priced or "model" in answer else body


def usage_of(ask: Ask, answer: Mapping[str, Json]) -> Usage:
    """What the answer (or a stream's last event) says was consumed."""
    told = answer.get("usage")
    tokens = told if isinstance(told, dict) else {}
    billed = (answer.get("meta") or {}).get("billed_units") or {}  # Cohere's
    given = tokens.get("input_tokens", tokens.get("prompt_tokens", tokens.get("total_tokens")))
    given = billed.get("input_tokens") if given is None else given
    written = tokens.get("output_tokens", tokens.get("completion_tokens"))
    units, known = _units(ask, answer, tokens, billed)
    uncounted: frozenset[str] = frozenset() if known else _UNITS
    if given is None and _is_counted_by_tokens(ask):
        uncounted |= _TOKENS
    return Usage(
        input=input_tokens(ask) if given is None else int(given),
        output=int(written or 0),
        requests=units,
        estimated=given is None,
        uncounted=uncounted,
    )


def _is_counted_by_tokens(ask: Ask) -> bool:
    """Whether the tokens of an answer without a count are beyond estimating; a text to be moderated is not."""
    return ask.surface is not Surface.MODERATIONS


def _units(
    ask: Ask, answer: Mapping[str, Json], told: Mapping[str, Json], billed: Mapping[str, Json]
) -> tuple[float, bool]:
    """What a fee is charged for, and whether that is known."""
    match ask.surface:
        case Surface.RERANK:
            units = billed.get("search_units")
            return (1, False) if units is None else (float(units), True)
        case Surface.IMAGES:
            data = answer.get("data")
            return (len(data), True) if isinstance(data, list) else (1, False)
        case Surface.SPEECH:
            return (len(str(ask.body["input"])), True)
        case Surface.MODERATIONS:
            return (1, True)
        case _:
            seconds = told.get("seconds", told.get("prompt_audio_seconds", answer.get("duration")))
            return (1, False) if seconds is None else (float(seconds), True)
