from collections.abc import Mapping

from gateway.core.prices import HeldBack, LiveSource, PriceBook, SourceState, price_book, with_live, with_published
from gateway.core.pricing import Override, Price, Rates, Window, cost_usd
from gateway.core.usage import Usage

GPT = "openai/gpt-4o"
CATALOG = Price(Rates(input=2.5, output=10.0, cached_input=1.25), source="catalog")
NIGHT = Window(((0, 3600),))


def book(price: Price | None = CATALOG, endpoint: str = GPT, config: Mapping[str, Price] | None = None) -> PriceBook:
    return price_book({endpoint: price}, config or {}, "2026-11-25")


def live(price: Price, endpoint: str = GPT, name: str = "models.dev") -> LiveSource:
    return LiveSource(SourceState(name, "2026-11-25T12:00:00Z", ok=True), {endpoint: price})


def price_after(base: PriceBook, *sources: LiveSource) -> Price | None:
    return with_live(base, sources, "2026-11-25T12:00:00Z").get(GPT)


def test_knows_no_price_where_nobody_gives_one() -> None:  # case I5
    assert book(None).get(GPT) is None
    assert book().get("openai/another") is None


def test_tells_a_price_of_zero_in_the_configuration_from_an_unknown_one() -> None:
    found = book(None, config={GPT: Price(Rates(0.0, 0.0), source="config")}).get(GPT)
    assert found is not None
    assert cost_usd(found, Usage(input=1_000_000, output=1_000_000), 0.0) == 0.0


def test_takes_a_live_price_over_the_catalog_s() -> None:
    fresh = Price(Rates(input=2.0, output=8.0, cached_input=0.5), source="models.dev")
    assert price_after(book(), live(fresh)) == fresh


def test_takes_a_live_price_where_the_catalog_has_none() -> None:
    fresh = Price(Rates(input=2.0, output=8.0), source="openrouter")
    assert price_after(book(None), live(fresh)) == fresh


def test_never_overrides_the_configuration() -> None:
    base = book(config={GPT: Price(Rates(1.0, 1.0), source="config")})
    believable = Price(Rates(2.0, 2.0))
    assert price_after(base, live(believable)) == Price(Rates(1.0, 1.0), source="config")


def test_does_not_add_endpoints_it_was_not_built_for() -> None:
    assert with_live(book(), [live(Price(Rates(1.0, 2.0)), "openai/new")], "").prices.keys() == {GPT}


def test_reads_a_live_zero_as_not_knowing() -> None:
    assert price_after(book(), live(Price(Rates(0.0, 0.0)))) == CATALOG
    assert price_after(book(None), live(Price(Rates(0.0, 0.0)))) is None
    assert price_after(book(None), live(Price(Rates(2.0, 0.0)))) is None
    assert price_after(book(None), live(Price(Rates(2.0, 8.0, cached_input=0.0)))) == Price(Rates(2.0, 8.0))


def test_takes_free_output_where_the_catalog_has_it() -> None:
    embeddings = book(Price(Rates(0.02, 0.0)))
    assert price_after(embeddings, live(Price(Rates(0.03, 0.0)))) == Price(Rates(0.03, 0.0))


def test_holds_back_a_price_that_differs_by_more_than_a_factor_of_three() -> None:
    dear = Price(Rates(input=2.5, output=30.1), source="models.dev")
    found = with_live(book(), [live(dear)], "")
    assert (found.get(GPT), found.held_back) == (CATALOG, (HeldBack(GPT, "output", 10.0, 30.1, "models.dev"),))
    cheap = Price(Rates(input=0.8, output=10.0, cached_input=0.1), source="openrouter")
    assert [doubt.field for doubt in with_live(book(), [live(cheap)], "").held_back] == ["input", "cached_input"]


def test_believes_a_price_at_exactly_a_factor_of_three() -> None:
    assert price_after(book(), live(Price(Rates(7.5, 30.0, cached_input=3.75)))) == Price(
        Rates(7.5, 30.0, cached_input=3.75)
    )


