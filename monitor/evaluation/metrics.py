"""Prometheus metrics of evaluation and certificates; read from what the keeper knows, never from the store.

On the replica alone that keeps certificates; elsewhere, and where nothing is evaluated, the families have no samples.
"""

from collections.abc import Callable, Iterator, Sequence

from gateway.core.certificate import Certificate
from gateway.edge.families import Family, Labels, Values, counter, gauge
from monitor.evaluation.certify import Series
from monitor.evaluation.keeper import NOTHING, Keeper
from monitor.evaluation.progress import Progress

OF = ("route", "task", "step")


def families(keeper: Keeper | None) -> Iterator[Family]:
    """All of them, in any case."""
    kept = NOTHING if keeper is None else keeper.kept
    series = [] if keeper is None else list(keeper.series())
    yield from _certificates(series, frozenset() if keeper is None else frozenset(keeper.in_force()))
    yield counter(
        "pointsman_certificate_alarms",
        "Certificates that were withdrawn, since pairs judged after them lost more than was promised. Worry at each: "
        "these requests have gone to the dearer tier again since.",
        ("route", "task"),
        [((one.route, one.task or ""), one.alarms) for one in kept.state.series],
    )
    yield gauge(
        "pointsman_certificate_alarm_timestamp_seconds",
        "When the latest of these alarms was, Unix time. Worry where it was today.",
        ("route", "task"),
        {(one.certificate.route, one.certificate.task or ""): one.time_s for one in kept.state.alarms},
    )
    yield gauge(
        "pointsman_evaluation_pairs",
        "Pairs of answers by how far they are. Worry where waiting grows (no money for second answers) or unjudged "
        "does (nobody judges).",
        ("route", "state"),
        _pairs(kept.progress),
    )
    yield counter(
        "pointsman_evaluation_spend_usd",
        "What second answers and judgements have cost since midnight UTC, when it begins at 0 again, USD.",
        ("route",),
        [((route,), usd) for route, usd in kept.spent_usd.items()],
    )
    yield counter(
        "pointsman_certifier_failures",
        "Rounds in which the store of evaluations could not be asked. Worry where it keeps rising: no drift is seen "
        "meanwhile.",
        (),
        [] if keeper is None else [((), keeper.failures)],
    )


def _certificates(series: list[Series], published: frozenset[Certificate]) -> Iterator[Family]:
    found = [one.certificate for one in series if one.certificate is not None]

    def values(of: Callable[[Certificate], float]) -> Values:
        return {_labels(one): of(one) for one in found}

    yield gauge(
        "pointsman_certificate_published",
        "1: the gateways go by the certificate; 0: it waits for a person, since the route says `auto: false`, or it "
        "has run out.",
        OF,
        values(lambda one: one in published),
    )
    yield gauge("pointsman_certificate_threshold", "Score below which requests go a tier lower.", OF,
                values(lambda one: one.threshold))  # fmt: skip
    yield gauge("pointsman_certificate_share", "Share of these requests that go a tier lower, 0 to 1, as judged.", OF,
                values(lambda one: one.share))  # fmt: skip
    yield gauge(
        "pointsman_certificate_loss",
        "What is lost on average over all of these requests, -1 to 1, as judged when it was certified.",
        OF,
        values(lambda one: one.loss),
    )
    yield gauge(
        "pointsman_certificate_watched_loss",
        "The same over the pairs that were judged since. The alarm goes off where it stays above what was promised.",
        OF,
        {
            _labels(one.certificate): one.watched_loss
            for one in series
            if one.certificate is not None and one.watched_loss is not None
        },
    )
    yield gauge("pointsman_certificate_max_loss", "What was promised: `max_loss` of the route.", OF,
                values(lambda one: one.alpha))  # fmt: skip
    yield gauge("pointsman_certificate_pairs", "Judged pairs that it rests on.", OF, values(lambda one: one.judged))
    yield gauge(
        "pointsman_certificate_until_timestamp_seconds",
        "When it ends, Unix time; it is put off with every 20 pairs that are judged. Worry where it is a week ahead: "
        "nobody judges.",
        OF,
        values(lambda one: one.until_s),
    )


def _labels(one: Certificate) -> Labels:
    return one.route, one.task or "", str(one.step)


def _states(one: Progress) -> Iterator[tuple[str, int]]:
    yield "waiting", one.waiting
    yield "given_up", one.given_up
    yield "unjudged", one.complete - one.by_people - one.by_model - one.same
    yield "people", one.by_people
    yield "model", one.by_model
    yield "same", one.same


def _pairs(progress: Sequence[Progress]) -> Values:
    found: dict[Labels, float] = {}
    for one in progress:
        for state, number in _states(one):
            found[one.route, state] = found.get((one.route, state), 0) + number
    return found
