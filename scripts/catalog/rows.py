"""The rows of one provider: which models it has, what they can do, what they cost."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from catalog import prices
from catalog.naming import base_model, model_name
from catalog.providers import ProviderRow
from catalog.quality import Figures
from catalog.sources import Sources

Json = dict[str, Any]

# Not chat models, or not ones to route by: other media, safety classifiers, agents with tools of their own, role play,
# previews for one purpose, moving aliases of aggregators; and whatever is free or cheap in exchange for the traffic.
_EXCLUDED = re.compile(
    r"image|tts|audio|realtime|live|transcri|whisper|moderation|guard|safety|safeguard|rerank|ocr|deep-research"
    r"|search|computer-use|robotics|lyria|veo|imagen|nano-banana|omni|prompt-guard|orpheus|compound|multi-agent|translat|-mt-"
    r"|ui-tars|character|uncensored|role|lunaris|euryale|stheno|mythomax|magnum|weaver|remm|unslop|rocinante|cydonia"
    r"|skyfall|wizardlm|free|contributor|fusion|cyber|daybreak|rosalind|law$|codex-spark|dolphin|venice|hermes-2|paligemma"
    r"|esm|flux|cosmos|voxtral|gliner|parse|nemoretriever|usdcode|bevformer|heretic|aion|perceptron|relace|morph|experimental"
    r"|vision-preview|customtools|learnlm|exp-1|gemini-gemma|^ft:|^~|^openrouter/|-mtp|autoglm|paddle|prover|baichuan"
    r"|muse-spark|together-ai-|sarvam|mythos|edit|decide|gv2|fim|vibe|leanstral|labs-|allam|aya|llava|mamba|ernie-4.5|:"
    r"|streampetr|studiovoice|usdvalidate|synthetic|speaker|voicechat|sparsedrive|-us$|-spot$|@|basic$|-ultra(fast)?$|asr"
    r"|jamba-1|jamba-.*-1\.6|grok-.*(beta|-0309|-latest|0825|reasoning)|^anthropic/claude.*@|qwen-.*-20\d\d|-coder-.*-2025"
)
_RESOLD = {"deepinfra": re.compile(r"^(anthropic|google/gemini)")}  # under their makers' data terms, not the host's
_EMBEDDINGS = re.compile(r"embed|^bge|/bge|e5-")
_TRAINS = re.compile(r"free|contributor")  # ids whose traffic the seller may train on
_MODES = ("chat", "responses", "embedding")  # of LiteLLM
_SECOND_GEMINI = re.compile(r"gemini-[12](?![0-9])")
_EFFORTS = ("none", "minimal", "low")


class Compiler:
    """Compiles rows as of one day."""

    def __init__(self, sources: Sources, figures: Figures, as_of: date) -> None:
        self._sources, self._figures, self._as_of = sources, figures, as_of

    def rows(self, provider: ProviderRow) -> list[Json]:
        """Rows of the provider's models, by model name; one row per name."""
        found: dict[str, Json] = {}
        for upstream_id in sorted(self._ids(provider)):
            row = self._row(provider, upstream_id)
            if row is not None:
                known = found.get(row["id"])
                if known is None or _better(row, known):
                    found[row["id"]] = row
        return [found[name] for name in sorted(found)]

    def _ids(self, provider: ProviderRow) -> set[str]:
        ids = set(self._sources.models_dev.get(provider.models_dev or "", {}))
        for key, row in self._sources.litellm.items():
            mine = row.get("litellm_provider") in (provider.litellm, *provider.litellm_also)
            if not mine or row.get("mode") not in _MODES or not row.get("max_input_tokens"):
                continue
            name = key.removeprefix(provider.litellm_prefix).removeprefix(f"{provider.id}/")
            dated = self._sources.model_prices["prices"].get(provider.model_prices or "", {})
            if row.get("source") or name in dated or provider.models_dev is None:
                ids.add(name)
        if provider.id == "openai":  # it has models of many more kinds
            ids = {name for name in ids if self._litellm(provider, name).get("mode") in _MODES}
        if provider.id == "fireworks":  # LiteLLM also lists short forms, which are its own
            ids = {name for name in ids if name.startswith("accounts/")}
        resold = _RESOLD.get(provider.id)
        return {
            name
            for name in ids
            if (not _EXCLUDED.search(name.lower()) or _is_embedding(name)) and not (resold and resold.search(name))
        }

    def _row(self, provider: ProviderRow, upstream_id: str) -> Json | None:
        dev = self._sources.models_dev.get(provider.models_dev or "", {}).get(upstream_id, {})
        lite = self._litellm(provider, upstream_id)
        embeds = _is_embedding(upstream_id) or lite.get("mode") == "embedding"
        if dev and not embeds and dev["output"] != ["text"]:
            return None
        price = self._price(provider, upstream_id, dev, lite)
        if (price is None and provider.first_party) or (embeds and _TRAINS.search(upstream_id)):
            return None
        name = model_name(provider.id, upstream_id)
        row: Json = {"id": name, "upstream_id": upstream_id, "base_model": base_model(name)}
        if embeds:
            row["operation"] = "embeddings"
        if lite.get("mode") == "responses" and provider.api != "responses":
            row["api"] = "responses"  # has no chat completions
        row.update(_limits(dev, lite, embeds=embeds))
        if not embeds:
            row["caps"] = _caps(provider, dev, lite)
            row["quirks"] = _quirks(provider, upstream_id, lite)
            row["quality"] = self._figures.quality(name)
        row.update(self._end(provider, upstream_id, dev, lite))
        row["price"] = price
        return {key: value for key, value in row.items() if value not in ({}, [])}

    def _litellm(self, provider: ProviderRow, upstream_id: str) -> Mapping[str, Any]:
        if provider.litellm is None:
            return {}
        for key in (f"{provider.litellm_prefix}{upstream_id}", upstream_id, f"{provider.id}/{upstream_id}"):
            row = self._sources.litellm.get(key, {})
            if row.get("litellm_provider") in (provider.litellm, *provider.litellm_also):
                return row
        return {}

    def _price(
        self, provider: ProviderRow, upstream_id: str, dev: Mapping[str, Any], lite: Mapping[str, Any]
    ) -> Json | None:
        snapshot = self._sources.model_prices
        dated = snapshot["prices"].get(provider.model_prices or "", {}).get(upstream_id, {})
        hours = [rule for rule in snapshot["schedules"]["schedule"] if rule["provider"] == provider.model_prices]
        listed = prices.from_dated(dated.get("standard"), self._as_of.isoformat())
        if listed is not None and hours and (provider.id == "deepseek" or "flash-0731" in upstream_id):
            return prices.with_hours(listed, upstream_id, hours)
        found = prices.from_litellm(lite) or listed
        if found is None and dev:
            found = prices.from_models_dev(dev["prices"], f"models.dev {provider.models_dev}")
        return found

    def _end(self, provider: ProviderRow, upstream_id: str, dev: Mapping[str, Any], lite: Mapping[str, Any]) -> Json:
        """Whether the model is deprecated on the day of compilation, and the day on which it ends, where known."""
        status = self._sources.model_prices["status"].get(provider.model_prices or "", {}).get(upstream_id)
        ends = lite.get("deprecation_date")
        over = ends is not None and ends <= self._as_of.isoformat()
        end: Json = {"deprecated": True} if over or status or dev.get("status") == "deprecated" else {}
        return {**end, "retires": ends} if ends else end


