"""Columns by which rows are found or dated must not change while their row stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.core.grounds import Ground
from worker.core.linking import dates_of
from worker.core.references import Flaw, Place
from worker.core.tables import DateRule, FieldRule, Store, TableRule


def lost_rows(
    place: Place, name: str, table: TableRule, store: Store, grounds: Mapping[str, Ground]
) -> Iterator[Flaw]:
    """Find the fields of one table that lead to other rows, or date its own, and may not go.

    A link by value may go all the same when nothing below outlives it.
    """
    children = _children(name, store)
    needed = _needed(name, table, store)
    links: dict[str, list[str]] = {}
    for child_name, child in children.items():
        for theirs in child.parent.columns.values() if child.parent else ():
            links.setdefault(theirs, []).append(child_name)
    # A row that nothing hangs on and whose fields share their grounds is deleted whole.
    one_group = len({frozenset(field.grounds) for field in table.fields.values()}) == 1
    pointed_at = any(link.table == name for t in store.tables.values() for link in t.references)
    if not table.stays and one_group and not children and not pointed_at:
        return
    for field_name, field in table.fields.items():
        column = field.column or field_name
        if field.path is not None:
            continue
        if column in needed:
            yield Flaw(
                (*place, "fields", field_name),
                f"'{column}' is the {needed[column]}: overwritten, the row could not be found or "
                "dated again; take it out of fields, it goes with the row",
            )
            continue
        for below in links.get(column, ()):
            outliving = _outliving(field, table, below, store, grounds)
            if outliving:
                yield Flaw(
                    (*place, "fields", field_name),
                    f"'{column}' is the link of the children: overwritten, the rows of "
                    f"'{outliving[0]}' that ground '{outliving[1]}' keeps longer could not be "
                    "found again; take it out of fields, or give it that ground too, dated alike "
                    "(of: parent)",
                )
                break


def _needed(name: str, table: TableRule, store: Store) -> dict[str, str]:
    """Name the columns by which rows of a table are told apart, dated or led to, and for what."""
    needed = {d.column: "anchor" for d in _dates(table) if d.column and d.of == "row"}
    if table.parent:
        needed |= dict.fromkeys(table.parent.columns, "link to the parent")
    needed |= dict.fromkeys(table.key, "key")
    for other in store.tables.values():
        if other.parent and other.parent.table == name:
            dates = [d.column for d in _dates(other) if d.column and d.of == "parent"]
            needed |= dict.fromkeys(dates, "children's anchor")
            proofs = [e.column for e in other.evidence.values() if e.of == "parent"]
            needed |= dict.fromkeys(proofs, "children's evidence")
        linked = [d.newest or d.oldest for d in _dates(other) if d.in_ == name]
        needed |= dict.fromkeys(filter(None, linked), "anchor of linked rows")
        for link in (*other.references, other.shared_by):
            if link is not None and link.table == name:
                needed |= dict.fromkeys(link.columns.values(), "link of other rows")
    return needed


def _dates(table: TableRule) -> Iterator[DateRule]:
    for anchor in table.anchors.values():
        yield from dates_of(anchor)


def _children(name: str, store: Store) -> dict[str, TableRule]:
    return {n: t for n, t in store.tables.items() if t.parent and t.parent.table == name}


def _outliving(
    field: FieldRule, above: TableRule, name: str, store: Store, grounds: Mapping[str, Ground]
) -> tuple[str, str] | None:
    """Name a table below a link, and its ground that may live when none of the link's does."""
    table = store.tables[name]
    for below in table.fields.values():
        for ground in below.grounds:
            if ground not in field.grounds or not _alike(grounds[ground], above, table):
                return name, ground
    for deeper in _children(name, store):
        # Its dates are two steps away from the link's: only a ground without a date is the same.
        for below in store.tables[deeper].fields.values():
            for ground in below.grounds:
                if ground not in field.grounds or grounds[ground].anchor is not None:
                    return deeper, ground
    return None


def _alike(ground: Ground, above: TableRule, below: TableRule) -> bool:
    """Whether a ground that both tables use is over in both on the same day."""
    if ground.evidence == "column":
        return False
    if ground.anchor is None:
        return True
    there, here = above.anchors.get(ground.anchor), below.anchors.get(ground.anchor)
    if not isinstance(there, DateRule) or not isinstance(here, DateRule):
        return False
    return here.of == "parent" and there.of == "row" and here.column == there.column is not None
