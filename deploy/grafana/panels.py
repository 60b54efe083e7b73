# ruff: noqa: INP001  modules of build.py, which is run as a script
"""The few kinds of panels that the dashboards are made of, and their frame. It knows no metric."""

from dataclasses import dataclass, field
from typing import NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whichever Prometheus is chosen above the panels."""

STAT_WIDTH, STAT_HEIGHT = 3, 4
WIDTH, HEIGHT = 8, 8
"""In Grafana's grid of 24 columns."""


class Query(NamedTuple):
    """An expression and what its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """A graph over time.

    Args:
        title: what it shows.
        description: what to read from it.
        unit: Grafana's name of the unit.
        queries: what is drawn.
        stacked: whether the series add up to something.
        limit: a line that is worth knowing, in the unit.
    """

    title: str
    description: str
    unit: str
    queries: list[Query]
    stacked: bool = False
    limit: float | None = None

    def build(self) -> Builder[models.Panel]:
        """The panel of Grafana."""
        panel = (
            timeseries.Panel()
            .title(self.title)
            .description(self.description)
            .datasource(SOURCE)
            .unit(self.unit)
            .min(0)
            .span(WIDTH)
            .height(HEIGHT)
            .fill_opacity(30 if self.stacked else 5)
            .show_points(common_models.VisibilityMode.NEVER)
            .legend(
                common.VizLegendOptions()
                .display_mode(common_models.LegendDisplayMode.LIST)
                .placement(common_models.LegendPlacement.BOTTOM)
                .show_legend(True)
            )
            .tooltip(
                common.VizTooltipOptions()
                .mode(common_models.TooltipDisplayMode.MULTI)
                .sort(common_models.SortOrder.DESCENDING)
            )
        )
        if self.stacked:
            panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
        if self.limit is not None:
            panel.thresholds(_steps(self.limit)).thresholds_style(
                common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.DASHED)
            )
        for target in _targets(self.queries):
            panel.with_target(target)
        return panel


@dataclass(frozen=True)
class Number:
    """One number, now; red from `limit` on."""

    title: str
    description: str
    unit: str
    expr: str
    limit: float | None = None

    def build(self) -> Builder[models.Panel]:
        """The panel of Grafana."""
        (target,) = _targets([Query(self.expr, self.title)])
        panel = (
            stat.Panel()
            .title(self.title)
            .description(self.description)
            .datasource(SOURCE)
            .unit(self.unit)
            .span(STAT_WIDTH)
            .height(STAT_HEIGHT)
            .graph_mode(common_models.BigValueGraphMode.AREA)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            .no_value("none")
            .with_target(target)
        )
        return panel.thresholds(_steps(self.limit))


@dataclass(frozen=True)
class Bars:
    """One bar for each series, over the whole time that is shown."""

    title: str
    description: str
    unit: str
    query: Query

    def build(self) -> Builder[models.Panel]:
        """The panel of Grafana."""
        target = prometheus.Dataquery().expr(self.query.expr).legend_format(self.query.legend).ref_id("A").instant()
        return (
            bargauge.Panel()
            .title(self.title)
            .description(self.description)
            .datasource(SOURCE)
            .unit(self.unit)
            .min(0)
            .span(WIDTH)
            .height(HEIGHT)
            .orientation(common_models.VizOrientation.HORIZONTAL)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            .thresholds(_steps(None))
            .with_target(target.datasource(SOURCE))
        )


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: list[Panel | Number | Bars]


@dataclass(frozen=True)
class Variable:
    """A choice above the panels: the values of a label."""

    name: str
    label: str
    query: str
    all_of_them: bool = False

    def build(self) -> Builder[models.VariableModel]:
        """The variable of Grafana."""
        variable = (
            dashboard.QueryVariable(self.name)
            .label(self.label)
            .datasource(SOURCE)
            .query(self.query)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
        )
        return variable.multi(True).include_all(True).all_value(".*") if self.all_of_them else variable


@dataclass(frozen=True)
class Dashboard:
    """A dashboard."""

    uid: str
    title: str
    description: str
    variables: list[Variable]
    rows: list[Row]
    alerts: str
    """Which alerts are drawn over the graphs: an expression."""
    tags: list[str] = field(default_factory=lambda: ["fenliu"])

    def build(self) -> models.Dashboard:
        """The dashboard of Grafana."""
        built = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags(self.tags)
            .timezone("browser")
            .refresh("30s")
            .time("now-6h", "now")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(
                dashboard.DashboardLink("fenliu")
                .tags(["fenliu"])
                .type(_DASHBOARDS)
                .as_dropdown(True)
                .include_vars(True)
            )
            .annotation(
                dashboard.AnnotationQuery()
                .name("Alerts")
                .datasource(SOURCE)
                .enable(True)
                .icon_color("red")
                .expr(self.alerts)
            )
            .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        )
        for variable in self.variables:
            built.with_variable(variable.build())
        for row in self.rows:
            built.with_row(dashboard.Row(row.title))
            for panel in row.panels:
                built.with_panel(panel.build())
        return _numbered(built.build())


_DASHBOARDS = models.DashboardLinkType.DASHBOARDS


def _targets(queries: list[Query]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend)
        .ref_id(chr(ord("A") + place))
        .range()
        .datasource(SOURCE)
        for place, query in enumerate(queries)
    ]


def _steps(limit: float | None) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(color="green", value=None)]
    if limit is not None:
        steps.append(models.Threshold(color="red", value=limit))
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _numbered(built: models.Dashboard) -> models.Dashboard:
    """Ids from 1 on, so that Grafana gives none of its own and links to a panel stay true."""
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return built
