"""What a dashboard of ours is made of: rows of panels, each with a title, a description, a unit and its queries.

Owns the look: every dashboard gets the same variables, links, colours and grid. Knows Grafana only through its
foundation SDK, and knows no metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

TAG = "pointsman"
WIDTH = 24  # columns of Grafana's grid
DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

BREAKER = "breaker"  # as a column's unit: states in words

Steps = tuple[tuple[float | None, str], ...]  # from this value on (None: from below), this colour
PLAIN: Steps = ((None, "blue"),)


class Look(StrEnum):
    LINES = "lines"
    STACKED = "stacked"  # parts of a sum
    SHARES = "shares"  # parts of a hundred per cent
    FIGURE = "figure"  # the latest value, large
    STATES = "states"  # breakers on a time axis
    TABLE = "table"  # a row per value of `Panel.row_is`, a column per query; by the first, largest on top


@dataclass(frozen=True, slots=True)
class Query:
    """`legend`: Grafana's format; of a table the column's name. `unit`: of a column, where it is not the panel's."""

    expr: str
    legend: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    look: Look = Look.LINES
    width: int = 8
    height: int = 8
    steps: Steps = PLAIN
    row_is: str = ""  # tables: the label that names a row
    smallest: float | None = 0  # of the axis
    largest: float | None = None
    nothing: str = ""  # what stands there where there is no data


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice made above the panels. `query`: Grafana's label_values(...)."""

    name: str
    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str  # stable: links and alerts rely on it
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = field(default=())


NAMESPACE = Variable("namespace", "Namespace", "label_values(pointsman_build_info, namespace)")
ROUTE = Variable("route", "Route", 'label_values(pointsman_requests_total{namespace=~"$namespace"}, route)')
PROVIDER = Variable("provider", "Provider", 'label_values(pointsman_endpoint_info{namespace=~"$namespace"}, provider)')


def built(dashboard: Dashboard) -> models.Dashboard:
    """The dashboard as Grafana reads it."""
    made = (
        builders.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags([TAG])
        .editable()
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-3h", "now")
        .refresh("30s")
        .link(
            builders.DashboardLink("Pointsman")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in (NAMESPACE, *dashboard.variables):
        made = made.with_variable(_variable(variable))
    number = 0
    for row in dashboard.rows:
        number += 1
        made = made.with_row(builders.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made = made.with_panel(_panel(panel).id(number))
    return made.build()


def _variable(variable: Variable) -> builders.QueryVariable:
    # ".*" and not a list of all values: series without the label (no cluster, no route) belong to "All".
    return (
        builders.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query({"query": variable.query, "refId": variable.name})
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )


AnyPanel = timeseries.Panel | stat.Panel | statetimeline.Panel | table.Panel


def _panel(panel: Panel) -> AnyPanel:
    made = _of_look(panel)
    (
        made.title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(panel.height)
        .thresholds(_thresholds(panel.steps))
        .targets([_target(query, chr(ord("A") + place), panel.look) for place, query in enumerate(panel.queries)])
    )
    if panel.smallest is not None:
        made.min(panel.smallest)
    if panel.largest is not None:
        made.max(panel.largest)
    if panel.nothing:
        made.no_value(panel.nothing)
    return made


def _of_look(panel: Panel) -> AnyPanel:
    match panel.look:
        case Look.FIGURE:
            return _figure()
        case Look.STATES:
            return _states()
        case Look.TABLE:
            return _table(panel)
        case Look.LINES | Look.STACKED | Look.SHARES:
            return _lines(panel.look)


def _lines(look: Look) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(0 if look is Look.LINES else 60)
        .show_points(looks.VisibilityMode.NEVER)
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(
            common_builders.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING)
        )
    )
    if look is Look.LINES:
        return made
    mode = looks.StackingMode.PERCENT if look is Look.SHARES else looks.StackingMode.NORMAL
    return made.stacking(common_builders.StackingConfig().group("A").mode(mode))


def _figure() -> stat.Panel:
    return (
        stat.Panel()
        .color_mode(looks.BigValueColorMode.VALUE)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def _breaker_words() -> list[models.ValueMapping]:
    words = (("0", "closed", "green"), ("1", "half-open", "yellow"), ("2", "open", "red"))
    options = {
        value: models.ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, text, colour) in enumerate(words)
    }
    return [models.ValueMap(options)]


def _states() -> statetimeline.Panel:
    return (
        statetimeline.Panel()
        .merge_values(True)
        .show_value(looks.VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .mappings(_breaker_words())
    )


def _table(panel: Panel) -> table.Panel:
    """Queries become columns: joined by the row's label, renamed from what Prometheus calls them."""
    names = {f"Value #{chr(ord('A') + place)}": query.legend for place, query in enumerate(panel.queries)}
    times = {f"Time {place + 1}": True for place in range(len(panel.queries))} | {"Time": True}
    shown = {panel.row_is: 0} | {name: place + 1 for place, name in enumerate(names)}
    first = panel.queries[0].legend
    made = (
        table.Panel()
        .sort_by([common_builders.TableSortByFieldState().display_name(first).desc(True)])
        .with_transformation(
            models.DataTransformerConfig("joinByField", options={"byField": panel.row_is, "mode": "outer"})
        )
        .with_transformation(
            models.DataTransformerConfig(
                "organize", options={"excludeByName": times, "renameByName": names, "indexByName": shown}
            )
        )
    )
    for query in panel.queries:
        if query.unit == BREAKER:
            words = [models.DynamicConfigValue("mappings", _breaker_words())]
            made = made.override_by_name(query.legend, words)
        elif query.unit is not None:
            made = made.override_by_name(query.legend, [models.DynamicConfigValue("unit", query.unit)])
    return made


def _target(query: Query, ref: str, look: Look) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).ref_id(ref).datasource(DATASOURCE)
    if look is Look.TABLE:
        return made.instant().format(PromQueryFormat.TABLE)
    made = made.range().legend_format(query.legend)
    return made.exemplar(True) if "_bucket{" in query.expr else made


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> builders.ThresholdsConfig:
    return (
        builders.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in steps])
    )
