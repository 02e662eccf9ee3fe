"""Providers whose address has a region, a project or a resource in it, and the keys that their clouds hand out."""

from datetime import date
from types import MappingProxyType

import pytest

from gateway.config.catalog_file import ModelRow, PackagedCatalog, ProviderRow
from gateway.config.compile import Compiled
from gateway.config.effective import effective
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config, load_defaults
from gateway.config.places import MissingPlaces, Template, vertex_host
from gateway.config.problems import ConfigError
from gateway.core.catalog import Endpoint, KeyRef, Privacy, Provider

BEDROCK = "https://bedrock-runtime.{region}.amazonaws.com"
VERTEX = "https://{vertex_host}/v1/projects/{project}/locations/{region}"
AZURE = "https://{resource}.openai.azure.com/openai/v1"
PRIVATE = Privacy(trains_on_data=False, source="https://vendor")
PLACES = {
    "bedrock": {"region": ("AWS_REGION", "AWS_DEFAULT_REGION")},
    "vertex": {"project": ("GOOGLE_CLOUD_PROJECT",), "region": ("GOOGLE_CLOUD_LOCATION",)},
    "azure": {"resource": ("AZURE_RESOURCE_NAME",)},
}


def known(**environ: str) -> Known:
    rows = {}
    models = {}
    for name, api, url in (
        ("bedrock", "bedrock", BEDROCK), ("vertex", "vertex-anthropic", VERTEX), ("azure", "azure-openai", AZURE),
    ):  # fmt: skip
        provider = Provider(name, api, url, KeyRef(env=f"{name.upper()}_KEY"), privacy=PRIVATE)
        rows[name] = ProviderRow(provider, name, PLACES[name])
        models[name] = (ModelRow(Endpoint(f"{name}/m", name, "m", "m", "m", api), None),)
    packaged = PackagedCatalog(date(2026, 11, 25), MappingProxyType(rows), MappingProxyType(models))
    formats = ("openai", "bedrock", "vertex-anthropic", "azure-openai")
    return Known.of(
        packaged, date(2026, 11, 25), formats, lambda ref: ref.identity is not None or ref.env in environ, environ.get
    )


def load(text: str, **environ: str) -> Compiled:
    return load_config(ConfigText(text.encode()), known(**environ))


def provider(text: str, name: str, **environ: str) -> Provider:
    return load(f"providers: {{{text}}}", **environ).policy.catalog.providers[name]


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(f"providers: {{{text}}}")
    return [str(problem).removeprefix("pointsman.yaml:1: providers.") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("bedrock: {region: eu-central-1}", "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        ("bedrock: {base_url: 'https://vpce.example/x/'}", "https://vpce.example/x"),
        (
            "vertex: {project: my-project, region: europe-west4}",
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4",
        ),
        (
            "vertex: {project: p, region: global}",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
        ),
        ("azure: {resource: corp}", "https://corp.openai.azure.com/openai/v1"),
        ("azure: {resource: corp, api_version: 2024-10-21}", "https://corp.openai.azure.com/openai"),
    ],
)
def test_fills_the_address_by_the_entry(text: str, base_url: str) -> None:
    assert provider(text, text.partition(":")[0]).base_url == base_url


def test_fills_it_by_the_variables_of_the_vendors_tools() -> None:
    by_variable = provider("bedrock: {}", "bedrock", AWS_DEFAULT_REGION="us-east-2")
    assert by_variable.base_url == BEDROCK.format(region="us-east-2")
    by_entry = provider("bedrock: {region: us-west-1}", "bedrock", AWS_REGION="x")
    assert by_entry.base_url == BEDROCK.format(region="us-west-1")


def test_says_which_part_is_missing_and_how_to_give_it() -> None:
    ways = "is missing: it is a part of the address (or set %s, or give base_url:)"
    assert problems("vertex: {}") == [
        f"vertex.region: {ways % 'GOOGLE_CLOUD_LOCATION'}",
        f"vertex.project: {ways % 'GOOGLE_CLOUD_PROJECT'}",
    ]
    assert problems("bedrock: {}") == [f"bedrock.region: {ways % 'AWS_REGION or AWS_DEFAULT_REGION'}"]


def test_refuses_a_part_that_the_address_does_not_have() -> None:
    words = "bedrock.project: is no part of this provider's address"
    assert problems("bedrock: {region: us-east-1, project: p}") == [words]
    assert problems("x: {api: openai, base_url: 'http://h', resource: r, models: [{id: m}]}") == [
        "x.resource: is no part of this provider's address"
    ]


