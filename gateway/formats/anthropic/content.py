"""How an Anthropic answer finished, and what its blocks hold."""

from typing import Any

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError
from gateway.formats import codec, upstream_errors
from gateway.formats.masking import is_html
from gateway.formats.upstream_errors import malformed

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.REFUSAL,
    "pause_turn": FinishReason.PAUSE,
}


def read_finish(reason: Json) -> FinishReason | None:
    """None while the answer is unfinished; an unknown reason is a stop, since the answer is whole."""
    return _FINISH.get(reason, FinishReason.STOP) if reason else None


def read_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object that is no error; raises `AttemptError`."""
    try:
        found = codec.loads(data)
    except ValueError:
        shown = "an HTML page" if is_html(data) else "something that is not JSON"
        raise malformed(f"The upstream sent {shown} for {what}.") from None
    if not isinstance(found, dict):
        raise malformed(f"The upstream sent JSON that is no object for {what}.")
    if found.get("type") == "error" or found.get("error"):
        raise AttemptError(upstream_errors.of_object(found, f"error instead of {what}"))
    return found
