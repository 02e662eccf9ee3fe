"""`reasoning_details`: the structured field in which the chat surface carries reasoning, signatures included.

The shape is OpenRouter's (reasoning.text, reasoning.encrypted, reasoning.summary), which several clients send back
unchanged. Their `format` words are mapped to our wire format names; an unknown word stays as it is.
"""

from collections.abc import Sequence

from gateway.core.chat import Json, Thinking

_OURS = {"anthropic-claude-v1": "anthropic", "google-gemini-v1": "gemini", "openai-responses-v1": "responses"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}


def read_details(details: Sequence[Json]) -> tuple[Thinking, ...]:
    """Parts from a message's details; pieces of one block (same index, as streams give them) become one."""
    blocks: list[Thinking] = []
    last_index: Json = None
    for item in details:
        if not isinstance(item, dict):
            continue
        part = read_detail(item)
        index = item.get("index")
        if blocks and index is not None and index == last_index and not (part.redacted or blocks[-1].redacted):
            earlier = blocks.pop()
            part = Thinking(earlier.text + part.text, part.signature or earlier.signature, None, part.format)
        last_index = index
        blocks.append(part)
    return tuple(blocks)


def read_detail(item: dict[str, Json]) -> Thinking:
    """One entry; `reasoning.encrypted` holds redacted data."""
    said = item.get("format")
    form = _OURS.get(said, said) if isinstance(said, str) and said != "unknown" else None
    if item.get("type") == "reasoning.encrypted":
        return Thinking("", redacted=str(item.get("data") or ""), format=form)
    shown = item.get("text") or item.get("summary") or ""
    return Thinking(str(shown), signature=item.get("signature") or None, format=form)


def write_detail(part: Thinking, index: int) -> dict[str, Json]:
    form = _THEIRS.get(part.format, part.format) if part.format else "unknown"
    if part.redacted is not None:
        return {"type": "reasoning.encrypted", "data": part.redacted, "format": form, "index": index}
    entry: dict[str, Json] = {"type": "reasoning.text", "format": form, "index": index}
    if part.text:
        entry["text"] = part.text
    if part.signature is not None:
        entry["signature"] = part.signature
    return entry