def test_a_region_of_the_address_guarantees_nothing() -> None:
    assert provider("bedrock: {region: eu-west-1}", "bedrock").privacy == PRIVATE
    told = provider("bedrock: {region: eu-west-1, privacy: {regions: [eu]}}", "bedrock").privacy
    assert (told.regions, told.trains_on_data) == (frozenset({"eu"}), False)
    assert provider("bedrock: {base_url: 'https://proxy', region: eu-west-1}", "bedrock").privacy == Privacy()


def test_without_a_block_offers_whoever_has_a_key_and_an_address() -> None:
    offered = load_defaults(known(BEDROCK_KEY="k", VERTEX_KEY="k", AWS_REGION="us-east-1")).policy.catalog
    assert list(offered.providers) == ["bedrock"]
    assert offered.providers["bedrock"].base_url == BEDROCK.format(region="us-east-1")


def test_an_api_version_is_told_to_every_endpoint_of_azure_and_to_nobody_else() -> None:
    text = "providers: {azure: {resource: r, api_version: 2024-10-21, models: [{id: mine}]}}"
    endpoints = load(text).policy.catalog.endpoints
    assert {name: one.quirks for name, one in endpoints.items()} == {
        "azure/m": frozenset({"api-version=2024-10-21"}),
        "azure/mine": frozenset({"api-version=2024-10-21"}),
    }
    assert problems("bedrock: {region: x, api_version: 2024-10-21}") == [
        "bedrock.api_version: is for the wire format azure-openai alone"
    ]


def warnings(text: str, **environ: str) -> list[str]:
    found = load(f"providers: {{{text}}}", **environ).warnings
    return [str(warning).removeprefix("pointsman.yaml:1: providers.") for warning in found]


def test_warns_of_models_that_azure_may_not_have() -> None:
    assert warnings("azure: {resource: r}", AZURE_KEY="k") == [
        "azure: Azure serves what is deployed there; say only: or models:, or attempts go to models that are not"
    ]
    assert warnings("azure: {resource: r, only: [m]}", AZURE_KEY="k") == []


@pytest.mark.parametrize(
    ("text", "cloud"),
    [
        ("bedrock: {region: x}", "aws"),
        ("vertex: {project: p, region: x}", "google"),
        ("azure: {resource: r, only: [m]}", "azure"),
    ],
)
def test_says_how_a_workload_itself_can_be_the_key(text: str, cloud: str) -> None:
    name = text.partition(":")[0]
    (warning,) = warnings(text)
    assert warning.endswith(f"; for what this workload is at the cloud: key: {{identity: {cloud}}}")
    given = text.replace(": {", f": {{key: {{identity: {cloud}}}, ", 1)
    assert warnings(given) == []
    assert provider(given, name).key == KeyRef(identity=cloud)
    shown = effective(load(f"providers: {{{given}}}").policy)["providers"][name]["key"]
    assert shown == f"identity at {cloud}"


def test_refuses_a_cloud_that_is_not_known() -> None:
    (problem,) = problems("bedrock: {region: x, key: {identity: oracle}}")
    assert problem.startswith("bedrock.key.identity")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
    ],
)
def test_writes_googles_hosts(region: str, host: str) -> None:
    assert vertex_host(region) == host


def test_a_plain_address_is_filled_with_itself() -> None:
    assert Template("https://api.example/v1", {}).filled({}, lambda _: None) == "https://api.example/v1"
    with pytest.raises(MissingPlaces, match="region"):
        Template(BEDROCK, {}).filled({}, lambda _: None)


def test_shows_who_is_told_of_traces() -> None:
    text = "bedrock: {region: x, trace_context: true}"
    assert provider(text, "bedrock").trace_context is True
    shown = effective(load(f"providers: {{{text}, vertex: {{project: p, region: x}}}}").policy)["providers"]
    assert [row.get("trace_context") for row in shown.values()] == [True, None]


def test_shows_of_an_answer_that_is_billed_to_its_end() -> None:
    text = "bedrock: {region: x, cancellable: false}"
    assert provider(text, "bedrock").cancellable is False
    shown = effective(load(f"providers: {{{text}, vertex: {{project: p, region: x}}}}").policy)["providers"]
    assert [row.get("cancellable") for row in shown.values()] == [False, None]
