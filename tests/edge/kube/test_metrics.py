"""What Prometheus reads of a reflector."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from gateway.edge.kube.metrics import of_tally
from gateway.edge.kube.reflector import Tally


class Shown:
    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def collect(self) -> list[Metric]:
        return list(of_tally(self.tally))


def shown(tally: Tally) -> list[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Shown(tally))  # type: ignore[arg-type]  # all that is asked of a collector
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_shows_whether_the_api_answers_how_often_it_was_listed_and_why_watches_began_again() -> None:
    assert shown(Tally()) == ["pointsman_kube_api_up 0.0", "pointsman_kube_list_total 0.0"]
    assert shown(Tally(up=True, lists=3, restarts={"end": 7, "expired": 1})) == [
        "pointsman_kube_api_up 1.0",
        "pointsman_kube_list_total 3.0",
        'pointsman_kube_watch_restarts_total{reason="end"} 7.0',
        'pointsman_kube_watch_restarts_total{reason="expired"} 1.0',
    ]
