"""Why the gateway itself says no."""

from gateway.core.refusal import Refusal, RefusalKind, Refused


def test_carries_its_refusal_and_its_words() -> None:
    refusal = Refusal(RefusalKind.COST_LIMIT, "too dear")
    refused = Refused(refusal)
    assert (refused.refusal, str(refused), refusal.details) == (refusal, "too dear", {})
