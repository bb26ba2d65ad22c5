"""Rows that are kept for statistics must lead back to nobody (GDPR recital 26)."""

from __future__ import annotations

from collections.abc import Iterator

from worker.core.references import Flaw, Place
from worker.core.tables import Store, TableRule


def named_still(place: Place, name: str, table: TableRule, store: Store) -> Iterator[Flaw]:
    """Find the identifiers that an anonymised row would keep, in its own columns or its links.

    A link to a person by a number that events name the person by is such an identifier: whoever
    knows the number, as another store may, finds the person again.
    """
    if table.anonymise is None:
        return
    links = [link for link in (table.parent, table.shared_by) if link is not None]
    needed = {*table.key, *(own for link in links for own in link.columns)}
    emptied = {field.column or own for own, field in table.fields.items() if field.path is None}
    for column, kind in _identifiers(name, store, frozenset()).items():
        if column in needed:
            yield Flaw(
                (*place, "anonymise"),
                f"'{column}' holds the {kind} and stays in the row, which is told apart or linked "
                "by it, so the person can be found again; link the row by a key that names "
                "nobody, or write row: stays, which does not call it anonymous",
            )
        elif column not in emptied:
            yield Flaw(
                (*place, "anonymise"),
                f"'{column}' holds the {kind} and would stay in the row; add it under fields",
            )


def _identifiers(name: str, store: Store, seen: frozenset[str]) -> dict[str, str]:
    """Return the columns of a table that hold an identifier, each with its kind."""
    table = store.tables.get(name)
    if table is None or name in seen:
        return {}
    found = {rule.column: kind for kind, rule in table.identifiers.items()}
    for link in (table.parent, table.shared_by):
        if link is not None:
            above = _identifiers(link.table, store, seen | {name})
            found |= {own: above[theirs] for own, theirs in link.columns.items() if theirs in above}
    return found
