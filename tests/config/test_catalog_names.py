"""How `scripts/build_catalog.py` makes names of one model equal."""

import pytest

from scripts.catalog.naming import base_model, measured_as, model_name


@pytest.mark.parametrize(
    ("provider", "upstream_id", "name", "base"),
    [
        ("openai", "gpt-4o", "gpt-4o", "gpt-4o"),
        ("openrouter", "openai/gpt-4o", "gpt-4o", "gpt-4o"),
        ("openrouter", "anthropic/claude-opus-4.8", "claude-opus-4-8", "claude-opus-4-8"),
        ("groq", "llama-3.3-70b-versatile", "llama-3.3-70b-instruct", "llama-3.3-70b"),
        ("sambanova", "Meta-Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", "llama-3.3-70b"),
        ("ovhcloud", "meta-llama-3_3-70b-instruct", "llama-3.3-70b-instruct", "llama-3.3-70b"),
        ("fireworks", "accounts/fireworks/models/deepseek-v3p2", "deepseek-v3.2", "deepseek-v3.2"),
        ("together", "google/gemma-4-31B-it", "gemma-4-31b-it", "gemma-4-31b"),
        ("deepinfra", "openai/gpt-oss-120b-Turbo", "gpt-oss-120b-turbo", "gpt-oss-120b-turbo"),
        ("qwen", "qwen2-5-72b-instruct", "qwen2.5-72b-instruct", "qwen2.5-72b"),
        ("nvidia", "nvidia/nvidia-nemotron-nano-9b-v2", "nemotron-nano-9b-v2", "nemotron-nano-9b-v2"),
    ],
)
def test_names_a_model_alike_wherever_it_is_served(provider: str, upstream_id: str, name: str, base: str) -> None:
    assert (model_name(provider, upstream_id), base_model(name)) == (name, base)


def test_keeps_a_quantised_variant_and_a_snapshot_apart_but_lets_them_inherit_a_figure() -> None:
    assert measured_as("gpt-oss-120b-turbo") == ("gpt-oss-120b-turbo", "gpt-oss-120b")
    assert measured_as("gpt-4o-2024-11-20") == ("gpt-4o-2024-11-20", "gpt-4o")
    assert measured_as("llama-3.3-70b") == ("llama-3.3-70b",)
