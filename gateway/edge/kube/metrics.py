"""What Prometheus reads of a reflector, in the gateway and in the monitor alike."""

from collections.abc import Iterator

from gateway.edge.families import Family, counter, level
from gateway.edge.kube.reflector import Tally


def of_tally(tally: Tally | None) -> Iterator[Family]:
    """The families of one reflector; None: there is none outside a cluster."""
    yield level(
        "pointsman_kube_api_up",
        "1: the Kubernetes API answered when last asked; absent outside a cluster. Worry at 0 for minutes: what the "
        "monitor publishes does not arrive.",
        None if tally is None else tally.up,
    )
    yield counter(
        "pointsman_kube_list",
        "Lists asked of the Kubernetes API.",
        (),
        [] if tally is None else [((), tally.lists)],
    )
    yield counter(
        "pointsman_kube_watch_restarts",
        "Watches of the Kubernetes API taken up again. They end by themselves every few minutes; worry about more than "
        "one a minute.",
        ("reason",),
        [] if tally is None else [((why,), n) for why, n in tally.restarts.items()],
    )
