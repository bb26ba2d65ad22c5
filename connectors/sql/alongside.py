"""What the store itself deletes, or refuses to delete, when a row of ours goes.

The engine deletes children before parents, and a row only when no row of a declared child, of a
declared reference or of a link to a shared row names it. So a foreign key that such a link spans
never finds a row to refuse for, or to take along, and is harmless whatever its ON DELETE says. (A
row that comes in at the same moment waits for ours or is seen: see :func:`cascading`.)

Every other foreign key finds rows that nobody decided about:

* ``CASCADE`` takes them along, whatever grounds they live on: the worker must not run;
* ``NO ACTION`` and ``RESTRICT`` refuse the delete: the person is not erased;
* ``SET NULL`` and ``SET DEFAULT`` let the row go and the others stay.

Histories are cleaned after the rows that they hang on, so no link of theirs spans anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.base import Finding
from connectors.mapping import ParentLink, StoreMapping, Table
from connectors.sql.catalogue import (
    CASCADE,
    SET_DEFAULT,
    SET_NULL,
    Catalogue,
    ForeignKey,
)
from connectors.sql.coverage import cover
from connectors.sql.overwrites import plain
from connectors.sql.reflect import full_name

Pairs = frozenset[tuple[str, str]]


def alongside(mapping: StoreMapping, catalogue: Catalogue) -> Iterator[Finding]:
    """Find the foreign keys that take along, or stop, what the policy says nothing of."""
    for table in mapping.tables:
        for key in _pointing(catalogue, table):
            if may_go(table) and not _settled(mapping, catalogue, table, key):
                yield from _on_delete(mapping, catalogue, table, key)
            yield from _on_update(table, key)


def cascading(mapping: StoreMapping, catalogue: Catalogue) -> frozenset[str]:
    """Tables with a cascade into a declared one, harmless unless a row comes in meanwhile.

    PostgreSQL decides on the rows that were there when the DELETE began, waits for whoever is
    just adding one, and then takes it along. Where the rows are locked beforehand, whoever adds
    one is waited for first, and is seen.
    """
    return frozenset(
        table.name
        for table in mapping.tables
        if may_go(table) and any(key.on_delete == CASCADE for key in _pointing(catalogue, table))
    )


def may_go(table: Table) -> bool:
    """Whether rows of a table are ever deleted."""
    return bool(table.groups) and not table.row_stays


def may_stay(mapping: StoreMapping, table: Table) -> bool:
    """Whether fields of a table are ever overwritten in a row that stays."""
    if table.shared_by is not None:
        return False
    held = any(
        link.table == table.name
        for other in mapping.tables
        if not other.after
        for link in (*other.references, *((other.parent,) if other.parent else ()))
    )
    return table.row_stays or len(table.groups) > 1 or held


def _pointing(catalogue: Catalogue, table: Table) -> Iterator[ForeignKey]:
    name = catalogue.names[table.name]
    return (key for key in catalogue.foreign_keys if key.referred == name)


def _settled(mapping: StoreMapping, catalogue: Catalogue, table: Table, key: ForeignKey) -> bool:
    """Whether the engine waits for the rows behind a key to go, or empties their pointers."""
    spanned: Pairs = frozenset(key.columns)
    there = catalogue.tables(mapping, key.relation)
    if any(
        _turned(link) <= spanned
        for link in table.detach
        if any(other.name == link.table for other in there)
    ):
        return True
    holding = [other for other in there if _holds(other, table, spanned)]
    return bool(holding) and cover([other.where for other in holding])


def _holds(other: Table, table: Table, spanned: Pairs) -> bool:
    """Whether a row of ``other`` that a foreign key spans keeps the row of ``table`` it names."""
    if other.after:
        return False
    links = [*other.references, *((other.parent,) if other.parent else ())]
    if table.shared_by is not None and table.shared_by.table == other.name:
        links.append(ParentLink(table.name, tuple(_turned(table.shared_by))))
    return any(link.table == table.name and set(link.columns) <= spanned for link in links)


def _turned(link: ParentLink) -> Pairs:
    return frozenset((theirs, own) for own, theirs in link.columns)


def _on_delete(
    mapping: StoreMapping, catalogue: Catalogue, table: Table, key: ForeignKey
) -> Iterator[Finding]:
    there = catalogue.tables(mapping, key.relation)
    history = any(other.after and other.parent for other in there)
    if key.on_delete in (SET_NULL, SET_DEFAULT) and not history:
        return
    name, other = full_name(table), ".".join(part for part in key.relation if part)
    columns = ", ".join(own for own, _ in key.columns)
    at = ("tables", table.name)
    if key.on_delete == CASCADE:
        yield Finding(
            "error",
            f"deleting a row of {name} takes rows of {other} along "
            f"(ON DELETE CASCADE of {columns})",
            _way_out(table, there, key),
            "a deletion may never take along what a ground still keeps",
            at,
        )
    elif history and key.on_delete in (SET_NULL, SET_DEFAULT):
        yield Finding(
            "error",
            f"deleting a row of {name} empties {columns} in the history {other}",
            f"drop the foreign key of {other}, so that its rows can still be found",
            "the history is cleaned after that, and could not be found any more",
            at,
        )
    else:
        yield Finding(
            "hole",
            f"{other} stops the deletion of a row of {name} (foreign key of {columns}, "
            f"ON DELETE {key.on_delete})",
            _way_out(table, there, key),
            "the store would refuse to erase whoever has such a row",
            at,
        )


def _way_out(table: Table, there: tuple[Table, ...], key: ForeignKey) -> str:
    """What to write so that nobody's row is deleted, or stops a deletion, without a decision."""
    pairs = ", ".join(f"{own}: {theirs}" for own, theirs in key.columns)
    stays = f"row: stays in '{table.name}', whose fields are then overwritten in place"
    if not there:
        relation = key.relation[1]
        return (
            f"declare {relation} (parent: {{table: {table.name}, columns: {{{pairs}}}}}) with its "
            f"fields and grounds; or write {stays}"
        )
    if any(_holds(other, table, frozenset(key.columns)) for other in there):
        names = ", ".join(other.name for other in there)
        return f"let a table mean the rows that the where: of {names} leaves out; or write {stays}"
    turned = ", ".join(f"{theirs}: {own}" for own, theirs in key.columns)
    first = there[0]
    if first.after:
        return f"drop the foreign key, or write {stays}"
    detach = f"detach: [{{table: {first.name}, columns: {{{turned}}}}}] in '{table.name}'"
    points = ""
    if first.name != table.name:
        points = (
            f"references: [{{table: {table.name}, columns: {{{pairs}}}}}] in '{first.name}' to "
            "keep the row as long as theirs; or "
        )
    return f"write {points}{detach} to empty the pointer first; or {stays}"


def _on_update(table: Table, key: ForeignKey) -> Iterator[Finding]:
    """A column that others name must not be overwritten, unless they may follow it."""
    fields = {field.column for group in table.groups for field in plain(group)}
    named = [theirs for _, theirs in key.columns if theirs in fields]
    if not named or key.on_update in (SET_NULL, SET_DEFAULT):
        return
    other = ".".join(part for part in key.relation if part)
    takes = key.on_update == CASCADE
    yield Finding(
        "error" if takes else "hole",
        f"{other} names rows of {full_name(table)} by {', '.join(named)}, which is overwritten"
        + (" there as well (ON UPDATE CASCADE)" if takes else ": the store refuses that"),
        f"let {other} name them by their key",
        "an erasure changes what the policy says, and nothing else" if takes else "",
        ("tables", table.name, "fields", named[0]),
    )
