"""Logs of decisions as files, for the commands that read them."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """The rows as JSON lines, gzipped where the name says so."""
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def a_row(number: int, **changes: Any) -> dict[str, Any]:
    """A record of a small request that the large model answered."""
    candidate = {"endpoint": "here/l", "eligible": True, "reasons": [], "estimated_cost": 0.0081}
    return {
        "id": f"{number:016x}", "time": "2026-11-25T12:00:00.000Z", "route": "default", "surface": "chat",
        "model": "auto", "task": "chat", "tier_required": "large", "estimated_input_tokens": 10, "plan": ["here/l"],
        "candidates": [candidate], "excluded": {"tier": 1}, "endpoint": "here/l", "outcome": "ok",
        "attempts": [{"endpoint": "here/l", "outcome": "ok", "cost_usd": 0.009, "ttft_ms": 12.0}],
        "usage": {"input": 100, "cached_input": 0, "cache_write": 0, "output": 200, "reasoning": 0},
        "cost_usd": 0.009, "baseline": "here/l", "saved_usd": 0.0, **changes,
    }  # fmt: skip
