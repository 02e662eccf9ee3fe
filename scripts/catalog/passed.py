"""Rows of what is no conversation: reranking, moderation, images, speech both ways.

Only providers whose paths the gateway has (`gateway.formats.passed`), only models of those paths, only prices by one
unit: what costs differently by size and quality has no row here and is configured by whoever uses it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

Json = dict[str, Any]

_OPERATIONS = {
    "rerank": "rerank",
    "moderation": "moderation",
    "image_generation": "image",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
}
_PATHS = {"/v1/images/generations", "/v1/audio/speech", "/v1/audio/transcriptions"}
# Where a provider has these under the paths and in the words of OpenAI (Cohere: its own).
_OFFERED = {
    "openai": ("moderation", "image", "speech", "transcription"),
    "cohere": ("rerank",),
    "groq": ("speech", "transcription"),
    "mistral": ("transcription",),
    "xai": ("image",),
    "voyage": ("rerank",),
    "jina": ("rerank",),
}
_LITELLM = {"jina": "jina_ai"}  # providers that LiteLLM calls otherwise
_FREE_MODERATION = ("openai",)  # OpenAI, "Moderation": free of charge; a zero of others is a price nobody knows
_TRANSLATING = ("whisper-1", "whisper-large-v3")  # OpenAI and Groq, speech to text: not the turbo, not gpt-4o's


def passed_rows(provider: str, litellm: Mapping[str, Mapping[str, Any]], as_of: date) -> list[Json]:
    """The provider's rows, by name."""
    offered = _OFFERED.get(provider, ())
    found = []
    for key, row in litellm.items():
        operation = _OPERATIONS.get(row.get("mode", ""), "")
        name = key.removeprefix(f"{provider}/")
        if operation not in offered or row.get("litellm_provider") != _LITELLM.get(provider, provider) or "/" in name:
            continue
        paths = row.get("supported_endpoints")
        price = _price(operation, row, provider)
        if (paths and _PATHS.isdisjoint(paths)) or price is None or "realtime" in name:
            continue
        same = name.lower()
        made: Json = {"id": same, "upstream_id": name, "base_model": same, "operation": operation}
        if name in _TRANSLATING:
            made["caps"] = ["translation"]
        found.append({**made, **_end(row, as_of), "price": price})
    return sorted(found, key=lambda row: str(row["id"]))


def _price(operation: str, row: Mapping[str, Any], provider: str) -> Json | None:
    """Tokens per million, or the fee for a unit; None where it depends on more."""
    rates = {name: row.get(name) or 0.0 for name in row if "cost" in name}
    source = {"source": row.get("source") or "LiteLLM"}
    if operation == "moderation":
        return {"input": 0.0, "output": 0.0, **source} if provider in _FREE_MODERATION else None
    if operation == "image":
        output = rates.get("output_cost_per_image_token")
    else:
        output = rates.get("output_cost_per_audio_token") or rates.get("output_cost_per_token")
    if rates.get("input_cost_per_token"):
        if operation != "rerank" and not output:
            return None
        return {"input": _million(rates["input_cost_per_token"]), "output": _million(output or 0.0), **source}
    unit = {"rerank": "query", "image": "image", "speech": "character", "transcription": "second"}[operation]
    fee = rates.get(f"input_cost_per_{unit}")
    if not fee or any(name.startswith("output_cost_per_image") for name in rates):
        return None
    return {"input": 0.0, "output": 0.0, "per_request": round(fee, 9), **source}


def _end(row: Mapping[str, Any], as_of: date) -> Json:
    ends = row.get("deprecation_date")
    if ends is None:
        return {}
    return {"deprecated": True, "retires": ends} if ends <= as_of.isoformat() else {"retires": ends}


def _million(per_token: float) -> float:
    return round(per_token * 1e6, 6)
