from gateway.core.prices import HeldBack, PriceBook, SourceState, price_book
from gateway.core.pricing import Price, Rates
from monitor.price_sources import Source
from monitor.prices import Shelf, missed, published, refilled, restored

NOON_S = 1_795_521_600.0  # 2026-11-24T12:00:00Z


def a_price(input_: float, source: str) -> Price:
    return Price(Rates(input_, 4 * input_), source=source)


BASE = price_book(
    {"openai/a": a_price(1.0, "catalog"), "openai/b": a_price(1.0, "catalog"), "corp/c": None},
    {"corp/c": a_price(0.1, "config")},
    "2026-11-01",
)


def test_publishes_what_a_source_said_last_even_when_it_fails_later() -> None:
    shelf = missed(refilled(Shelf(Source.LITELLM), {"openai/a": a_price(1.5, "litellm")}, NOON_S))

    book = published(BASE, [shelf], NOON_S + 3_600)

    assert book.prices == {
        "openai/a": a_price(1.5, "litellm"),
        "openai/b": a_price(1.0, "catalog"),
        "corp/c": a_price(0.1, "config"),
    }
    assert (book.as_of, book.sources) == (
        "2026-11-24T13:00:00Z",
        (SourceState("litellm", "2026-11-24T12:00:00Z", ok=False),),
    )


def test_changes_nothing_for_a_source_that_never_answered() -> None:
    book = published(BASE, [missed(Shelf(Source.OPENROUTER))], NOON_S)

    assert book.prices == BASE.prices
    assert book.sources == (SourceState("openrouter", "", ok=False),)


def test_lets_the_first_source_win_and_holds_back_what_nobody_would_believe() -> None:
    first = refilled(Shelf(Source.MODELS_DEV), {"openai/a": a_price(1.2, "models.dev")}, NOON_S)
    second = refilled(
        Shelf(Source.LITELLM), {"openai/a": a_price(2.0, "litellm"), "openai/b": a_price(3.5, "litellm")}, NOON_S
    )

    book = published(BASE, [first, second], NOON_S)

    assert book.prices["openai/a"] == a_price(1.2, "models.dev")
    assert book.prices["openai/b"] == a_price(1.0, "catalog")
    assert book.held_back[0] == HeldBack("openai/b", "input", 1.0, 3.5, "litellm")


def test_takes_over_what_an_earlier_process_had_read() -> None:
    shelf = refilled(Shelf(Source.LITELLM), {"openai/a": a_price(1.5, "litellm")}, NOON_S)
    before = published(BASE, [shelf, missed(Shelf(Source.OPENROUTER))], NOON_S)

    assert restored(before, [Source.LITELLM, Source.OPENROUTER, Source.HUGGINGFACE]) == (
        shelf,
        Shelf(Source.OPENROUTER),
        Shelf(Source.HUGGINGFACE),
    )


def test_takes_over_nothing_by_a_time_it_cannot_read() -> None:
    book = PriceBook({"openai/a": a_price(1.5, "litellm")}, sources=(SourceState("litellm", "noon", ok=True),))

    assert restored(book, [Source.LITELLM]) == (
        Shelf(Source.LITELLM, None, ok=True, prices={"openai/a": a_price(1.5, "litellm")}),
    )
