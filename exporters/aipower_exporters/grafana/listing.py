"""The list of dashboards and panels of `docs/grafana.md`."""

from __future__ import annotations

from aipower_exporters.grafana.catalogue import dashboards
from aipower_exporters.grafana.model import Dashboard, Panel, Row


def listing() -> str:
    """Markdown: each dashboard with its rows and panels."""
    return "\n".join(_dashboard(dashboard) for dashboard in dashboards())


def _dashboard(dashboard: Dashboard) -> str:
    choices = ", ".join(f"{variable.label} (`{variable.name}`)" for variable in dashboard.variables)
    rows = "\n".join(_row(row) for row in dashboard.rows)
    head = f"### {dashboard.title}\n\n`{dashboard.uid}`. {dashboard.description}\n\nChoices: {choices}.\n"
    return f"{head}\n| row | panel | shows |\n| --- | --- | --- |\n{rows}\n"


def _row(row: Row) -> str:
    return "\n".join(f"| {row.title} | {panel.title} | {_shows(panel)} |" for panel in row.panels)


def _shows(panel: Panel) -> str:
    return f"{panel.description} Needs {panel.needs}." if panel.needs else panel.description
