"""What other gateways call the providers of our catalog, where it is not the same."""

from collections.abc import Container, Mapping

PORTKEY_NAMES: Mapping[str, str] = {
    "azure-openai": "azure",
    "dashscope": "qwen",
    "fireworks-ai": "fireworks",
    "google": "gemini",
    "mistral-ai": "mistral",
    "novita-ai": "novita",
    "together-ai": "together",
    "vertex-ai": "vertex",
    "x-ai": "xai",
    "zhipu": "zai",
}
"""Source: the provider directories of Portkey's open gateway."""


def provider_named(name: str, providers: Container[str]) -> str | None:
    """The one of `providers` that Portkey's `provider`, `@slug` or virtual key means."""
    plain = name.strip().removeprefix("@")
    for one in (plain, PORTKEY_NAMES.get(plain)):
        if one is not None and one in providers:
            return one
    return None
