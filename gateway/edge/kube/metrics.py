"""What Prometheus reads of a reflector, in the gateway and in the monitor alike."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.edge.kube.reflector import Tally


def of_tally(tally: Tally) -> Iterator[Metric]:
    """The families of one reflector."""
    yield GaugeMetricFamily("pointsman_kube_api_up", "1: the Kubernetes API answered when last asked.", value=tally.up)
    lists = CounterMetricFamily("pointsman_kube_list", "Lists asked of the Kubernetes API.")
    lists.add_metric((), tally.lists)
    yield lists
    restarts = CounterMetricFamily(
        "pointsman_kube_watch_restarts", "Watches of the Kubernetes API taken up again, by why.", labels=("reason",)
    )
    for why, count in tally.restarts.items():
        restarts.add_metric((why,), count)
    yield restarts
