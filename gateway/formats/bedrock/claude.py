"""Claude on Bedrock in Anthropic's own format: InvokeModel, and CountTokens around the same body.

Sources: AWS's user guide ("Anthropic Claude Messages API"), Anthropic's SDK for Bedrock, recorded exchanges. The
version is the one that every Claude there takes.
"""

import base64
from collections.abc import Mapping

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import Json
from gateway.core.failure import Failure
from gateway.formats import codec
from gateway.formats.anthropic.hosted import HostedAnthropic
from gateway.formats.anthropic.passthrough import AnthropicRelay, whole_count
from gateway.formats.anthropic.request import FALLBACK_MAX_TOKENS, speaks
from gateway.formats.anthropic.stream import AnthropicDecoder
from gateway.formats.bedrock import errors
from gateway.formats.bedrock.frames import FrameDecoder
from gateway.formats.bedrock.request import STREAM, WHOLE, model_path
from gateway.formats.hints import words
from gateway.formats.relay import translate
from gateway.formats.surfaces.all import surface_of
from gateway.formats.wire import Outgoing, RelayContext, Rendered, StreamRelay

VERSION = "bedrock-2023-05-31"
# AWS's user guide, "anthropic_beta"; Bedrock answers any other with a 400.
BETAS = words(
    """computer-use-2024-10-22 computer-use-2025-01-24 computer-use-2025-11-24 context-1m-2025-08-07
    context-management-2025-06-27 dev-full-thinking-2025-05-14 effort-2025-11-24 fine-grained-tool-streaming-2025-05-14
    interleaved-thinking-2025-05-14 output-128k-2025-02-19 token-efficient-tools-2025-02-19 tool-examples-2025-10-29
    tool-search-tool-2025-10-19"""
)


class BedrockClaudeFormat(HostedAnthropic):
    api = "bedrock-anthropic"

    def stream_relay(self, ask: Ask, endpoint: Endpoint, context: RelayContext) -> StreamRelay:
        relay = (
            AnthropicRelay(context)
            if speaks(ask)
            else translate(ask, surface_of(ask.surface), context, AnthropicDecoder())
        )
        relay.framing = FrameDecoder()
        return relay

    def reply(self, ask: Ask, endpoint: Endpoint, body: bytes, context: RelayContext) -> Rendered:
        if ask.surface is Surface.COUNT_TOKENS:
            return whole_count(_count(body))
        return super().reply(ask, endpoint, body, context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
        return errors.of_answer(status, headers, body, now_s)

    def horizon_s(self, headers: Mapping[str, str], now_s: float) -> float | None:
        """Bedrock does not tell its limits."""
        return None

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """A Bedrock API key; AWS's own keys sign the request instead."""
        return (("authorization", f"Bearer {key}"),)

    def _asked(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        stream = body.pop("stream", False)
        way, headers = ("invoke-with-response-stream", STREAM) if stream else ("invoke", WHOLE)
        unknown = () if BETAS.issuperset(betas) else ("anthropic-beta",)
        sent = orjson.dumps(_enveloped(body, betas))
        return Outgoing(model_path(endpoint.upstream_id, way), headers, sent, (*dropped, *unknown))

    def _counted(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        """Counting wants the model itself, not an inference profile of a region (recorded), and a whole request."""
        model = "anthropic." + endpoint.upstream_id.rpartition("anthropic.")[2]
        whole = _enveloped({"max_tokens": FALLBACK_MAX_TOKENS, **body}, betas)
        inner = base64.b64encode(orjson.dumps(whole)).decode()
        sent = orjson.dumps({"input": {"invokeModel": {"body": inner}}})
        return Outgoing(model_path(model, "count-tokens"), WHOLE, sent, dropped)


def _enveloped(body: dict[str, Json], betas: tuple[str, ...]) -> dict[str, Json]:
    body.pop("model", None)
    body["anthropic_version"] = VERSION
    known = [beta for beta in betas if beta in BETAS]
    return {**body, "anthropic_beta": known} if known else body


def _count(body: bytes) -> bytes:
    """Bedrock's count under Anthropic's name; whatever else it is stays as it is, for whoever complains."""
    try:
        return codec.dumps({"input_tokens": codec.loads(body)["inputTokens"]})
    except (KeyError, TypeError, ValueError):
        return body
