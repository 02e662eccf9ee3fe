"""The page about compatibility, made of the results that a run left as JSON and of the replay of recorded traffic."""

import json
import re
from pathlib import Path
from typing import Any

from tests.clients.support.environments import PACKAGES, lock_of
from tests.clients.support.matrix import FEATURES
from tests.clients.support.recorded_page import recorded, table

Json = Any  # a parsed JSON value
# client → (its packages, the lock that pins them)
PACKAGES_OF = {
    "openai-python": ("openai", "clients"), "anthropic-python": ("anthropic", "clients"),
    "langchain-openai": ("langchain-openai", "clients"), "langchain-anthropic": ("langchain-anthropic", "clients"),
    "pydantic-ai": ("pydantic-ai-slim", "clients"), "instructor": ("instructor", "aider"),
    "aider": ("aider-chat", "aider"), "llm": ("llm", "clients"), "openai-node": ("openai", "node"),
    "anthropic-typescript": ("@anthropic-ai/sdk", "node"), "AI SDK": ("ai", "node"),
    "Claude Code": ("@anthropic-ai/claude-code", "node"), "Codex": ("@openai/codex", "node"),
}  # fmt: skip
HEAD = """# Compatibility

What was proven by running it; written by a command, nothing on it is typed by hand:

```
make test-clients                                    # real clients against the gateway; results in .state/clients
python -m tests.clients --write docs/compatibility.md  # and this page
python -m tests.clients --page docs/compatibility.md   # this page alone, of the results that lie there
```

## Clients

Each client has only its base URL changed. Behind the gateway: the simulated providers in OpenAI's and in
Anthropic's wire format, and llama.cpp with random weights (plain and streamed answers, embeddings). A cell says
for how many backends and ways the values were right: texts, calls with their arguments, a filled schema,
vectors, the client's own kind of error; for *cancel* that the gateway saw the client leave. **by design**: as
it should be, for the reason below the table. Empty: no such feature, or not tried.

"""

def page(results: Path) -> str:
    cells = [cell for file in sorted(results.glob("cells-*.json")) for cell in json.loads(file.read_text())]
    others = [json.loads(file.read_text()) for file in sorted(results.glob("other-*.json"))]
    return HEAD + _matrix(cells) + _others(others) + recorded()


def _matrix(cells: list[Json]) -> str:
    rows = [["client", "version", *FEATURES], ["---"] * (2 + len(FEATURES))]
    notes: list[str] = []
    for client in sorted({cell["client"] for cell in cells}):
        mine = [cell for cell in cells if cell["client"] == client]
        rows.append([client, version(client), *(_shown(mine, feature, notes) for feature in FEATURES)])
    failed = sum(not cell["ok"] for cell in cells)
    total = f"\n{len(cells)} cells, {failed} failed.\n"
    return table(rows) + total + "".join(f"- {note}\n" for note in notes) + "\n"


def _shown(cells: list[Json], feature: str, notes: list[str]) -> str:
    mine = [cell for cell in cells if cell["feature"] == feature]
    if not mine:
        return ""
    good = sum(cell["ok"] for cell in mine)
    told = [f"{one['client']}, {feature}, {one['backend']}: {one['detail']}" for one in mine if one["detail"]]
    notes += [note.replace("\n", " ") for note in told]
    if good < len(mine):
        return f"FAILED {good}/{len(mine)}"
    return f"by design {good}/{good}" if told else f"pass {good}/{good}"


def _others(others: list[Json]) -> str:
    if not others:
        return ""
    rows = [["proof", "result"], ["---", "---"], *([one["proof"], one["result"]] for one in others)]
    return "## Standard suites and third parties' servers\n\n" + table(rows) + "\n"


def version(client: str) -> str:
    """The version that the lock file pins."""
    package, lock = PACKAGES_OF[client.partition(",")[0]]
    if lock == "node":
        locked = json.loads((PACKAGES / "package-lock.json").read_text())["packages"]
        return str(locked[f"node_modules/{package}"]["version"])
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock_of(lock).read_text(), re.MULTILINE)
    return found[1] if found else "?"
