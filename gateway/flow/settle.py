"""From a finished run to its record: usage, cost, and what was saved against the baseline."""

from collections.abc import Mapping
from hashlib import blake2b

from gateway.core.decision import Decision
from gateway.core.pricing import Price, known_cost_usd
from gateway.flow.keep import keeps_texts
from gateway.flow.run import Run


class Settler:
    """Makes records in one configuration."""

    def __init__(self, prices: Mapping[str, Price | None], tiers: tuple[str, ...]) -> None:
        self._prices = prices
        self._tiers = tiers

    def settle(self, run: Run, now_s: float) -> Decision:
        """The record of `run`, which ended now."""
        request, ask = run.request, run.request.ask
        baseline_usd = self._baseline_usd(run)
        saved_usd = None if baseline_usd is None or run.cost_usd is None else baseline_usd - run.cost_usd
        prompt_hash = blake2b(ask.survey.prompt.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        endpoint, provider = (run.endpoint, run.provider) if run.committed else (None, None)
        return Decision(
            id=request.id,
            time_s=request.moment.epoch_s,
            surface=str(ask.surface),
            model=ask.model,
            stream=ask.stream,
            key_id=request.client.key_id,
            tags=request.extras.tags,
            considered=run.considered,
            tiers=self._tiers,
            prompt_hash=prompt_hash,
            prompt_chars=ask.survey.chars,
            attempts=tuple(run.rows),
            endpoint=endpoint,
            provider=provider,
            status=run.status,
            outcome=run.outcome,
            error=run.error,
            usage=run.usage,
            cost_usd=run.cost_usd,
            baseline_cost_usd=baseline_usd,
            saved_usd=saved_usd,
            latency_ms=run.ms_since_start(now_s),
            ttft_ms=run.ttft_ms,
            response_hash=run.text_digest,
            dropped=run.dropped,
            texts=self._texts(run),
            trace=request.trace,
            format_ok=run.format_ok,
        )

    def _baseline_usd(self, run: Run) -> float | None:
        """What the same usage would have cost at the baseline; None where nothing was delivered."""
        considered = run.considered
        if considered is None or considered.baseline is None or run.usage is None or not run.committed:
            return None
        price = self._prices.get(considered.baseline)
        return None if price is None else known_cost_usd(price, run.usage, run.request.moment.epoch_s)

    def _texts(self, run: Run) -> Mapping[str, object] | None:
        """Prompt and answer, only where they may be kept."""
        if run.considered is None or not keeps_texts(run.considered):
            return None
        return {"request": run.request.ask.body, "response": run.answer.decode("utf-8", "replace") or None}
