"""`make dashboards`: dashboards, recording rules and alerts, from their code to the files that the chart ships.

python -m scripts.observability.made            # write them
python -m scripts.observability.made --check    # write nothing; exit status 1 where something is out of date
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.observability import alerts, rules
from scripts.observability.internals import INTERNALS
from scripts.observability.overview import OVERVIEW
from scripts.observability.panels import built
from scripts.observability.providers import PROVIDERS
from scripts.observability.routing import ROUTING

Json = Any  # a value made of JSON's types

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy" / "helm" / "pointsman" / "files"
DASHBOARDS = (OVERVIEW, PROVIDERS, ROUTING, INTERNALS)
HEAD = (
    "# Made by `make dashboards` from scripts/observability. Plain Prometheus rules: name this file in `rule_files`.\n"
)


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines are written as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dashboard_json(dashboard: Any) -> str:
    return json.dumps(built(dashboard), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def rules_yaml(groups: list[Json]) -> str:
    return HEAD + yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=2000, allow_unicode=True)


def files() -> dict[Path, str]:
    """Every file that is made, with its text."""
    made = {
        FILES / "dashboards" / f"{one.uid.removeprefix('pointsman-')}.json": dashboard_json(one) for one in DASHBOARDS
    }
    return made | {
        FILES / "rules" / "alerts.yaml": rules_yaml(alerts.groups()),
        FILES / "rules" / "recording.yaml": rules_yaml(rules.groups()),
    }


def stale(made: dict[Path, str]) -> list[Path]:
    """What in the tree is not as it would be made, or would not be made at all."""
    there = {*(FILES / "dashboards").glob("*"), *(FILES / "rules").glob("*")}
    return sorted(
        path for path in there | made.keys() if path not in made or not path.exists() or path.read_text() != made[path]
    )


def main(arguments: list[str]) -> int:
    made = files()
    found = stale(made)
    for path in found:
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            print(f"{name} is out of date: run `make dashboards`", file=sys.stderr)
        elif path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path])
            print(name)
        else:
            path.unlink()
            print(f"{name} removed")
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
