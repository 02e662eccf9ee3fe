"""What endpoints are called in spans."""

from typing import Any

import pytest

from gateway.core.catalog import Catalog
from gateway.edge.tracing.places import Place, Places
from tests.support.builders import a_catalog, a_provider, an_endpoint


def place(api: str = "openai", **provider: Any) -> Place:
    endpoint = an_endpoint("alpha/m", api=api, upstream_id="m-2026")
    catalog = a_catalog(endpoint, providers=[a_provider(api=api, **provider)])
    return Places(lambda: catalog).of("alpha/m")


@pytest.mark.parametrize(
    ("api", "url", "expected"),
    [
        ("openai", "https://api.openai.com/v1", Place("openai", "m-2026", "api.openai.com", 443)),
        ("anthropic", "https://api.anthropic.com", Place("anthropic", "m-2026", "api.anthropic.com", 443)),
        ("openai", "http://vllm.ml:8000/v1", Place("alpha", "m-2026", "vllm.ml", 8000)),
        ("openai", "http://[::1]/v1", Place("alpha", "m-2026", "::1", 80)),
        ("bedrock-anthropic", "https://bedrock-runtime.eu-central-1.amazonaws.com",
         Place("aws.bedrock", "m-2026", "bedrock-runtime.eu-central-1.amazonaws.com", 443)),
        ("vertex-gemini", "https://aiplatform.googleapis.com/v1",
         Place("gcp.vertex_ai", "m-2026", "aiplatform.googleapis.com", 443)),
        ("azure-openai", "https://x.openai.azure.com/openai/v1",
         Place("azure.ai.openai", "m-2026", "x.openai.azure.com", 443)),
    ],
)  # fmt: skip
def test_names_the_vendor_by_cloud_then_by_host_then_as_the_configuration_does(
    api: str, url: str, expected: Place
) -> None:
    assert place(api, base_url=url) == expected


def test_follows_the_catalog_in_force() -> None:
    catalogs = [a_catalog("alpha/m"), Catalog()]
    places = Places(lambda: catalogs[0])
    assert places.of("alpha/m") == Place("alpha", "m", "alpha.test", 80)
    assert places.of("alpha/m") is places.of("alpha/m")
    del catalogs[0]
    assert places.of("alpha/m") == Place("alpha", "m")
