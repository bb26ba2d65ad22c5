"""The tables of the story: rows of the stores before and after, and receipts as published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from worker.core.grounds import GroundKind
from worker.core.policy import Policy
from worker.core.terms import Terms, ground_sentence
from worker.demo.outbound import Receipt
from worker.demo.stores import Seen

_GONE = "[red]row gone[/]"
_EMPTY = "[red]empty[/]"
_WRAPPED = frozenset({"fields", "kept by", "in words", "where"})
"""Columns whose text may take more than one line; that of others is cut."""
_SHARES = {"row": 6, "before": 5}
"""Columns that share what the others leave of the width."""
_OPEN = {
    GroundKind.CONSENT: "withdrawn",
    GroundKind.CONTRACT: "it ends",
    GroundKind.LEGAL_CLAIM: "claims lapse",
    GroundKind.LEGAL_OBLIGATION: "its period is over",
    GroundKind.LEGITIMATE_INTEREST: "objected to",
}
"""What ends a ground that has no date."""


def before_after(before: Sequence[Seen], after: Sequence[Seen]) -> Table:
    """Every personal field of somebody in every store, as it stood and as it stands."""
    table = _table("the stores themselves", "row", "field", "before", "after")
    left = {(seen.store, seen.row): seen.fields for seen in after}
    store = ""
    for seen in before:
        if seen.store != store:
            store = seen.store
            table.add_row(_heading(store))
        now = left.get((seen.store, seen.row))
        row = escape(seen.row)
        for field, value in seen.fields.items():
            if value is not None:
                table.add_row(row, field, escape(value), _now(value, now, field, bool(row)))
                row = ""
    return table


def _now(before: str, fields: Mapping[str, str | None] | None, field: str, first: bool) -> str:
    if fields is None:
        return _GONE if first else ""
    after = fields[field]
    if after == before:
        return "[dim]kept[/]"
    return _EMPTY if after is None else f"[yellow]{escape(after)}[/]"


def receipts(policy: Policy, told: Iterable[Receipt]) -> Table:
    """Receipts, outcome by outcome, as they stand on erasure.receipts."""
    table = _table("erasure.receipts", "fields", "outcome", "rows", "kept by")
    for receipt in sorted(told, key=lambda receipt: receipt.store):
        table.add_row(_heading(receipt.store))
        for outcome in receipt.outcomes:
            group = outcome["group"]
            table.add_row(
                "(nobody found)" if group == "*" else group.replace("+", ", "),
                _result(outcome["result"]),
                "" if outcome.get("rows") is None else str(outcome["rows"]),
                _kept_by(policy, outcome),
            )
    return table


def _result(result: str) -> str:
    colour = {"erased": "red", "anonymised": "yellow", "retained": "green"}.get(result, "dim")
    return f"[{colour}]{result}[/]"


def _kept_by(policy: Policy, outcome: Mapping[str, Any]) -> str:
    """The grounds that keep something, and until when."""
    grounds = outcome.get("grounds", ())
    if not grounds:
        return ""
    until = outcome.get("until") or outcome.get("why")
    if until is None:
        until = " and ".join(
            dict.fromkeys(_OPEN[policy.grounds[ground].kind] for ground in grounds)
        )
    return f"{', '.join(grounds)} until {until}"


def _heading(store: str) -> str:
    """The line that stands above a store's own."""
    return f"[bold]{store}[/]"


def reasons(told: Iterable[Receipt]) -> list[str]:
    """The grounds that keep something, each as its receipt tells it: law, period and words."""
    keeping = {name: terms for receipt in told for name, terms in receipt.grounds.items()}
    return [
        f"[green]{name}[/]{escape(ground_sentence(name, Terms(**terms)).removeprefix(name))}"
        for name, terms in sorted(keeping.items())
    ]


def rejections(told: Iterable[Mapping[str, Any]]) -> Table:
    """Rejections, as they stand on erasure.rejected: why, and where the message stood."""
    table = _table("erasure.rejected", "reason", "in words", "where", "id")
    for rejection in told:
        table.add_row(
            f"[red]{rejection['reason']}[/]",
            escape(rejection["detail"]),
            f"{rejection['topic']} partition {rejection['partition']} offset {rejection['offset']}",
            escape(rejection["id"]) if rejection["id"] else "[dim]unknown[/]",
        )
    return table


def counts(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]) -> Table:
    """How much personal data each store held, and holds."""
    table = _table("the stores themselves", "store", "personal data", "were", "are", right=2)
    last = ""
    for (store, what), number in before.items():
        now = after[store, what]
        table.add_row("" if store == last else store, what, f"{number:,}", f"{now:,}")
        last = store
    return table


def tally(told: Iterable[Receipt]) -> Table:
    """How often each outcome stands in many receipts, store by store."""
    counted: dict[str, dict[str, int]] = {}
    for receipt in told:
        row = counted.setdefault(receipt.store, {})
        for outcome in receipt.outcomes:
            row[outcome["result"]] = row.get(outcome["result"], 0) + 1
    results = ("erased", "anonymised", "retained", "absent")
    table = _table("outcomes on erasure.receipts", "store", *results, right=len(results))
    for store in sorted(counted):
        table.add_row(store, *(f"{counted[store].get(result, 0):,}" for result in results))
    return table


def _table(title: str, *columns: str, right: int = 0) -> Table:
    """A table with these columns; the last ``right`` of them hold numbers."""
    numbers = columns[len(columns) - right :]
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=not _SHARES.keys().isdisjoint(columns),
    )
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            overflow="ellipsis",
            no_wrap=column not in _WRAPPED,
            ratio=_SHARES.get(column),
        )
    return table
