"""The rows of clouds that serve other makers' models at addresses of the customer's own: Bedrock, Vertex AI, Azure.

A model that its maker sells too has the maker's facts and the cloud's price; the rest is read from the data sets. Of a
Bedrock model's inference profiles the global one is taken, since it can be asked from every region; else that of the
United States, where a model is first. An operator who must stay in a region names its profile in the configuration.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from catalog import prices
from catalog.naming import base_model, model_name
from catalog.providers import ProviderRow
from catalog.quality import Figures
from catalog.rows import limits_and_caps
from catalog.sources import Sources

Json = dict[str, Any]

CLOUDS = (
    ProviderRow(
        "bedrock",
        "Amazon Bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        "AWS_BEARER_TOKEN_BEDROCK",
        "amazon-bedrock",
        api="bedrock",
        places={"region": ("AWS_REGION", "AWS_DEFAULT_REGION")},
    ),
    ProviderRow(
        "vertex",
        "Google Vertex AI",
        "https://{vertex_host}/v1/projects/{project}/locations/{region}",
        "GOOGLE_APPLICATION_CREDENTIALS_JSON",
        "google-vertex",
        api="vertex-gemini",
        places={
            "project": ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID"),
            "region": ("GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION"),
        },
    ),
    ProviderRow(
        "azure",
        "Azure OpenAI",
        "https://{resource}.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY",
        "azure",
        api="azure-openai",
        also_speaks=("azure-responses",),
        quirks=("max_completion_tokens",),
        places={"resource": ("AZURE_RESOURCE_NAME",)},
    ),
)
_GEO = re.compile(r"^(global|us|eu|apac|au|jp|ca)\.")
_GEOS = ("global.", "", "us.")  # which profile is taken: a bare id, where there are others, cannot be asked on demand
_VERSION = re.compile(r"-v?\d+:\d+$")
_SNAPSHOT = re.compile(r"(?:-|@)(?:20\d{6}|default|v1)$")
# Not by Converse: AWS serves these at another host, in OpenAI's format; or no chat models.
_ELSEWHERE = re.compile(r"^(?:openai\.gpt-\d|xai\.|mistral\.voxtral)|safeguard")
_NAMES = {
    "llama3-1-70b-instruct": "llama-3.1-70b-instruct",
    "llama3-1-8b-instruct": "llama-3.1-8b-instruct",
    "llama3-3-70b-instruct": "llama-3.3-70b-instruct",
    "llama4-maverick-17b-instruct": "llama-4-maverick-17b-128e-instruct",
    "llama4-scout-17b-instruct": "llama-4-scout-17b-16e-instruct",
    "mistral-large-3-675b-instruct": "mistral-large-2512",
    "r1": "deepseek-r1",
    "v3": "deepseek-v3.1",  # AWS: "DeepSeek-V3.1" is deepseek.v3-v1:0
    "v3.2": "deepseek-v3.2",
}
_LITELLM_PREFIX = {"azure": "azure/", "google-vertex-anthropic": "vertex_ai/"}
_MAKERS_FACTS = ("base_model", "operation", "context", "max_output", "dimensions", "caps", "quirks", "quality")


class Clouds:
    """Compiles the clouds' rows; `makers` are the rows of whoever sells models of its own, by provider."""

    def __init__(self, sources: Sources, figures: Figures, makers: Mapping[str, Iterable[Json]]) -> None:
        self._sources, self._figures = sources, figures
        self._makers = {provider: {row["id"]: row for row in rows} for provider, rows in makers.items()}

    def rows(self) -> dict[str, list[Json]]:
        """Rows by provider, by name."""
        found = {"bedrock": self._bedrock(), "vertex": self._vertex(), "azure": self._azure()}
        return {provider: sorted(rows, key=lambda row: row["id"]) for provider, rows in found.items()}

    def _bedrock(self) -> list[Json]:
        known = self._sources.models_dev["amazon-bedrock"]
        rows: dict[str, Json] = {}
        for bare in sorted({_GEO.sub("", upstream_id) for upstream_id in known}):
            if _ELSEWHERE.search(bare):
                continue
            profiles = [geo + bare for geo in _GEOS if geo + bare in known]
            if f"global.{bare}" not in known and f"us.{bare}" in known:
                profiles.reverse()
            if not profiles:
                continue
            name = _bedrock_name(bare)
            row = self._row(name, profiles[0], "amazon-bedrock", "anthropic")
            if row is not None and bare.startswith("anthropic."):
                row["api"] = "bedrock-anthropic"
            if row is not None and (name not in rows or len(bare) > len(rows[name]["upstream_id"])):
                rows[name] = row
        return list(rows.values())

    def _vertex(self) -> list[Json]:
        found: list[Json | None] = []
        for upstream_id in self._sources.models_dev["google-vertex-anthropic"]:
            name = _SNAPSHOT.sub("", upstream_id)
            if name in self._makers["anthropic"]:
                row = self._row(name, upstream_id, "google-vertex-anthropic", "anthropic")
                found.append(row and {**row, "api": "vertex-anthropic"})
        shared = self._sources.models_dev["google-vertex"].keys() & self._makers["gemini"].keys()
        chats = [name for name in shared if "operation" not in self._makers["gemini"][name]]
        found += [self._row(name, name, "google-vertex", "gemini") for name in chats]
        return [row for row in found if row is not None]

    def _azure(self) -> list[Json]:
        """Deployments are named by the customer; the name of the model is what the portal proposes."""
        names = sorted(self._sources.models_dev["azure"].keys() & self._makers["openai"].keys())
        rows = [self._row(name, name, "azure", "openai") for name in names]
        kept = [row for row in rows if row is not None and "api" not in self._makers["openai"][row["id"]]]
        for row in kept:
            if "caps" in row:
                row["caps"] = [word for word in row["caps"] if word != "pdf"]  # Azure reads files by responses alone
        return kept

    def _row(self, name: str, upstream_id: str, cloud: str, maker: str) -> Json | None:
        """None without a price, and for what makes something else than text."""
        dev = self._sources.models_dev[cloud][upstream_id]
        price = self._price(upstream_id, cloud, dev)
        theirs = self._makers[maker].get(name)
        if price is None or (theirs is None and dev["output"] != ["text"]):
            return None
        row: Json = {"id": name, "upstream_id": upstream_id, "base_model": base_model(name)}
        if theirs is None:
            row |= limits_and_caps(CLOUDS[0], dev)
            row["quality"] = self._figures.quality(name)
        else:
            row |= {key: theirs[key] for key in _MAKERS_FACTS if key in theirs}
        row["price"] = price
        return {key: value for key, value in row.items() if value not in ({}, [])}

    def _price(self, upstream_id: str, cloud: str, dev: Mapping[str, Any]) -> Json | None:
        listed = self._sources.litellm.get(_LITELLM_PREFIX.get(cloud, "") + upstream_id, {})
        return prices.from_litellm(listed) or prices.from_models_dev(dev["prices"], f"models.dev {cloud}")


def _bedrock_name(bare: str) -> str:
    """What others call the model: without its maker's prefix, version and, for Claude, date."""
    maker, _, name = bare.partition(".")
    name = _VERSION.sub("", name)
    if maker == "anthropic":
        return _SNAPSHOT.sub("", name)
    return model_name("bedrock", _NAMES.get(name, name))
