"""Which pods are asked what they saw."""

from collections.abc import Sequence
from typing import Any

from gateway.core.outcomes import Outcomes
from gateway.edge.kube.paths import endpoint_slices
from gateway.edge.kube.ports import KubeError
from monitor.kube.gateways import PodGateways, admin_urls
from tests.support.kube_store import StoredApi

PORTS = [{"name": "http", "port": 8080}, {"name": "admin", "port": 9090}]


def a_pod(address: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


class Asked:
    def __init__(self) -> None:
        self.urls: list[Sequence[str]] = []

    async def read(self, urls: Sequence[str]) -> Sequence[Outcomes]:
        self.urls.append(urls)
        return []


def test_asks_pods_that_serve_at_their_admin_port_once_each() -> None:
    ready = a_pod("10.0.0.2", ready=True)
    ending = a_pod("10.0.0.3", ready=False, serving=True, terminating=True)
    slices = {
        "items": [
            {"ports": PORTS, "endpoints": [ready, ending, a_pod("10.0.0.4", ready=False)]},
            {"ports": PORTS, "endpoints": [ready, a_pod("fd00::5")]},
            {"ports": [{"name": "http", "port": 8080}], "endpoints": [a_pod("10.0.0.6", ready=True)]},
            {"ports": None, "endpoints": None},
        ]
    }
    assert admin_urls(slices) == ("http://10.0.0.2:9090", "http://10.0.0.3:9090", "http://[fd00::5]:9090")


async def test_asks_those_known_while_the_api_is_away() -> None:
    path = endpoint_slices("llm")
    api = StoredApi(lists={path: {"items": [{"ports": PORTS, "endpoints": [a_pod("10.0.0.2", ready=True)]}]}})
    asked = Asked()
    gateways = PodGateways(api, "llm", "pointsman", asked)
    await gateways.outcomes()
    api.fault = KubeError(None, "no answer")
    await gateways.outcomes()
    assert asked.urls == [("http://10.0.0.2:9090",)] * 2
