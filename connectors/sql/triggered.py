"""Triggers on the declared tables that change other tables when we delete or overwrite.

A trigger may copy what we erase (a history: declared with ``history: true`` it is cleaned), or
delete and overwrite what nobody decided about. Nothing can tell from its code alone which rows it
means, so each that deletes or updates other rows is refused until a person has read it.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.base import Finding
from connectors.mapping import StoreMapping, Table
from connectors.sql.alongside import may_go, may_stay
from connectors.sql.catalogue import DELETE, UPDATE, Catalogue, Trigger
from connectors.sql.reflect import full_name
from connectors.sql.writes import DELETE as DELETES
from connectors.sql.writes import INSERT as INSERTS
from connectors.sql.writes import Write, unreadable, writes

_TAKES = "a deletion may never take along what a ground still keeps"


def triggered(mapping: StoreMapping, catalogue: Catalogue) -> Iterator[Finding]:
    """Find what triggers would do beyond the erasure itself."""
    for table in mapping.tables:
        for trigger in catalogue.triggers:
            fires = trigger.relation == catalogue.names[table.name] and _fires(
                mapping, table, trigger
            )
            if fires and trigger.name not in table.read_triggers:
                yield from _of(mapping, catalogue, table, trigger)


def _fires(mapping: StoreMapping, table: Table, trigger: Trigger) -> bool:
    """Whether the worker ever does what fires a trigger."""
    if DELETE in trigger.events and may_go(table):
        return True
    stays = may_stay(mapping, table)
    fields = {
        field.column
        for group in table.groups
        for field in group.fields
        if stays or field.path is not None
    }
    detached = {
        theirs
        for other in mapping.tables
        for link in other.detach
        if link.table == table.name
        for _, theirs in link.columns
    }
    written = fields | detached
    if table.restriction is not None:
        written.add(table.restriction.column)
    named = trigger.columns
    return UPDATE in trigger.events and bool(written & named if named else written)


def _of(
    mapping: StoreMapping, catalogue: Catalogue, table: Table, trigger: Trigger
) -> Iterator[Finding]:
    where = f"trigger {trigger.name} of {full_name(table)}"
    at = ("tables", table.name)
    said = f"if you have read it and it does no harm, write triggers: {{{trigger.name}: <why>}}"
    for write in dict.fromkeys(writes(trigger.code or "")):
        there = _meant(mapping, catalogue, write)
        own = any(catalogue.names[t.name] == trigger.relation for t in there)
        history = any(t.after for t in there)
        if write.verb == INSERTS:
            if not history and not own:
                yield Finding(
                    "hole",
                    f"{where} writes into {write.table} when we erase",
                    f"declare {write.table} with history: true, so that it is cleaned last; or, "
                    + said,
                    "a copy of what is erased would stay there",
                    at,
                )
        elif not (own or history) or write.verb == DELETES:
            yield Finding(
                "error",
                f"{where} {'deletes' if write.verb == DELETES else 'updates'} rows of "
                f"{write.table} when we erase",
                "write row: stays to overwrite in place, or drop the trigger (the worker itself "
                f"erases what is declared); {said}",
                _TAKES,
                at,
            )
    if trigger.code is None or unreadable(trigger.code):
        yield Finding(
            "warning",
            f"{where} runs code that was not read",
            said,
            _TAKES,
            at,
        )


def _meant(mapping: StoreMapping, catalogue: Catalogue, write: Write) -> tuple[Table, ...]:
    """The declared tables that a statement may mean: by the name, in whatever case."""
    schema, name = write.schema.casefold(), write.table.casefold()
    return tuple(
        table
        for table in mapping.tables
        if catalogue.names[table.name][1].casefold() == name
        and schema in ("", catalogue.names[table.name][0].casefold(), "main")
    )
