"""The dashboards of this folder, made by code: ``python deploy/grafana/dashboards.py``.

One tells whether the promise is kept, the other which store is behind and why. What every worker
sees alike is read with ``max``, what each counts of itself is added up. Thresholds and the words of
alarms stand in deploy/prometheus/alerts.yaml; nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FOLDER: Final = Path(__file__).parent
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
EVERY: Final = ".*"
"""What the variable ``store`` stands for while nobody has chosen one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One panel: lines over time, or a number as of now. ``queries`` are expression and legend."""

    title: str
    what: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    number: bool = False


def _clock(name: str, legend: str) -> tuple[str, str]:
    """The time within which 95 of 100 were, of those of the last hour."""
    return f"histogram_quantile(0.95, sum by (le) (increase({name}_bucket[1h])))", legend


PROMISE: Final = {
    "Is the promise kept?": (
        Shown("Late", "Open cases whose legal deadline is over.", "short",
              (("max(erasure_deadline_late_cases)", "late"),), number=True),
        Shown("Will be late", "Late now, or if stores go on as they do.", "short",
              (("max(erasure_deadline_forecast_late_cases)", "forecast"),), number=True),
        Shown("Not stopped", "Cases whose stop is not known to be published.", "short",
              (("max(erasure_unstopped_cases)", "cases"),), number=True),
        Shown("Dead letters", "Commands that wait for an operator.", "short",
              (("sum(max by (store) (erasure_store_dead_commands))", "commands"),), number=True),
        Shown("Holds to review", "Holds past their review date.", "short",
              (("max(erasure_review_due_holds)", "holds"),), number=True),
        Shown("Still there after erasure", "Tasks whose data the re-read found again, in a day.",
              "short", (("sum(increase(erasure_verification_failures_total[1d]))", "tasks"),),
              number=True),
    ),
    "Deadlines": (
        Shown("Open cases by the legal time that is used", "Of the month of GDPR art. 12(3).",
              "short",
              (('max by (used) (erasure_deadline_cases{state="open"})', "{{used}}"),)),
        Shown("Standing cases", "Cases that have not ended.", "short",
              (("max by (state) (erasure_standing_cases)", "{{state}}"),)),
    ),
    "Five clocks, from the event": (
        Shown("Accepted, stopped, planned", "95 of 100, of the last hour.", "s",
              (_clock("erasure_accepted_seconds", "accepted"),
               _clock("erasure_stopped_seconds", "stopped"),
               _clock("erasure_planned_seconds", "planned"))),
        Shown("Erased, closed", "95 of 100, of the last hour.", "s",
              (_clock("erasure_erased_seconds", "erased"),
               _clock("erasure_closed_seconds", "closed"))),
        Shown("Objectives missed", "Cases in an hour.", "short",
              (("sum by (clock) (increase(erasure_objective_missed_cases_total[1h]))",
                "{{clock}}"),)),
        Shown("Events in", "Events a second.", "short",
              (("sum by (kind) (rate(erasure_accepted_events_total[5m]))", "{{kind}}"),)),
    ),
}  # fmt: skip

_OF: Final = 'store=~"$store"'
STORES: Final = {
    "What waits": (
        Shown("People waiting", "People in open commands.", "short",
              ((f"max by (store, lane) (erasure_store_lag_people{{{_OF}}})",
                "{{store}} {{lane}}"),)),
        Shown("The oldest", "Age of the oldest open command.", "s",
              ((f"max by (store, lane) (erasure_store_oldest_seconds{{{_OF}}})",
                "{{store}} {{lane}}"),)),
        Shown("Worked off in", "Lag over the net rate; infinite when it does not shrink.", "s",
              ((f"max by (store, lane) (erasure_store_drain_seconds{{{_OF}}})",
                "{{store}} {{lane}}"),)),
        Shown("In and out", "People a second.", "short",
              ((f"max by (store) (erasure_store_in_rate{{{_OF}}})", "{{store}} in"),
               (f"max by (store) (erasure_store_out_rate{{{_OF}}})", "{{store}} out"))),
    ),
    "How it goes": (
        Shown("Away", "1 while a worker has found the store away.", "short",
              ((f"max by (store) (erasure_store_away{{{_OF}}})", "{{store}}"),)),
        Shown("Settled", "People a second whose erasure was re-read.", "short",
              ((f"sum by (store, lane) (rate(erasure_settled_people_total{{{_OF}}}[5m]))",
                "{{store}} {{lane}}"),)),
        Shown("Refused and dead", "In an hour.", "short",
              ((f"sum by (store) (increase(erasure_refused_tasks_total{{{_OF}}}[1h]))",
                "{{store}} refused tasks"),
               (f"sum by (store) (increase(erasure_buried_commands_total{{{_OF}}}[1h]))",
                "{{store}} dead letters"))),
        Shown("People in a command", "The mean of the last five minutes.", "short",
              ((f"sum by (store) (rate(erasure_command_batch_people_sum{{{_OF}}}[5m])) / "
                f"sum by (store) (rate(erasure_command_batch_people_count{{{_OF}}}[5m]))",
                "{{store}}"),)),
    ),
    "The stores themselves": (
        Shown("Statements", "95 of 100 take at most so long.", "s",
              ((f"histogram_quantile(0.95, sum by (store, pool, le) "
                f"(rate(erasure_statement_seconds_bucket{{{_OF}}}[5m])))",
                "{{store}} {{pool}}"),)),
        Shown("Connections in use", "Of those that there may be.", "percentunit",
              ((f"max by (store, pool) (erasure_pool_used_connections{{{_OF}}} / "
                f"(erasure_pool_size_connections{{{_OF}}} > 0))", "{{store}} {{pool}}"),)),
    ),
    "Sweeps and topics": (
        Shown("Rows swept", "Rows a second.", "short",
              ((f"sum by (store) (rate(erasure_swept_rows_total{{{_OF}}}[5m]))", "{{store}}"),)),
        Shown("Messages not read yet", "Per consumer group; the broker's own view.", "short",
              (("max by (group) (erasure_group_lag_messages)", "{{group}}"),)),
    ),
}  # fmt: skip


def build(uid: str, title: str, rows: dict[str, tuple[Shown, ...]]) -> str:
    """One dashboard as the JSON that Grafana reads."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags(["erasure-worker"])
        .refresh("30s")
        .time("now-6h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    if any("$store" in query for row in rows.values() for one in row for query, _ in one.queries):
        made.with_variable(
            dashboard.QueryVariable("store")
            .datasource(SOURCE)
            .query("label_values(erasure_store_lag_people, store)")
            .multi(True)
            .include_all(True)
            .all_value(EVERY)
        )
    for name, panels in rows.items():
        made.with_row(dashboard.Row(name))
        for one in panels:
            made.with_panel(_panel(one))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _panel(one: Shown) -> stat.Panel | timeseries.Panel:
    panel: stat.Panel | timeseries.Panel
    panel = stat.Panel().span(4).height(4) if one.number else timeseries.Panel().span(12).height(8)
    panel.title(one.title).description(one.what).unit(one.unit).datasource(SOURCE)
    for query, legend in one.queries:
        panel.with_target(prometheus.Dataquery().expr(query).legend_format(legend))
    return panel


DASHBOARDS: Final = {
    "erasure-promise.json": ("erasure-promise", "Erasure: is the promise kept?", PROMISE),
    "erasure-stores.json": ("erasure-stores", "Erasure: the stores", STORES),
}


if __name__ == "__main__":
    for name, (uid, title, rows) in DASHBOARDS.items():
        (FOLDER / name).write_text(build(uid, title, rows), encoding="utf-8")
