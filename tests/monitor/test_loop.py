"""Minutes and hours of a monitor's life, in virtual time."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.core.breaker import State
from gateway.core.catalog import ProbeRules
from gateway.core.failure import FailureKind
from gateway.core.health import EndpointSnapshot, ShardSnapshot, encode_shard
from gateway.core.outcomes import EndpointOutcomes, Outcomes, Sample
from gateway.core.price_json import decode_prices
from gateway.core.pricing import Price, Rates
from gateway.core.usage import Usage
from monitor.press import PRICES_KEY
from monitor.price_sources import Source
from monitor.probe import Means
from monitor.sharding import shard_key, shard_of
from tests.support.builders import EPOCH_S, a_price
from tests.support.monitoring import WELL, PlayedProber, PlayedPublisher, Stage, a_watchlist, failing

pytestmark = pytest.mark.virtual_time

DOWN = failing(FailureKind.UNREACHABLE)


def gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


async def test_probes_each_provider_and_each_endpoint_every_thirty_seconds() -> None:
    stage = await Stage(a_watchlist("a/x", "a/y")).play(until_s=300)

    for id_ in ("a", "a/x", "a/y"):
        assert len(stage.prober.times(id_)) in (10, 11)
        assert all(gap == 30 for gap in gaps(stage.prober.times(id_))[1:])


async def test_connects_to_a_provider_whose_wire_format_has_no_list_of_models() -> None:
    watched = a_watchlist("a/x")
    watched.catalog.providers["a"] = replace(watched.catalog.providers["a"], api="bedrock")
    stage = await Stage(watched).play(until_s=100)

    assert stage.prober.means.keys() == {Means.TCP, Means.COMPLETION}


async def test_publishes_every_endpoint_within_a_second_and_again_with_each_second_period_at_least() -> None:
    stage = await Stage(a_watchlist("a/x")).play(until_s=300)

    times = [at_s for at_s, key in stage.publisher.written if key == shard_key(shard_of("a/x"))]
    assert times[0] <= 1
    assert max(gaps(times)) <= 60
    assert stage.publisher.entries()["a/x"].breaker is State.CLOSED
    (shard,) = stage.publisher.shards()
    assert (shard.publisher, shard.period_s, shard.seq) == ("monitor-1", 30.0, len(times))


async def test_publishes_within_two_periods_that_a_provider_went_down_and_soon_that_it_came_back() -> None:
    stage = Stage(a_watchlist("a/x", "a/y", "b/z"))
    seen: dict[float, dict[str, str]] = {}

    def look(at_s: float) -> tuple[float, Callable[[], None]]:
        return at_s, lambda: seen.update({at_s: stage.publisher.states()})

    def fall() -> None:
        stage.prober.results.update({"a": DOWN, "a/x": DOWN, "a/y": DOWN})

    await stage.play(look(99), (100, fall), look(160), (161, stage.prober.results.clear), look(222), until_s=223)

    assert seen == {
        99: {"a/x": "closed", "a/y": "closed", "b/z": "closed"},
        160: {"a/x": "open", "a/y": "open", "b/z": "closed"},
        222: {"a/x": "closed", "a/y": "closed", "b/z": "closed"},
    }


async def test_publishes_a_breaker_within_two_seconds_of_its_opening() -> None:
    stage = Stage(a_watchlist("a/x"), PlayedProber(results={"a/x": failing(FailureKind.NOT_FOUND)}))

    await stage.play(until_s=60)

    failed_s = stage.prober.times("a/x")[0] + stage.prober.takes_s
    written = [at_s for at_s, key in stage.publisher.written if key != PRICES_KEY and at_s > failed_s]
    assert written[0] - failed_s <= 2


async def test_tries_a_broken_endpoint_as_soon_as_its_time_is_over() -> None:
    watchlist = a_watchlist("a/x", probe=ProbeRules(every_s=600.0))
    stage = await Stage(watchlist, PlayedProber(results={"a/x": failing(FailureKind.NOT_FOUND)})).play(until_s=1_500)

    first, second, third = stage.prober.times("a/x")[:3]
    assert 30 <= second - first < 32
    assert 60 <= third - second < 62


async def test_spends_no_completion_where_live_traffic_proves_the_endpoint() -> None:
    stage = Stage(a_watchlist("a/x", "a/y"))
    served = 0

    def serve() -> None:
        nonlocal served
        served += 10
        entry = EndpointOutcomes(ok=served, cursor=served, samples=(Sample(644.0, 120.0),) * 10)
        stage.gateways.reports = [Outcomes("g", {"a/x": entry})]

    await stage.play(*((at_s, serve) for at_s in range(1, 600, 29)), until_s=600)

    assert len(stage.prober.times("a/x")) <= 3
    assert len(stage.prober.times("a/y")) >= 19
    assert stage.monitor is not None
    assert stage.publisher.entries()["a/x"].ok_ratio == 1.0
    assert stage.publisher.entries()["a/x"].ttfb_ms is not None


async def test_opens_on_live_failures_that_no_probe_sees() -> None:
    stage = Stage(a_watchlist("a/x"))
    ailing = EndpointOutcomes(ok=50, failed=50, consecutive_failures=1, last_error="truncated: half an answer")

    def begin() -> None:
        stage.gateways.reports = [Outcomes("g", {"a/x": EndpointOutcomes()})]

    def fail() -> None:
        stage.gateways.reports = [Outcomes("g", {"a/x": ailing})]

    seen: list[str] = []
    await stage.play((1, begin), (65, fail), (92, lambda: seen.append(stage.publisher.states()["a/x"])), until_s=93)

    assert seen == ["open"]
    assert stage.publisher.entries()["a/x"].last_error == "truncated: half an answer"


async def test_spends_its_daily_budget_evenly_and_checks_on_for_nothing() -> None:
    watchlist = a_watchlist("a/x", "a/y", probe=ProbeRules(budget_usd_per_day=0.02))
    stage = await Stage(watchlist).play(until_s=21_600)

    assert stage.monitor is not None
    assert 0.004 < stage.monitor.rounds.spent_usd["a"] <= 0.006, "a quarter of it, and a twentieth to begin with"
    assert min(max(stage.prober.times(id_)) for id_ in ("a/x", "a/y")) > 21_000
    assert len(stage.prober.times("a")) >= 719


async def test_counts_what_a_provider_charges_beyond_the_cap() -> None:
    watchlist = a_watchlist("a/x", probe=ProbeRules(budget_usd_per_day=0.02))
    costly = replace(WELL, usage=Usage(input=12, output=950))
    stage = await Stage(watchlist, PlayedProber(results={"a/x": costly})).play(until_s=3_600)

    assert stage.monitor is not None
    assert stage.prober.means[Means.COMPLETION] == 1, "what it owes takes hours to earn"
    assert stage.monitor.rounds.spent_usd["a"] == pytest.approx((12 + 950 * 4) / 1e6)


async def test_sends_nothing_to_a_provider_without_its_key() -> None:
    stage = await Stage(a_watchlist("a/x", "b/z"), PlayedProber(keyless=frozenset({"a"}))).play(until_s=60)

    assert {id_ for _, id_ in stage.prober.sent} == {"b", "b/z"}
    assert stage.publisher.states()["a/x"] == "closed"


async def test_does_not_send_a_probe_while_the_last_one_is_under_way() -> None:
    stage = await Stage(a_watchlist("a/x"), PlayedProber(takes_s=100.0)).play(until_s=300)

    assert min(gaps(stage.prober.times("a"))) >= 100


# -- taking over -------------------------------------------------------------------------


def published_before(entry: EndpointSnapshot, published_at_s: float = EPOCH_S - 60) -> PlayedPublisher:
    shard = ShardSnapshot(shard_of("a/x"), 2**45, 7, "monitor-0", published_at_s, 30.0, {"a/x": entry})
    return PlayedPublisher({shard_key(shard.shard): encode_shard(shard)})


OPEN = EndpointSnapshot(State.OPEN, EPOCH_S - 70, consecutive_failures=5, last_error="overloaded: no")


async def test_follows_on_what_was_published_before_it() -> None:
    stage = Stage(a_watchlist("a/x", probe=ProbeRules(by="none")), publisher=published_before(OPEN))

    await stage.play(until_s=1)

    (shard,) = stage.publisher.shards()
    assert (shard.epoch, shard.seq, shard.publisher) == (2**45 + 1, 1, "monitor-1")
    assert stage.publisher.states() == {"a/x": "half_open"}, "its time is over, and nobody probes it"


async def test_does_not_believe_what_is_long_out_of_date() -> None:
    publisher = published_before(OPEN, published_at_s=EPOCH_S - 301)
    stage = await Stage(a_watchlist("a/x", probe=ProbeRules(by="none")), publisher=publisher).play(until_s=1)

    assert stage.publisher.states() == {"a/x": "closed"}


async def test_replaces_garbage() -> None:
    publisher = PlayedPublisher({shard_key(shard_of("a/x")): b"{", PRICES_KEY: b"[]"})
    stage = await Stage(a_watchlist("a/x"), publisher=publisher).play(until_s=1)

    assert stage.publisher.states() == {"a/x": "closed"}
    assert decode_prices(stage.publisher.kept[PRICES_KEY]).prices == {"a/x": a_price()}


async def test_goes_on_while_nothing_can_be_published_and_publishes_when_it_can() -> None:
    stage = Stage(a_watchlist("a/x"), publisher=PlayedPublisher(broken=True))

    await stage.play((100, lambda: setattr(stage.publisher, "broken", False)), until_s=160)

    assert stage.monitor is not None
    assert stage.monitor.press.failures > 0
    assert stage.publisher.states() == {"a/x": "closed"}


async def test_keeps_to_its_own_shards() -> None:
    both = a_watchlist("a/x", "b/z")
    stage = Stage(replace(both, shards={shard_of("a/x")}), sources=[Source.LITELLM])

    await stage.play(until_s=60)

    assert {id_ for _, id_ in stage.prober.sent} == {"a", "a/x"}
    assert set(stage.publisher.kept) == {shard_key(shard_of("a/x"))}, "the prices are somebody else's"
    assert not stage.feed.asked


# -- prices ------------------------------------------------------------------------------


def litellm(usd_per_million: float) -> bytes:
    row = {
        "litellm_provider": "a",
        "input_cost_per_token": usd_per_million / 1e6,
        "output_cost_per_token": 4 * usd_per_million / 1e6,
    }
    return json.dumps({"x": row}).encode()


async def test_publishes_prices_at_once_and_live_ones_every_hour() -> None:
    stage = Stage(a_watchlist("a/x"), sources=[Source.LITELLM])
    stage.feed.answers[Source.LITELLM] = litellm(1.5)
    seen = []

    def look() -> None:
        book = decode_prices(stage.publisher.kept[PRICES_KEY])
        seen.append((book.prices["a/x"], book.sources[0].ok, len(book.held_back)))

    await stage.play(
        (1, look),
        (2, stage.feed.answers.clear),
        (3_601, look),
        (3_602, lambda: stage.feed.answers.update({Source.LITELLM: litellm(9.0)})),
        (7_201, look),
        until_s=7_202,
    )

    live = Price(Rates(1.5, 6.0), source="litellm")
    assert seen == [(live, True, 0), (live, False, 0), (a_price(), True, 2)]
    assert [at_s for at_s, _ in stage.feed.asked] == [0, 3_600, 7_200]
    assert stage.publisher.written[0] == (0, PRICES_KEY), "before any source was asked"


async def test_publishes_prices_again_that_were_deleted_or_could_not_be_written() -> None:
    stage = Stage(a_watchlist("a/x"), publisher=PlayedPublisher(broken=True))

    await stage.play(
        (50, lambda: setattr(stage.publisher, "broken", False)),
        (99, stage.publisher.kept.clear),
        until_s=155,
    )

    times = [at_s for at_s, key in stage.publisher.written if key == PRICES_KEY]
    assert len(times) == 2
    assert 50 < times[0] <= 82
    assert 99 < times[1] <= 131


async def test_remembers_live_prices_over_a_restart() -> None:
    first = Stage(a_watchlist("a/x"), sources=[Source.LITELLM])
    first.feed.answers[Source.LITELLM] = litellm(1.5)
    await first.play(until_s=1)

    second = Stage(a_watchlist("a/x"), sources=[Source.LITELLM], publisher=first.publisher)
    await second.play(until_s=2)

    assert decode_prices(second.publisher.kept[PRICES_KEY]).prices == {"a/x": Price(Rates(1.5, 6.0), source="litellm")}


# -- a new configuration -------------------------------------------------------------------


async def test_takes_over_a_new_configuration_and_keeps_the_history_of_what_stays() -> None:
    stage = Stage(a_watchlist("a/x", "b/z"), PlayedProber(results={"a/x": failing(FailureKind.NOT_FOUND)}))

    def reconfigure() -> None:
        assert stage.monitor is not None
        stage.monitor.reconfigure(a_watchlist("a/x", "c/w"))

    await stage.play((40, reconfigure), until_s=75)

    assert set(stage.publisher.states()) == {"a/x", "c/w"}
    assert stage.publisher.states()["a/x"] == "open"
    assert all(at_s < 41 for at_s in stage.prober.times("b"))
    assert stage.prober.times("c")


async def test_drops_the_probe_of_a_provider_that_was_taken_out_meanwhile() -> None:
    stage = Stage(a_watchlist("a/x", "b/z"), PlayedProber(takes_s=20.0))

    def reconfigure() -> None:
        assert stage.monitor is not None
        stage.monitor.reconfigure(a_watchlist("a/x"))

    await stage.play((35, reconfigure), until_s=120)

    assert set(stage.publisher.states()) == {"a/x"}
