"""docs/router-quality.md, written from results alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.router.evaluate import Row

HEAD = """# How good the learned classifier is

This page is written by `make evaluate-router WRITE=docs/router-quality.md`; nothing in the table is typed by hand.

The question: of two models, which prompts need the stronger one? The figures are RouteLLM's (arXiv 2406.18665):

- **CPT50**, **CPT80**: the share of calls to the stronger model, in per cent, at which 50 and 80 % of the quality gap
  are won back. Lower is better; a coin has 50 and 80.
- **APGR**: the mean share of the gap that is won back, over all shares of calls. A coin has 0.5. In brackets its 95 %
  interval, by resampling the prompts a thousand times.

`make evaluate-router EVAL=FILE.parquet` measures prompts that nobody here trained on: it trains on the gold prompts
of `routellm_mmlu` alone.

"""

TAIL = """
## What it says

- Trained on judged prompts of one's own kind, it tells well above chance which prompts need the stronger model. Most of
  that is topic: prompts of one subject tend to need it alike.
- Trained on other data sets it is near a coin. **Nothing transfers that could be relied on**, so what is shipped is a
  cold start: without a certificate from a team's own judged pairs it never sends a request below the tier that the
  rules ask for.
- RouteLLM's published best on MMLU is an APGR of 0.603, with about as many gold prompts from the same
  distribution. That comparison holds for MMLU with labels of its own kind and for nothing else: templated subjects
  give a large part of it, here as there.
- Labels of one run, right or wrong, are noisy; no router can win back all of the gap.
"""


def table(rows: Sequence[Row]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| asked | prompts | trained on | router | weak / strong | CPT50 | CPT80 | APGR |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        one = row.result
        low, high = one.interval
        lines.append(
            f"| {row.asked} | {one.prompts:,} | {row.trained_on} | {row.router} | {one.weak:.3f} / {one.strong:.3f} "
            f"| {one.cpt50:.1f} | {one.cpt80:.1f} | {one.apgr:.3f} [{low:.3f}, {high:.3f}] |"
        )
    return "\n".join(lines)


def page(rows: Sequence[Row]) -> str:
    return f"{HEAD}{table(rows)}\n{TAIL}"
