"""The plain page of the admin port: what is well, what is not, what it costs. Server-rendered, no script, light and
dark."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td { font-variant-numeric: tabular-nums }
td.n { text-align: right }
.open, .failed { color: #c22 } .closed, .ok { color: #283 } .half_open, .partial { color: #a60 }
@media (prefers-color-scheme: dark) { .open, .failed { color: #f77 } .closed, .ok { color: #7d8 } }
"""


def page(overview: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        overview: `version`, `ready`, `totals` (name to number), `endpoints` and `decisions` (rows of columns).
    """
    totals = "".join(f"<tr><th scope=row>{escape(name)}{_cell(value)}" for name, value in overview["totals"].items())
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Pointsman gateway</title><style>{STYLE}</style><body>"
        f"<h1>Pointsman gateway</h1><p>Version {escape(overview['version'])}, {escape(overview['ready'])}. "
        "<a href=/metrics>Metrics</a>, <a href=/config>configuration</a>.</p>"
        f"<h2>Since start</h2><table>{totals}</table>"
        f"<h2>Endpoints</h2>{_table(overview['endpoints'], 'No endpoints are configured.')}"
        f"<h2>Last decisions</h2>{_table(overview['decisions'], 'No request has been answered yet.')}"
        "</body></html>"
    )


def _table(rows: Sequence[Mapping[str, Any]], nothing: str) -> str:
    if not rows:
        return f"<p>{escape(nothing)}</p>"
    head = "".join(f"<th scope=col>{escape(name)}" for name in rows[0])
    return f"<table><thead><tr>{head}</thead><tbody>{''.join(_row(row.values()) for row in rows)}</tbody></table>"


def _row(values: Iterable[Any]) -> str:
    return "<tr>" + "".join(_cell(value) for value in values)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td class=n>{value:.6g}"
    if isinstance(value, int):
        return f"<td class=n>{value}"
    text = "–" if value is None else str(value)
    marked = f" class={text}" if text in {"open", "closed", "half_open", "ok", "failed", "partial"} else ""
    return f"<td{marked}>{escape(text)}"
