"""Which wire formats an endpoint can be asked in."""

from dataclasses import replace
from types import MappingProxyType

from gateway.config.catalog_file import load_catalog
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from tests.support.configs import known, load, problems

OWN = "providers: {vllm: {api: openai, base_url: 'http://vllm:8000/v1', key: {none: true}, %s}}"


def spoken(text: str, among: Known | None = None) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = load(text) if among is None else load_config(ConfigText(text.encode(), "x.yaml"), among)
    return {name: (one.api, one.also_speaks) for name, one in found.policy.catalog.endpoints.items()}


def bilingual() -> Known:
    """A catalog whose OpenAI also speaks Anthropic's format."""
    usual = known()
    provider = replace(usual.providers["openai"], also_speaks=("anthropic",))
    models = {
        name: replace(row, endpoint=replace(row.endpoint, also_speaks=("anthropic",)))
        if row.endpoint.provider == "openai"
        else row
        for name, row in usual.models.items()
    }
    return replace(
        usual,
        providers=MappingProxyType({**usual.providers, "openai": provider}),
        models=MappingProxyType(models),
    )


def test_are_those_of_the_entry() -> None:
    text = OWN % "also_speaks: [anthropic], models: [{id: m}, {id: n, api: anthropic}, {id: o, api: openai}]"
    assert spoken(text) == {
        "vllm/m": ("openai", ("anthropic",)),
        "vllm/n": ("anthropic", ()),
        "vllm/o": ("openai", ("anthropic",)),
    }


def test_come_from_the_catalog_unless_the_entry_says_otherwise() -> None:
    assert spoken("providers: {openai: {only: [gpt-4o]}}", bilingual()) == {"openai/gpt-4o": ("openai", ("anthropic",))}
    assert spoken("providers: {openai: {only: [gpt-4o], also_speaks: []}}", bilingual()) == {
        "openai/gpt-4o": ("openai", ())
    }
    assert spoken("providers: {openai: {only: [gpt-4o], api: anthropic}}", bilingual()) == {
        "openai/gpt-4o": ("anthropic", ())
    }


def test_must_be_known() -> None:
    text = OWN % "also_speaks: [openai, reponses], models: [{id: m, api: antropic}]"
    assert problems(text) == [
        '1: providers.vllm.also_speaks[1]: "reponses" is not a wire format of this version; valid: openai, anthropic',
        '1: providers.vllm.models[0].api: "antropic" is not a wire format of this version; '
        "valid: openai, anthropic (did you mean \"anthropic\"?)",
    ]


def test_of_the_packaged_catalog() -> None:
    found = {
        row.endpoint.id: (row.endpoint.api, row.endpoint.also_speaks)
        for rows in load_catalog(None).model_rows.values()
        for row in rows
    }
    assert found["openai/gpt-4o"] == ("openai", ("responses",))
    assert found["openai/gpt-5-codex"] == ("responses", ())  # has no chat completions
    assert found["anthropic/claude-opus-4-8"] == ("anthropic", ())
