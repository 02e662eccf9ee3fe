"""What LiteLLM's `model_info` and prices say of a deployment, as facts of a row; and what of it has no place."""

from collections.abc import Mapping
from typing import Any

from gateway.config.catalog_file import ModelRow
from gateway.config.imports.draft import Json
from gateway.config.imports.litellm_accounts import Params
from gateway.config.imports.notes import Notes
from gateway.config.imports.source_values import mapping, number, text, whole
from gateway.config.problems import Path

_OPERATIONS = {
    "embedding": "embeddings", "completion": "completions", "image_generation": "image", "audio_speech": "speech",
    "audio_transcription": "transcription", "rerank": "rerank", "moderation": "moderation", "moderations": "moderation",
}  # fmt: skip
_CAPS = {
    "supports_function_calling": "tools", "supports_response_schema": "json_schema", "supports_vision": "vision",
    "supports_audio_input": "audio", "supports_pdf_input": "pdf", "supports_reasoning": "reasoning",
}  # fmt: skip
_PRICES = {
    "input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write", "output_cost_per_reasoning_token": "reasoning",
}  # fmt: skip
PER_MILLION = 1_000_000
MOST_USD = 1_000_000

_DEFAULTS = frozenset({
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop", "presence_penalty",
    "frequency_penalty", "reasoning_effort", "thinking", "extra_body", "response_format", "tools", "n", "user",
})  # fmt: skip
_TAKEN = frozenset({
    "model", "custom_llm_provider", "api_key", "api_base", "base_url", "api_version", "base_model", "timeout",
    "stream_timeout", "max_parallel_requests", "weight", "rpm", "tpm", "order", "litellm_credential_name",
    "client_secret", "azure_ad_token", "tenant_id", "client_id", "aws_region_name", "aws_access_key_id",
    "aws_secret_access_key", "aws_session_token", "aws_role_name", "aws_session_name", "aws_profile_name",
    "aws_web_identity_token", "aws_sts_endpoint", "vertex_project", "vertex_location", "vertex_credentials", *_PRICES,
})  # fmt: skip
_HINTS: Mapping[str, str] = {
    "tags": "tags do not choose deployments: match a header in a route instead",
    "max_retries": "no endpoint is asked twice for one request",
    "drop_params": "the gateway does so by itself, and says which in x-pointsman-dropped",
    "headers": "no header can be added for a provider",
    "extra_headers": "no header can be added for a provider",
    "organization": "no header can be added for a provider: a key of OpenAI's belongs to a project and organization",
    "region_name": "say what the account guarantees in privacy: {regions: […]} of the provider",
}


def left_out(row: Mapping[str, Any], given: Mapping[str, Any], at: Path, notes: Notes) -> None:
    """A note for each parameter of a deployment that has no place here."""
    for name in given:
        path: Path = (*at, "litellm_params", name)
        if name in _HINTS:
            notes.add(path, _HINTS[name])
        elif name in _DEFAULTS:
            notes.add(path, "parameters are the client's to say: none is added to a request")
        elif name not in _TAKEN:
            notes.add(path, "has no equivalent: it was left out")
    if number(given.get("rpm")) is not None or number(given.get("tpm")) is not None:
        name = "rpm" if given.get("rpm") is not None else "tpm"
        words = "is the weight among the group's deployments, no limit: a provider's own 429 is heeded until it ends"
        notes.add((*at, "litellm_params", name), words)
    for name in row:
        if name not in ("model_name", "litellm_params", "model_info"):
            notes.add((*at, name), "has no equivalent: it was left out")


def facts_of(row: Mapping[str, Any], params: Params, found: ModelRow | None, notes: Notes) -> dict[str, Json]:
    """What the row must state: prices in any case, all else where the catalog does not know the model."""
    info = mapping(row.get("model_info"))
    facts: dict[str, Json] = {}
    if found is None:
        operation = _OPERATIONS.get(text(info.get("mode")) or "")
        operation = operation or ("completions" if params.provider == "text-completion-openai" else None)
        facts |= {} if operation is None else {"operation": operation}
        facts |= _sizes(info)
        caps = [cap for name, cap in _CAPS.items() if info.get(name) is True]
        if any(name in info for name in _CAPS):
            facts["caps"] = caps
    price = _price({**info, **params.given}, (*params.at,), notes)
    return facts | ({} if price is None else {"price": price})


def _sizes(info: Mapping[str, Any]) -> dict[str, int]:
    """`max_tokens` is the output's limit where another stands for the input, as in LiteLLM's own price file."""
    context = whole(info.get("max_input_tokens"))
    output = whole(info.get("max_output_tokens"))
    if context is None:
        context = whole(info.get("max_tokens"))
    sizes = {"context": context, "max_output": output}
    if context is not None and output is not None and output > context:
        sizes["context"] = context + output
    return {name: size for name, size in sizes.items() if size is not None and 0 < size <= 100_000_000}


def _price(given: Mapping[str, Any], at: Path, notes: Notes) -> dict[str, float] | None:
    price: dict[str, float] = {}
    for name, ours in _PRICES.items():
        usd = number(given.get(name))
        if usd is not None and 0 <= usd * PER_MILLION <= MOST_USD:
            price[ours] = float(f"{usd * PER_MILLION:.9g}")
    if not price:
        return None
    if "input" not in price or "output" not in price:
        notes.add(at, "a price needs input_cost_per_token and output_cost_per_token: it was left out")
        return None
    return {name: price[name] for name in _PRICES.values() if name in price}
