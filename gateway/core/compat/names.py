"""What other gateways call the providers of our catalog, and what we call what they match by."""

import re
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


_NO_HEADER = re.compile(r"[^A-Za-z0-9-]+")


def metadata_header(key: str) -> str | None:
    """The header that stands for a field of Portkey's metadata where routes are matched; None where there is none."""
    name = f"x-{_NO_HEADER.sub('-', key).strip('-').lower()}"
    return None if name == "x-" or name.startswith(("x-pointsman", "x-portkey")) else name[:100]


def provider_named(name: str, providers: Container[str]) -> str | None:
    """The one of `providers` that Portkey's `provider`, `@slug` or virtual key means."""
    plain = name.strip().removeprefix("@")
    for one in (plain, PORTKEY_NAMES.get(plain)):
        if one is not None and one in providers:
            return one
    return None
