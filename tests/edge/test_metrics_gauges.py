"""What is shown of the configuration in force and of the ways to its providers."""

from gateway.core.pricing import Override, Price, Rates, Window
from gateway.edge.metrics_gauges import EndpointFacts, ProviderUse, endpoint_facts, provider_uses
from gateway.upstream.call import Origin
from gateway.upstream.pool import OriginStats
from tests.support.builders import EPOCH_S, a_catalog, a_policy, a_provider, an_endpoint


def test_tells_each_endpoint_with_what_it_costs_now() -> None:
    policy = a_policy(a_catalog(an_endpoint("alpha/m", tier=2), an_endpoint("beta/n", tier=None)))
    nightly = Override(Rates(0.5, 2.0), window=Window(from_s=EPOCH_S, until_s=EPOCH_S + 60.0))
    long_prompts = Override(Rates(4.0, 8.0), min_prompt_tokens=200_000)
    prices = {"alpha/m": Price(Rates(1.0, 4.0), (nightly, long_prompts))}
    told = [list(endpoint_facts(policy, prices, at_s)) for at_s in (EPOCH_S, EPOCH_S + 60.0)]
    unpriced = EndpointFacts("beta/n", "beta", "n", "")
    assert told == [
        [EndpointFacts("alpha/m", "alpha", "m", "large", 0.5, 2.0), unpriced],
        [EndpointFacts("alpha/m", "alpha", "m", "large", 1.0, 4.0), unpriced],
    ]


def test_tells_connections_of_a_host_with_the_first_provider_behind_it() -> None:
    host = "http://proxy.test"
    alpha = a_provider("alpha", base_url=f"{host}/a/v1", max_in_flight=7)
    providers = [alpha, a_provider("beta", base_url=f"{host}/b"), a_provider("gamma")]
    stats = {Origin.parse(host)[0]: OriginStats(idle=3, busy=2, connecting=1, waiting=4, opened=9, reused=5)}
    assert list(provider_uses(providers, {"alpha": 2, "beta": 1}, stats)) == [
        ProviderUse("alpha", 2, 7, idle=3, busy=2, waiting=4, opened=9),
        ProviderUse("beta", 1, 200),
        ProviderUse("gamma", 0, 200),
    ]
