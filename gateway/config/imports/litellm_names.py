"""LiteLLM's providers by the names that stand before the slash of `litellm_params.model`.

Source: LiteLLM's documentation, "Supported models & providers", and its list of providers.
"""

import re
from collections.abc import Mapping

from gateway.config.known import Known

CATALOG: Mapping[str, str] = {
    **dict.fromkeys(("azure", "azure_text"), "azure"),
    **dict.fromkeys(("bedrock", "bedrock_converse"), "bedrock"),
    **dict.fromkeys(("vertex_ai", "vertex_ai_beta"), "vertex"),
    **dict.fromkeys(("cohere", "cohere_chat"), "cohere"),
    **dict.fromkeys(("ai21", "ai21_chat"), "ai21"),
    **dict.fromkeys(("openai", "text-completion-openai"), "openai"),
    "dashscope": "qwen",
    "fireworks_ai": "fireworks",
    "friendliai": "friendli",
    "nvidia_nim": "nvidia",
    "together_ai": "together",
    "zai": "zai",
    **{
        name: name
        for name in (
            "anthropic", "baseten", "cerebras", "chutes", "deepinfra", "deepseek", "gemini", "groq", "huggingface",
            "minimax", "mistral", "moonshot", "nebius", "novita", "openrouter", "ovhcloud", "sambanova", "scaleway",
            "voyage", "xai",
        )
    },
}  # fmt: skip
"""Providers of our catalog."""

OWN_SERVERS = frozenset({
    "azure_ai", "custom_openai", "docker_model_runner", "hosted_vllm", "infinity", "lemonade", "litellm_proxy",
    "llamafile", "lm_studio", "ollama", "ollama_chat", "openai_like", "vllm", "xinference",
})  # fmt: skip
"""Servers that speak OpenAI's format at an address that the configuration says."""

ADDRESSES: Mapping[str, str] = {
    "featherless_ai": "https://api.featherless.ai/v1",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "lambda_ai": "https://api.lambda.ai/v1",
    "nscale": "https://inference.api.nscale.com/v1",
    "ollama": "http://localhost:11434/v1",
    "ollama_chat": "http://localhost:11434/v1",
    "perplexity": "https://api.perplexity.ai",
    "vercel_ai_gateway": "https://ai-gateway.vercel.sh/v1",
}
"""Where those speak OpenAI's format that are no providers of our catalog."""

KEY_VARIABLES: Mapping[str, str] = {
    "azure": "AZURE_API_KEY",
    "azure_ai": "AZURE_AI_API_KEY",
    "fireworks_ai": "FIREWORKS_AI_API_KEY",
    "huggingface": "HUGGINGFACE_API_KEY",
    "nvidia_nim": "NVIDIA_NIM_API_KEY",
    "perplexity": "PERPLEXITYAI_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
}
"""Variables that LiteLLM reads where no key is given and our catalog reads another."""

_AWS_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_BEDROCK_APIS = frozenset({"converse", "converse_like", "invoke", "anthropic", "nova", "llama", "mantle"})
_GUESSES = (
    (re.compile(r"(?:gpt|o[1-9]|chatgpt|text-embedding|dall-e|whisper|tts)\b", re.IGNORECASE), "openai"),
    (re.compile(r"claude", re.IGNORECASE), "anthropic"),
    (re.compile(r"gemini", re.IGNORECASE), "vertex_ai"),
    (re.compile(r"(?:command|embed-|rerank)", re.IGNORECASE), "cohere"),
)


def bedrock_model(upstream: str) -> tuple[str | None, str]:
    """The region and the model id of `bedrock/[converse/][REGION/]MODEL`."""
    parts = upstream.split("/")
    region = None
    while len(parts) > 1 and not parts[0].startswith("arn:"):
        if _AWS_REGION.fullmatch(parts[0]):
            region = parts[0]
        elif parts[0] not in _BEDROCK_APIS:
            break
        parts = parts[1:]
    return region, "/".join(parts)


def split(model: str, custom: str | None, known: Known) -> tuple[str | None, str]:
    """LiteLLM's provider and the model there; None where it cannot be told."""
    head, slash, tail = model.partition("/")
    if custom is not None:
        return custom, tail if slash and head == custom else model
    if slash and (head in CATALOG or head in OWN_SERVERS or head in ADDRESSES):
        return head, tail
    for pattern, provider in _GUESSES:
        if pattern.match(model):
            return provider, model
    for provider in ("openai", "anthropic", "mistral", "deepseek", "xai", "cohere"):
        if any(model in (row.endpoint.model, row.endpoint.upstream_id) for row in known.models_of(provider)):
            return provider, model
    return (None, model) if not slash else (head, tail)
