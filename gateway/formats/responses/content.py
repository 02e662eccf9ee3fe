"""What a response and its items hold, and how it finished."""

from collections.abc import Iterable
from typing import Any

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError
from gateway.formats import codec, upstream_errors
from gateway.formats.masking import is_html
from gateway.formats.upstream_errors import malformed

Object = dict[str, Any]

_PENDING = ("queued", "in_progress")
_STATUS_OF = {"response.completed": "completed", "response.incomplete": "incomplete"}  # by what an event is called
_FAILED = ("failed", "cancelled")
_CALLS = ("function_call", "custom_tool_call")


def read_object(data: bytes, what: str) -> Object:
    """A JSON object; raises `AttemptError`."""
    try:
        found = codec.loads(data)
    except ValueError:
        shown = "an HTML page" if is_html(data) else "something that is not JSON"
        raise malformed(f"The upstream sent {shown} for {what}.") from None
    if not isinstance(found, dict):
        raise malformed(f"The upstream sent JSON that is no object for {what}.")
    return found


def raise_failed(response: Object, where: str) -> None:
    """Raises what a response that failed, or an error in its place, means."""
    error = response.get("error")
    if error or response.get("status") in _FAILED or response.get("type") == "error":
        told = error or response
        raise AttemptError(upstream_errors.of_object(told, where))


def read_finish(response: Object, event: str = "response.completed") -> FinishReason | None:
    """None while the response is not ended. A completed one says no more than that, so its items tell (cases.md G1).

    `event` is the one that carries it; where a server leaves the status out, its name tells. Unknown words are an end.
    """
    status = response.get("status") or _STATUS_OF.get(event, "in_progress")
    if status in _PENDING:
        return None
    if status == "incomplete":
        details = response.get("incomplete_details") or {}
        filtered = details.get("reason") == "content_filter"
        return FinishReason.CONTENT_FILTER if filtered else FinishReason.LENGTH
    items = response.get("output") or ()
    if any(item.get("type") in _CALLS for item in items):
        return FinishReason.TOOL_CALLS
    if any(part.get("type") == "refusal" for item in items for part in _parts(item)):
        return FinishReason.REFUSAL
    return FinishReason.STOP


def item_texts(item: Object) -> str:
    """Text of a message item, refusals included."""
    return "".join(part.get("text") or part.get("refusal") or "" for part in _parts(item))


def reasoning_text(item: Object) -> str:
    """What a reasoning item shows: the reasoning itself, else its summary."""
    shown = _texts(item.get("content"))
    return "".join(shown) or "\n\n".join(_texts(item.get("summary")))


def other_chars(item: Object) -> int:
    """Characters of an item that is no message."""
    if item.get("type") == "reasoning":
        return len(reasoning_text(item))
    return len(item.get("name") or "") + len(item.get("arguments") or item.get("input") or item.get("code") or "")


def _parts(item: Object) -> Iterable[Object]:
    return item.get("content") or () if item.get("type") == "message" else ()


def _texts(parts: Json) -> list[str]:
    return [part.get("text") or "" for part in parts or ()]
