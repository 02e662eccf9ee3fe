from dataclasses import replace

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot
from gateway.core.prices import HeldBack, PriceBook, SourceState
from gateway.core.window import Quantiles
from monitor.page import page
from tests.support.builders import a_price

BOOK = PriceBook(
    {"a/x": a_price(), "a/y": None},
    sources=(SourceState("litellm", "", ok=False), SourceState("openrouter", "2026-11-24T12:00:00Z", ok=True)),
    held_back=(HeldBack("a/x", "input", 1.0, 9.0, "litellm"),),
)
CALM = EndpointSnapshot(ok_ratio=0.998, ttfb_ms=Quantiles(310, 480, 560, 900))


def test_shows_endpoints_sources_and_what_was_not_believed() -> None:
    shown = page("0.1.0", {"a/x": CALM, "a/y": replace(CALM, breaker=State.OPEN, ok_ratio=None)}, BOOK)

    for words in (
        "a/x",
        "99.8%",
        "310 / 560 ms",
        "class=open>open",
        "unknown",
        "never",
        "2026-11-24T12:00:00Z",
        "<td class=n>9",
    ):
        assert words in shown


def test_says_so_where_there_is_nothing() -> None:
    shown = page("0.1.0", {}, PriceBook({}))

    assert "Nothing was published yet." in shown
    assert "No live source has an address." in shown


def test_escapes_what_providers_say() -> None:
    shown = page("0.1.0", {"a/x": replace(CALM, last_error="<script>alert(1)</script>")}, BOOK)

    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
