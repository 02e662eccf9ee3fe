"""The monitor's page for people: endpoints as published last, prices and their sources. No script, light and dark."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from gateway.core.health import EndpointSnapshot
from gateway.core.prices import PriceBook
from gateway.core.window import Quantiles

STYLE = """ :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif } body { margin: 2rem auto;
max-width: 76rem; padding: 0 1rem } div { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin: 0
0 2rem } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; font-variant-numeric:
tabular-nums } td.n, th.n { text-align: right } .open, .failed { color: #c22 } .closed, .ok { color: #283 } .half_open
{ color: #a60 } @media (prefers-color-scheme: dark) { .open, .failed { color: #f77 } .closed, .ok { color: #7d8 }
.half_open { color: #fb4 } }
"""
COLUMNS = (
    "endpoint",
    "breaker",
    "since",
    "ok",
    "first byte p50/p95",
    "total p50/p95",
    "probes/h",
    "in/out USD/M",
    "error",
)


def page(version: str, entries: dict[str, EndpointSnapshot], book: PriceBook) -> str:
    """The whole page."""
    rows = (_row(id_, entry, book) for id_, entry in sorted(entries.items()))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Pointsman monitor</title><style>{STYLE}</style>"
        f"<h1>Pointsman monitor</h1><p>Version {escape(version)}. "
        "<a href=/metrics>Metrics</a>, <a href=/config>configuration</a>.</p>"
        f"<h2>Endpoints</h2>{_table(COLUMNS, rows, 'Nothing was published yet.')}"
        f"<h2>Live prices</h2>{_sources(book)}"
        f"<h2>Prices not believed</h2>{_held_back(book)}"
    )


def _row(id_: str, entry: EndpointSnapshot, book: PriceBook) -> Sequence[str]:
    price = book.get(id_)
    return (
        f"<td>{escape(id_)}",
        f"<td class={entry.breaker.value}>{entry.breaker.value}",
        f"<td>{datetime.fromtimestamp(entry.since_s, UTC):%Y-%m-%d %H:%M:%S}",
        f"<td class=n>{'–' if entry.ok_ratio is None else f'{entry.ok_ratio:.1%}'}",
        f"<td class=n>{_two(entry.ttfb_ms)}",
        f"<td class=n>{_two(entry.total_ms)}",
        f"<td class=n>{entry.probes}",
        f"<td class=n>{'unknown' if price is None else f'{price.base.input:g} / {price.base.output:g}'}",
        f"<td>{escape(entry.last_error or '')}",
    )


def _two(quantiles: Quantiles | None) -> str:
    return "–" if quantiles is None else f"{quantiles.p50:g} / {quantiles.p95:g} ms"


def _sources(book: PriceBook) -> str:
    rows = (
        (
            f"<td>{escape(state.name)}",
            f"<td class={'ok' if state.ok else 'failed'}>{'ok' if state.ok else 'failed'}",
            f"<td>{escape(state.fetched_at or 'never')}",
        )
        for state in book.sources
    )
    return _table(("source", "last reading", "last good reading"), rows, "No live source has an address.")


def _held_back(book: PriceBook) -> str:
    rows = (
        (
            f"<td>{escape(doubt.endpoint)}",
            f"<td>{escape(doubt.field)}",
            f"<td class=n>{doubt.catalog:g}",
            f"<td class=n>{doubt.live:g}",
            f"<td>{escape(doubt.source)}",
        )
        for doubt in book.held_back
    )
    return _table(("endpoint", "rate", "catalog USD/M", "live USD/M", "source"), rows, "None.")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> str:
    body = "".join(f"<tr>{''.join(row)}" for row in rows)
    if not body:
        return f"<p>{escape(nothing)}</p>"
    head = "".join(f"<th scope=col>{escape(name)}" for name in columns)
    return f"<div><table><thead><tr>{head}</thead><tbody>{body}</tbody></table></div>"
