"""A catalog of three providers and shorthands to load configurations against it."""

from datetime import date

from gateway.config.catalog_file import ModelRow, PackagedCatalog, ProviderRow
from gateway.config.compile import Compiled
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config, load_defaults
from gateway.config.problems import ConfigError
from gateway.core.catalog import Endpoint, KeyRef, Privacy, Provider
from gateway.core.pricing import Price, Rates

TODAY = date(2026, 11, 25)
OPENAI_PRIVACY = Privacy(trains_on_data=False, retention_days=30, source="their page", expires=date(2027, 2, 23))
GPT_4O_PRICE = Price(Rates(2.5, 10.0, cached_input=1.25), source="catalog")


def packaged() -> PackagedCatalog:
    """openai (two models, one without a price), deepseek, and gemini, whose wire format nobody here speaks."""
    openai = Provider(
        "openai", "openai", "https://api.openai.com/v1", KeyRef(env="OPENAI_API_KEY"), privacy=OPENAI_PRIVACY
    )
    deepseek = Provider("deepseek", "openai", "https://api.deepseek.com", KeyRef(env="DEEPSEEK_API_KEY"))
    gemini = Provider("gemini", "gemini", "https://gemini.example/v1", KeyRef(env="GEMINI_API_KEY"))
    return PackagedCatalog(
        as_of=date(2026, 11, 1),
        provider_rows={p.id: ProviderRow(p, p.id.title()) for p in (openai, deepseek, gemini)},
        model_rows={
            "openai": (
                ModelRow(
                    endpoint("openai", "gpt-4o", quirks=frozenset({"max_completion_tokens"})), GPT_4O_PRICE, "large"
                ),
                ModelRow(endpoint("openai", "gpt-mini"), None, "small", retires=TODAY),
            ),
            "deepseek": (ModelRow(endpoint("deepseek", "deepseek-chat"), Price(Rates(0.3, 0.4)), "medium"),),
            "gemini": (ModelRow(endpoint("gemini", "flash", "gemini"), None, "small"),),
        },
    )


def endpoint(provider: str, model: str, api: str = "openai", quirks: frozenset[str] = frozenset()) -> Endpoint:
    return Endpoint(
        id=f"{provider}/{model}",
        provider=provider,
        model=model,
        upstream_id=f"{model}-1",
        base_model=model,
        api=api,
        context=128_000,
        max_output=16_384,
        caps=frozenset({"tools"}),
        quirks=quirks,
    )


def known(*variables: str) -> Known:
    """A machine that has these environment variables, and the key files of no one."""
    return Known.of(packaged(), TODAY, ("openai", "anthropic"), lambda ref: ref.env in variables)


def load(text: str, *variables: str) -> Compiled:
    return load_config(ConfigText(text.encode()), known(*variables))


def defaults(*variables: str) -> Compiled:
    return load_defaults(known(*variables))


def problems(text: str, *variables: str) -> list[str]:
    """What is wrong with the file, one line each, without the file's name."""
    try:
        load(text, *variables)
    except ConfigError as error:
        return [str(problem).removeprefix("pointsman.yaml:") for problem in error.problems]
    return []


def warnings(text: str, *variables: str) -> list[str]:
    return [str(warning).removeprefix("pointsman.yaml:") for warning in load(text, *variables).warnings]
