"""The page's part about recorded traffic: counts, what may differ and why, costs beside ours."""

from collections.abc import Sequence

from tests.clients.support.conformance import Found, Normalised, found
from tests.support.recorded_costs import Charged

_ABSENT = "## Recorded traffic\n\nThe recordings are not on the machine that wrote this page.\n"
_HEAD = """\
## Recorded traffic

Exchanges with real providers, replayed as the upstream. Requests count for proof 2 where the format can say what was
asked in neutral terms; the others (tools that run at the provider, ids of stored files, …) only pass to endpoints of
the same format, which proof 1 shows. Answers of formats without a client surface of their own (gemini, bedrock, cohere)
cannot be encoded again; their texts, calls, signatures, finish and usage are compared on other surfaces.

"""
_CUTS = """
Proof 4 covers all {} byte boundaries of these streams. At each of them the framing is fed the event around it in
two pieces, and must give the same event and be in the same state; what is behind the framing sees whole events only.
Besides, each stream goes through the whole relay byte by byte, its first two events in two pieces at every boundary,
and the whole of it in two pieces at 16 places; that for clients of three surfaces (`tests/formats/test_cuts.py`).
"""
_NORMAL = """
### What may differ in proof 2

Each rule is applied to both sides before they are compared (`tests/support/normal*.py`); nothing else may differ. The
number is that of exchanges that would differ without the rule.

"""
_COSTS = """
### Costs

Only OpenRouter says in the recordings what it charged. It is read exactly, and recorded beside our own figure. Ours, by
the catalog's price, beside what it says the tokens alone cost: the rest of a charge is for its tools and plug-ins;
where many hosts sell a model at their own prices, the list names the cheapest. Everything else about costs is proven
by the simulated providers' bills (`tests/real/test_bills.py`).

"""


def recorded() -> str:
    proven = found()
    if proven is None:
        return _ABSENT
    return _counts(proven) + _normalised(proven.normalised) + _costs(proven.costs)


def table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _counts(proven: Found) -> str:
    rows = [["wire format", "proof", "exchanges", "unexplained failures"], ["---"] * 4]
    counts = sorted(proven.counts, key=lambda one: (one.api, one.proof))
    rows += [[one.api, one.proof, str(one.number), str(len(one.failures))] for one in counts]
    failures = [failure for one in counts for failure in one.failures]
    end = f"\nUnexplained failures: {len(failures)}.\n" + "".join(f"- {one}\n" for one in failures)
    return _HEAD + table(rows) + end + _CUTS.format(f"{proven.boundaries:,}")


def _normalised(rules: Sequence[Normalised]) -> str:
    rows = [["wire format", "of", "what", "why it is no difference", "exchanges"], ["---"] * 5]
    rows += [[one.api, one.side, one.rule.name, one.rule.why, str(one.number)] for one in rules]
    return _NORMAL + table(rows)


def _costs(costs: Sequence[Charged]) -> str:
    rows = [["model", "charged, USD", "read, USD", "its tokens, USD", "ours, USD", "difference"], ["---"] * 6]
    rows += [
        [one.model, _usd(one.told_usd), _usd(one.read_usd), _usd(one.tokens_usd), _usd(one.ours_usd), _difference(one)]
        for one in costs
    ]
    return _COSTS + table(rows)


def _usd(value: float | None) -> str:
    return "no price" if value is None else f"{value:.8f}".rstrip("0")


def _difference(one: Charged) -> str:
    if one.ours_usd is None:
        return ""
    return f"{(one.ours_usd / one.tokens_usd - 1) * 100:+.0f} %".replace("+0 %", "none").replace("-0 %", "none")
