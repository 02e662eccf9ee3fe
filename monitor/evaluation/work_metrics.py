"""Prometheus metrics of what is done for evaluation: halves that come in, and what the worker makes of them."""

from collections.abc import Iterator
from dataclasses import asdict

from gateway.edge.families import Family, counter
from monitor.evaluation.intake import Taken
from monitor.evaluation.worker import Done

Work = tuple[Taken, Done]


def work_families(work: Work | None) -> Iterator[Family]:
    """Both, in any case."""
    taken, done = (None, None) if work is None else work
    yield counter(
        "pointsman_evaluation_halves",
        "First halves of pairs that gateways handed over, and refused requests with such. Worry where refused rises "
        "(gateways of another version, or of another configuration) and where unauthorized does for longer than it "
        "takes to replace a token: gateways with another one or none, or somebody who wants to forge pairs.",
        ("result",),
        _by_result(taken),
    )
    yield counter(
        "pointsman_evaluation_work",
        "Second answers, judgements by a model and texts let go. Worry where failures or postponed keep rising: the "
        "log says once for each kind what is wrong; and where over_budget does: the budget of the day is too small.",
        ("result",),
        _by_result(done),
    )


def _by_result(counts: Taken | Done | None) -> list[tuple[tuple[str], int]]:
    return [] if counts is None else [((result,), number) for result, number in asdict(counts).items()]