def test_holds_back_a_live_override_far_from_everything_the_catalog_knows() -> None:
    odd = Price(CATALOG.base, (Override(Rates(900.0, 10.0), min_prompt_tokens=1_000),), "openrouter")
    assert with_live(book(), [live(odd)], "").held_back == (HeldBack(GPT, "input", 2.5, 900.0, "openrouter"),)
    free = book(Price(Rates(0.0, 0.0)))
    assert with_live(free, [live(Price(Rates(1.0, 1.0), odd.overrides))], "").held_back == ()


def test_lets_the_next_source_speak_where_one_was_not_believed() -> None:
    first, second = live(Price(Rates(90.0, 90.0))), live(Price(Rates(2.0, 8.0, cached_input=1.0), source="litellm"))
    assert price_after(book(), first, second) == Price(Rates(2.0, 8.0, cached_input=1.0), source="litellm")


def test_lets_the_first_source_that_is_believed_win() -> None:
    first, second = live(Price(Rates(2.0, 8.0, cached_input=1.0))), live(Price(Rates(3.0, 9.0)))
    assert price_after(book(), first, second) == Price(Rates(2.0, 8.0, cached_input=1.0))


def test_moves_what_a_source_does_not_say_along_with_what_it_says() -> None:
    known = Price(
        Rates(2.0, 10.0, cached_input=0.2, cache_write=2.5, cache_write_1h=4.0, reasoning=20.0, per_request=0.01),
        (Override(Rates(4.0, 15.0, cached_input=0.4), min_prompt_tokens=200_001),),
        "catalog",
    )
    assert price_after(book(known), live(Price(Rates(3.0, 5.0), source="live"))) == Price(
        Rates(3.0, 5.0, 0.2 * 1.5, 2.5 * 1.5, 4.0 * 1.5, 20.0 * 0.5, 0.01),
        (Override(Rates(6.0, 7.5, cached_input=0.4 * 1.5), min_prompt_tokens=200_001),),
        "live",
    )


def test_keeps_the_hours_of_the_day_where_a_source_names_one_of_the_prices() -> None:
    known = Price(Rates(0.22, 0.66), (Override(Rates(0.44, 1.32), window=NIGHT),), "catalog")
    assert price_after(book(known), live(Price(Rates(0.44, 1.32), source="litellm"))) == known


def test_prefers_the_overrides_of_a_source_that_has_them() -> None:
    fresh = Price(Rates(2.5, 10.0, cached_input=1.25), (Override(Rates(5.0, 20.0), window=NIGHT),), "openrouter")
    assert price_after(book(), live(fresh)) == fresh


def test_moves_a_price_that_was_free_without_dividing_by_zero() -> None:
    known = Price(Rates(0.0, 0.0), (Override(Rates(1.0, 2.0), min_prompt_tokens=10),))
    assert price_after(book(known), live(Price(Rates(1.0, 3.0)))) == Price(Rates(1.0, 3.0), known.overrides)


def test_says_which_sources_it_heard() -> None:
    found = with_live(book(), [live(CATALOG)], "2026-11-25T12:00:00Z")
    assert (found.as_of, [state.name for state in found.sources]) == ("2026-11-25T12:00:00Z", ["models.dev"])


def test_takes_what_the_monitor_published_except_where_the_configuration_speaks() -> None:
    base = price_book(
        {GPT: CATALOG, "groq/a": None, "groq/b": CATALOG}, {"groq/b": Price(Rates(1.0, 1.0), source="config")}, ""
    )
    news = Price(Rates(2.0, 8.0), source="openrouter")
    published = PriceBook({GPT: None, "groq/a": news, "groq/b": news, "groq/c": news}, as_of="2026-11-25T12:00:00Z")
    joined = with_published(base, published)
    assert (dict(joined.prices), joined.as_of, joined.fixed) == (
        {GPT: CATALOG, "groq/a": news, "groq/b": Price(Rates(1.0, 1.0), source="config")},
        "2026-11-25T12:00:00Z",
        frozenset({"groq/b"}),
    )
