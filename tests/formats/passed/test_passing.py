"""What passes: how it is asked of each provider, what its answers say of their consumption, and what is no answer."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import AttemptError, FailureKind
from gateway.core.pricing import Price, Rates, known_cost_usd
from gateway.core.usage import Usage
from gateway.formats.passed.format import PassedFormat
from gateway.formats.passed.forms import read_form
from gateway.formats.registry import spoken, surface, wire_format, wire_formats
from gateway.formats.surface import BadRequest, ClientError
from gateway.formats.surfaces.passed import PassedSurface
from gateway.formats.wire import Inexpressible, RelayContext
from tests.support.builders import an_ask, an_endpoint

BODIES: Mapping[Surface, dict[str, Any]] = {
    Surface.RERANK: {"model": "m", "query": "lamps", "documents": ["chair", {"text": "lamp"}], "top_n": 1},
    Surface.MODERATIONS: {"model": "m", "input": "hm"},
    Surface.IMAGES: {"model": "m", "prompt": "a lamp", "n": 2},
    Surface.SPEECH: {"model": "m", "input": "Good day", "voice": "alloy"},
}
FORM = "multipart/form-data; boundary=b"


def an_upload(where: Surface = Surface.TRANSCRIPTIONS, **fields: str) -> Ask:
    parts = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"model": "m", **fields}.items()
    )
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nSOUND\r\n--b--\r\n'
    form, given = read_form(FORM, parts + file)
    into = surface(where)
    assert isinstance(into, PassedSurface)
    return into.parse_form(form, given, 1_000)


def asked(where: Surface, **fields: Any) -> Ask:
    if where in BODIES:
        return an_ask({**BODIES[where], **fields}, where)
    return an_upload(where, **fields)


def an_endpoint_for(where: Surface, **changes: Any) -> Endpoint:
    return an_endpoint("alpha/m", upstream_id="up/m", operation=where.operation, **changes)


def a_context(price: Price | None = None) -> RelayContext:
    return RelayContext("r", 1, "m", lambda usage: None if price is None else known_cost_usd(price, usage, 0.0))


PASSED = (*BODIES, Surface.TRANSCRIPTIONS, Surface.TRANSLATIONS)
PATHS = (
    "/rerank", "/moderations", "/images/generations", "/audio/speech", "/audio/transcriptions", "/audio/translations",
)  # fmt: skip


@pytest.mark.parametrize(("where", "path"), list(zip(PASSED, PATHS, strict=True)))
def test_asks_as_the_client_did_with_the_providers_name_of_the_model(where: Surface, path: str) -> None:
    ask, endpoint = asked(where), an_endpoint_for(where)
    form = spoken(where, endpoint)
    outgoing = form.build(ask, endpoint, None)
    headers = dict(outgoing.headers)
    assert outgoing.path == path
    assert form.inexpressible(ask, endpoint) == Inexpressible()
    if where in BODIES:
        assert headers == {"content-type": "application/json", "accept": "*/*"}
        assert json.loads(outgoing.body) == {**BODIES[where], "model": "up/m"}
    else:
        assert headers == {"content-type": 'multipart/form-data; boundary="b"', "accept": "*/*"}
        assert read_form(headers["content-type"], outgoing.body)[1] == {"model": "up/m"}


def test_asks_cohere_and_azure_at_their_own_paths() -> None:
    cohere = an_endpoint_for(Surface.RERANK, api="cohere")
    assert spoken(Surface.RERANK, cohere).build(asked(Surface.RERANK), cohere, None).path == "/v2/rerank"
    azure = an_endpoint_for(Surface.IMAGES, api="azure-openai", quirks=frozenset({"api-version=1"}))
    outgoing = spoken(Surface.IMAGES, azure).build(asked(Surface.IMAGES), azure, None)
    assert outgoing.path == "/deployments/up%2Fm/images/generations?api-version=1"


def test_asks_voyage_in_its_words_and_answers_in_everybodys() -> None:
    endpoint = an_endpoint_for(Surface.RERANK, quirks=frozenset({"rerank_top_k"}))
    form = spoken(Surface.RERANK, endpoint)
    sent = json.loads(form.build(asked(Surface.RERANK), endpoint, None).body)
    assert (sent["top_k"], "top_n" in sent) == (1, False)
    without = an_ask({"model": "m", "query": "q", "documents": ["d"]}, Surface.RERANK)
    assert "top_k" not in json.loads(form.build(without, endpoint, None).body)
    scores, usage = [{"index": 0, "relevance_score": 0.5}], {"total_tokens": 7}
    answer = {"object": "list", "data": scores, "model": "up/m", "usage": usage}
    rendered = form.reply(asked(Surface.RERANK), endpoint, json.dumps(answer).encode(), a_context())
    assert json.loads(rendered.body) == {
        "object": "list", "results": scores, "model": "m", "usage": usage,
    }  # fmt: skip
    bare = form.reply(asked(Surface.RERANK), endpoint, b'{"data": []}', a_context())
    assert json.loads(bare.body) == {"results": []}
    assert form.reply(asked(Surface.RERANK), endpoint, b'{"results": []}', a_context()).body == b'{"results": []}'


@pytest.mark.parametrize("api", wire_formats())
def test_what_an_api_lacks_excludes_its_endpoint(api: str) -> None:
    for where in PASSED:
        endpoint = an_endpoint_for(where, api=api)
        form = spoken(where, endpoint)
        lacks = form.inexpressible(asked(where), endpoint).fields
        assert isinstance(form, PassedFormat)
        assert (form.api, form.models_path) == (api, wire_format(api).models_path)
        has = api == "openai" or (api, where) == ("cohere", Surface.RERANK) or (
            api == "azure-openai" and where not in (Surface.RERANK, Surface.MODERATIONS)
        )  # fmt: skip
        assert lacks == (set() if has else {where.operation.value})


# -- what it cost ------------------------------------------------------------------------------------------------------

T, R = frozenset({"tokens"}), frozenset({"requests"})
COUNTED = [
    (asked(Surface.RERANK), {"meta": {"billed_units": {"search_units": 3}}}, (5, 0, 3.0, T)),
    (asked(Surface.RERANK), {"meta": {"billed_units": {"input_tokens": 40}}}, (40, 0, 1, R)),
    (asked(Surface.RERANK), {"results": [], "meta": None}, (5, 0, 1, T | R)),
    (asked(Surface.RERANK), {"usage": {"prompt_tokens": 9, "completion_tokens": 1}}, (9, 1, 1, R)),
    (asked(Surface.MODERATIONS), {"results": []}, (4, 0, 1, frozenset())),
    (asked(Surface.IMAGES), {"data": [1, 2]}, (5, 0, 2, T)),
    (asked(Surface.IMAGES), {"usage": {"input_tokens": 5, "output_tokens": 9}}, (5, 9, 1, R)),
    (an_upload(), {"usage": {"type": "duration", "seconds": 9}}, (4, 0, 9.0, T)),
    (an_upload(), {"duration": 2.5}, (4, 0, 2.5, T)),
    (an_upload(), {"usage": {"prompt_audio_seconds": 4, "prompt_tokens": 6}}, (6, 0, 4.0, frozenset())),
    (an_upload(), {"text": "hi"}, (4, 0, 1, T | R)),
]


@pytest.mark.parametrize(("ask", "answer", "counts"), COUNTED)
def test_reads_what_an_answer_says_of_its_consumption(ask: Ask, answer: dict[str, Any], counts: Any) -> None:
    form = spoken(ask.surface, an_endpoint_for(ask.surface))
    used = form.reply(ask, an_endpoint_for(ask.surface), json.dumps(answer).encode(), a_context()).usage
    assert used is not None
    assert (used.output, used.requests, used.uncounted) == counts[1:]
    if "tokens" not in used.uncounted and not used.estimated:
        assert used.input == counts[0]


@pytest.mark.parametrize(
    ("rates", "uncounted", "usd"),
    [
        (Rates(1.0, 0.0), R, 1e-6),
        (Rates(1.0, 0.0), T, None),
        (Rates(0.0, 1.0), T, None),
        (Rates(0.0, 0.0, per_request=0.5), T, 1.0),
        (Rates(0.0, 0.0, per_request=0.5), R, None),
        (Rates(0.0, 0.0), T | R, 0.0),
        (Rates(1.0, 1.0, per_request=0.5), frozenset(), 1.0 + 1e-6),
    ],
)
def test_a_price_for_what_nobody_counted_makes_no_cost(
    rates: Rates, uncounted: frozenset[str], usd: float | None
) -> None:
    usage = Usage(input=1, requests=2, uncounted=uncounted)
    assert known_cost_usd(Price(rates), usage, 0.0) == (None if usd is None else pytest.approx(usd))


def test_writes_the_cost_beside_the_counts() -> None:
    endpoint = an_endpoint_for(Surface.IMAGES)
    context = a_context(Price(Rates(5.0, 40.0)))
    answer = b'{"data": [1], "usage": {"input_tokens": 100, "output_tokens": 1000}}'
    rendered = spoken(Surface.IMAGES, endpoint).reply(asked(Surface.IMAGES), endpoint, answer, context)
    assert json.loads(rendered.body)["usage"]["cost"] == pytest.approx(0.0405)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FailureKind.MALFORMED),
        (b"<html>502</html>", FailureKind.MALFORMED),
        (b"hello", FailureKind.MALFORMED),
        (b"[]", FailureKind.MALFORMED),
        (b'{"error": {"message": "no", "code": 503}}', FailureKind.OVERLOADED),
        (b'{"usage": {"input_tokens": "x"}}', FailureKind.MALFORMED),
    ],
)
def test_an_answer_that_is_none_fails_the_attempt(body: bytes, kind: FailureKind) -> None:
    endpoint = an_endpoint_for(Surface.IMAGES)
    with pytest.raises(AttemptError) as caught:
        spoken(Surface.IMAGES, endpoint).reply(asked(Surface.IMAGES), endpoint, body, a_context())
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize("kind", ["text", "srt", "vtt"])
def test_a_transcript_that_is_no_json_passes_as_it_is(kind: str) -> None:
    endpoint = an_endpoint_for(Surface.TRANSCRIPTIONS)
    rendered = spoken(Surface.TRANSCRIPTIONS, endpoint).reply(
        an_upload(response_format=kind), endpoint, b"1\n00:00 hello", a_context()
    )
    assert rendered.body == b"1\n00:00 hello"
    assert rendered.usage is not None
    assert rendered.usage.uncounted == T | R


# -- streams -----------------------------------------------------------------------------------------------------------


def played(ask: Ask, *pieces: bytes) -> tuple[Any, bytes]:
    endpoint = an_endpoint_for(ask.surface)
    relay = spoken(ask.surface, endpoint).stream_relay(ask, endpoint, a_context())
    out = b"".join(relay.feed(piece) for piece in pieces) + relay.end()
    return relay, out


@pytest.mark.parametrize("first", [b"ID3", b"\0\0", b"{\x01\x02"])
def test_bytes_of_audio_pass_whatever_they_are(first: bytes) -> None:
    relay, out = played(asked(Surface.SPEECH), first, b"<html>{")
    assert out == first + b"<html>{"
    assert (relay.finished, relay.failure, relay.content_seen) == (True, None, True)
    assert relay.usage.requests == len("Good day")


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ([], FailureKind.MALFORMED),
        ([b"<html>", b"more"], FailureKind.MALFORMED),
        ([b'{"error": {"message": "no", "code": 503}}'], FailureKind.OVERLOADED),
    ],
)
def test_what_is_no_audio_fails_before_a_byte_is_sent(pieces: list[bytes], kind: FailureKind) -> None:
    relay, out = played(asked(Surface.SPEECH), *pieces)
    assert (out, relay.failure.kind, relay.finished) == (b"", kind, False)


def test_events_of_speech_pass_up_to_the_last() -> None:
    ask = asked(Surface.SPEECH, stream_format="sse")
    delta = b'data: {"type":"speech.audio.delta"}\n\n'
    done = b'data: {"type":"speech.audio.done","usage":{"input_tokens":3}}\n\n'
    relay, out = played(ask, delta, done, b"data: late\n\n")
    assert out == delta + done
    assert (relay.finished, relay.usage.input) == (True, 3)


@pytest.mark.parametrize("last", [b"", b"data: [DONE]\n\n"])
def test_events_of_images_end_with_the_connection_or_a_word(last: bytes) -> None:
    event = b'event: image_generation.completed\ndata: {"type":"image_generation.completed","usage":{"x":1}}\n\n'
    relay, out = played(asked(Surface.IMAGES, stream=True), event + last)
    assert out == event + last
    assert (relay.finished, relay.failure) == (True, None)


def test_a_stream_that_carries_an_error_or_nothing_fails() -> None:
    relay, _ = played(asked(Surface.IMAGES, stream=True), b'data: {"error": {"message": "no", "code": 503}}\n\n')
    assert relay.failure.kind is FailureKind.OVERLOADED
    relay, _ = played(asked(Surface.IMAGES, stream=True))
    assert relay.failure.kind is FailureKind.TRUNCATED


# -- what a client must say --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "change", "param"),
    [
        (Surface.RERANK, {"model": None}, "model"),
        (Surface.RERANK, {"query": ""}, "query"),
        (Surface.RERANK, {"documents": []}, "documents"),
        (Surface.RERANK, {"documents": "one"}, "documents"),
        (Surface.MODERATIONS, {"input": []}, "input"),
        (Surface.IMAGES, {"n": 0}, "n"),
        (Surface.IMAGES, {"stream": "yes"}, "stream"),
        (Surface.SPEECH, {"voice": None}, "voice"),
        (Surface.SPEECH, {"input": ["a b c d e"]}, "input"),
        (Surface.TRANSCRIPTIONS, {}, "file"),
    ],
)
def test_says_what_is_missing_and_where(where: Surface, change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        surface(where).parse({**BODIES.get(where, {"model": "m"}), **change}, 10, {})
    assert caught.value.param == param


def test_a_form_needs_a_file() -> None:
    form, fields = read_form(FORM, b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--')
    into = surface(Surface.TRANSCRIPTIONS)
    assert isinstance(into, PassedSurface)
    with pytest.raises(BadRequest, match="file is missing"):
        into.parse_form(form, fields, 10)


def test_knows_what_bounds_the_cost() -> None:
    many = an_ask({"model": "m", "query": "q", "documents": ["x" * 700] * 120}, Surface.RERANK)
    bounds = [asked(where).passed for where in PASSED]
    assert [None if one is None else one.units for one in bounds] == [1, 1, 2, len("Good day"), None, None]
    assert many.passed is not None
    assert (many.passed.units, many.passed.readings) == (3, 121)


def test_what_the_scanner_cannot_read_is_counted() -> None:
    seen = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "text", "text": "hm"}]
    assert an_ask({"model": "m", "input": seen}, Surface.MODERATIONS).survey.unreadable
    assert an_upload().survey.unreadable
    assert not asked(Surface.IMAGES).survey.unreadable
    assert an_upload(Surface.TRANSLATIONS).survey.needs == {"translation"}
    assert an_upload(stream="true").stream


def test_errors_have_openais_shape_and_no_place_among_bytes() -> None:
    error = ClientError(503, "down", "api_error")
    assert json.loads(surface(Surface.SPEECH).error_body(error))["error"]["message"] == "down"
    assert surface(Surface.SPEECH).error_event(error) == b""
    assert surface(Surface.IMAGES).error_event(error).startswith(b"event: error\ndata: {")


@pytest.mark.parametrize("where", PASSED)
@pytest.mark.interpreted
def test_nothing_is_translated(where: Surface) -> None:
    assert surface(where).native_api is None
    ask: Any = None
    with pytest.raises(NotImplementedError):
        surface(where).encoder(ask, ask)
    with pytest.raises(NotImplementedError):
        surface(where).encode(ask, ask, ask)


def test_has_an_operation_for_each() -> None:
    assert {where.operation for where in PASSED} == set(Operation) - {
        Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS,
    }  # fmt: skip
