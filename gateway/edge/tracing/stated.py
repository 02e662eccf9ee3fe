"""The parameters that a client stated in its request, as GenAI attributes of the attempts: none that it left to others.

Keeps nothing of the conversation, so that a request whose spans wait for a collector does not hold its prompt.
"""

from collections.abc import Mapping

from gateway.core.ask import Ask, EmbedRequest
from gateway.core.chat import ChatRequest
from gateway.edge.sinks.otlp_values import Value
from gateway.edge.tracing import conventions as names

Stated = Mapping[str, Value]  # None: not told
NOTHING: Stated = {}

STOPS, STOP_CHARS = 16, 100  # that are told: clients may send any number of any length

# What is asked for, by the word of the neutral form.
_OUTPUTS = {"text": "text", "json_object": "json", "json_schema": "json"}


def stated(ask: Ask, texts_allowed: bool) -> Stated:
    """`texts_allowed`: whether every label of the request allows its texts to be kept; stop sequences are such."""
    if ask.chat is not None:
        return _of_chat(ask.chat, texts_allowed)
    return NOTHING if ask.embed is None else _of_embeddings(ask.embed)


def _of_chat(chat: ChatRequest, texts_allowed: bool) -> Stated:
    asked, form = chat.reasoning, chat.response_format
    stops = [stop[:STOP_CHARS] for stop in chat.stop[:STOPS]] if texts_allowed else []
    return {
        names.REQUEST_MAX_TOKENS: chat.max_tokens,
        names.REQUEST_TEMPERATURE: _double(chat.temperature),
        names.REQUEST_TOP_P: _double(chat.top_p),
        names.REQUEST_TOP_K: chat.top_k,
        names.REQUEST_FREQUENCY_PENALTY: _double(chat.frequency_penalty),
        names.REQUEST_PRESENCE_PENALTY: _double(chat.presence_penalty),
        names.REQUEST_SEED: chat.seed,
        names.REQUEST_STOP_SEQUENCES: stops or None,
        names.REQUEST_CHOICE_COUNT: chat.n if chat.n != 1 else None,
        names.REQUEST_REASONING_LEVEL: None if asked is None else asked.effort,
        names.OUTPUT_TYPE: None if form is None else _OUTPUTS.get(form.kind),
    }


def _of_embeddings(embed: EmbedRequest) -> Stated:
    return {
        names.EMBEDDINGS_DIMENSIONS: embed.dimensions,
        names.REQUEST_ENCODING_FORMATS: None if embed.encoding_format is None else [embed.encoding_format],
    }


def _double(number: float | None) -> float | None:
    """A double as the conventions want it, where JSON had a whole number."""
    return None if number is None else float(number)
