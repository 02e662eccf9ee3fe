"""Why an attempt failed, as a value that an exception carries."""

from gateway.core.failure import AttemptError, Failure, FailureKind


def test_carries_its_failure_and_says_it_in_words() -> None:
    failure = Failure(FailureKind.RATE_LIMITED, "429: slow down", 429, retry_after_s=3.0)
    error = AttemptError(failure)
    assert (error.failure, str(error)) == (failure, "rate_limited: 429: slow down")