def curated(rows: Mapping[str, list[Json]], hosts: set[str]) -> dict[str, list[Json]]:
    """Of hosts, only models that are not retired and that have a figure or are offered by somebody else too."""
    offers: dict[str, set[str]] = {}
    for provider_id, models in rows.items():
        for row in models:
            offers.setdefault(row["base_model"], set()).add(provider_id)

    def kept(row: Json) -> bool:
        wanted = "quality" in row or "operation" in row or len(offers[row["base_model"]]) > 1
        return wanted and "deprecated" not in row

    return {
        provider_id: [row for row in models if kept(row)] if provider_id in hosts else models
        for provider_id, models in rows.items()
    }


def _is_embedding(name: str) -> bool:
    return bool(_EMBEDDINGS.search(name.lower())) and "rerank" not in name


def _better(row: Json, known: Json) -> bool:
    """Of two ids of one model at one provider: the one that is not deprecated, then the priced, then the shorter."""

    def rank(entry: Json) -> tuple[bool, bool, int]:
        return ("deprecated" in entry, entry.get("price") is None, len(entry["upstream_id"]))

    return rank(row) < rank(known)


def _limits(dev: Mapping[str, Any], lite: Mapping[str, Any], *, embeds: bool) -> Json:
    context = dev.get("limit_context") or lite.get("max_input_tokens")
    limits: Json = {"context": int(context)} if context else {}
    if embeds:
        size = lite.get("output_vector_size")
        return {**limits, "dimensions": int(size)} if size else limits
    output = dev.get("limit_output") or lite.get("max_output_tokens")
    if output and not (context and int(output) > int(context)):
        limits["max_output"] = int(output)
    return limits


def limits_and_caps(provider: ProviderRow, dev: Mapping[str, Any]) -> Json:
    """What models.dev says a chat model can do."""
    return {**_limits(dev, {}, embeds=False), "caps": _caps(provider, dev, {})}


def _caps(provider: ProviderRow, dev: Mapping[str, Any], lite: Mapping[str, Any]) -> list[str]:
    """Words of `gateway.core.catalog`; each needs a positive statement of a data set."""
    reads = set(dev.get("input", []))
    claims = {
        "tools": dev.get("tool_call") or lite.get("supports_function_calling"),
        "json_schema": dev.get("structured_output") or lite.get("supports_response_schema"),
        "vision": "image" in reads or lite.get("supports_vision"),
        "audio": "audio" in reads or lite.get("supports_audio_input"),
        "pdf": "pdf" in reads or lite.get("supports_pdf_input"),
        "reasoning": dev.get("reasoning") or lite.get("supports_reasoning"),
    }
    return sorted(name for name, claimed in claims.items() if claimed)


def _quirks(provider: ProviderRow, upstream_id: str, lite: Mapping[str, Any]) -> list[str]:
    quirks: set[str] = set()
    reasons = bool(lite.get("supports_reasoning"))
    if provider.id == "openai" and reasons:
        quirks.add("no_sampling")  # OpenAI API reference: reasoning models refuse temperature and its like
    if provider.id == "gemini" and _SECOND_GEMINI.search(upstream_id):
        quirks.add("second_generation")  # Gemini API: schemas beside tools and media in results came with the third
    if lite.get("supports_sampling_params") is False:
        quirks.add("no_sampling")
    if reasons:
        quirks |= {f"reasoning_{effort}" for effort in _EFFORTS if lite.get(f"supports_{effort}_reasoning_effort")}
    return sorted(quirks)
