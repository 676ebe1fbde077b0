"""Write the dashboards in dashboards/ from what boards/ says.

    pip install grafana-foundation-sdk && python deploy/monitoring/grafana/generate.py

tests/deploy/monitoring/test_dashboards.py compares them.
"""

from pathlib import Path

from boards import ALL
from boards.panels import Board, Graph, Panel
from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

FOLDER = Path(__file__).with_name("dashboards")
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
NEWEST = common.ReduceDataOptions().calcs(["lastNotNull"])
TAG = "interviews"


def text(board: Board) -> str:
    """Return the dashboard as Grafana's JSON."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags([TAG])
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .link(
            dashboard.DashboardLink("Dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
        )
    )
    number = 0
    for row in board.rows:
        number += 1
        made.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made.with_panel(_panel(panel, number))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _panel(panel: Panel, number: int) -> timeseries.Panel | stat.Panel:
    made = _graph(panel) if isinstance(panel, Graph) else _number()
    made.id(number).title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    made.thresholds(_thresholds(panel))
    for letter, (legend, query) in zip("ABCDEFGH", panel.queries.items(), strict=False):
        target = (
            prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend or panel.title).range()
        )
        made.with_target(target.exemplar(isinstance(panel, Graph) and panel.has_traces).datasource(SOURCE))
    return made


def _graph(panel: Graph) -> timeseries.Panel:
    made = timeseries.Panel().height(8).span(8).min(0).line_width(1).fill_opacity(8)
    made.show_points(VisibilityMode.NEVER)
    made.legend(common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(True))
    made.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if panel.is_stacked:
        made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(40)
    return made


def _number() -> stat.Panel:
    return (
        stat.Panel().height(4).span(4).color_mode(BigValueColorMode.BACKGROUND_SOLID).reduce_options(NEWEST)
    )


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    colours = {None: "green", **panel.steps}
    steps = [Threshold(value=value, color=colour) for value, colour in colours.items()]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


if __name__ == "__main__":
    for board in ALL:
        (FOLDER / f"{board.uid.removeprefix('interviews-')}.json").write_text(text(board))
