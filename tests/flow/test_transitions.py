"""What the book counts for metrics: changes of breakers, and the horizons that still stand."""

from gateway.core.breaker import BreakerRules, State
from gateway.core.failure import Failure, FailureKind
from gateway.core.health import EndpointSnapshot, ShardSnapshot
from gateway.core.outcomes import Sample
from gateway.flow.health import HealthBook

NOW, EPOCH = 1_000.0, 1_764_000_000.0
CLOSED, HALF_OPEN, OPEN = State.CLOSED, State.HALF_OPEN, State.OPEN
PROVIDERS = {"a/m": "a", "a/n": "a", "b/m": "b"}
WELL = Sample(900.0, 250.0)
REFUSED = Failure(FailureKind.CREDENTIAL, "401: who are you?", 401)


def a_book() -> HealthBook:
    return HealthBook(PROVIDERS, BreakerRules(failures=1))


def failed(book: HealthBook, name: str, failure: Failure, now_s: float = NOW) -> None:
    book.failed(name, book.enter_anyway(name, now_s), failure, now_s)


def succeeded(book: HealthBook, name: str, now_s: float) -> None:
    ticket = book.enter(name, now_s)
    assert ticket is not None
    book.succeeded(name, ticket, WELL, now_s)


def test_counts_every_change_of_an_endpoints_breaker() -> None:
    book = a_book()
    for begin_s in (0, 100):
        failed(book, "a/m", Failure(FailureKind.SERVER_ERROR, "500"), NOW + begin_s)
        succeeded(book, "a/m", NOW + begin_s + 31)
    succeeded(book, "b/m", NOW)
    assert book.transitions == {
        ("a/m", CLOSED, OPEN): 2, ("a/m", OPEN, HALF_OPEN): 2, ("a/m", HALF_OPEN, CLOSED): 2,
    }  # fmt: skip


def test_counts_a_providers_change_for_each_of_its_endpoints() -> None:
    book = a_book()
    failed(book, "a/m", REFUSED)
    failed(book, "a/n", REFUSED)  # is known already
    assert book.transitions == {("a/m", CLOSED, OPEN): 1, ("a/n", CLOSED, OPEN): 1}
    succeeded(book, "a/n", NOW + 31)
    assert book.transitions == {
        (name, *change): 1
        for name in ("a/m", "a/n")
        for change in ((CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED))
    }


def test_goes_on_counting_after_a_reload() -> None:
    book = a_book()
    failed(book, "a/m", REFUSED)
    failed(book, "b/m", REFUSED)
    book.reconfigure({"a/m": "a", "a/n": "a"}, BreakerRules(failures=1))
    succeeded(book, "a/m", NOW + 31)
    assert book.transitions["a/m", CLOSED, OPEN] == 1
    assert book.transitions["a/m", HALF_OPEN, CLOSED] == 1
    assert book.transitions["b/m", CLOSED, OPEN] == 1


def test_tells_the_horizons_that_still_stand_whoever_heard_of_them() -> None:
    book = a_book()
    failed(book, "a/m", Failure(FailureKind.RATE_LIMITED, "429", 429, retry_after_s=20.0))
    entry = EndpointSnapshot(rate_limited_until_s=EPOCH + 60.0)
    book.publish(ShardSnapshot(0, 1, 1, "monitor", EPOCH, 30.0, {"b/m": entry}), NOW, EPOCH)
    assert book.horizons(NOW, EPOCH) == {"a/m": EPOCH + 20.0, "b/m": EPOCH + 60.0}
    assert book.horizons(NOW + 30, EPOCH + 30) == {"b/m": EPOCH + 60.0}
    assert book.horizons(NOW + 60, EPOCH + 60) == {}
