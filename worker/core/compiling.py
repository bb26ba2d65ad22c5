"""From declared stores to the values that connectors run on (:mod:`connectors.mapping`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from worker.core.grounds import Ground
from worker.core.tables import FieldRule, Store, TableRule


def compile_store(
    name: str,
    store: Store,
    time_zone: str,
    grounds: Mapping[str, Ground],
    revocable: Collection[str],
    strong: Collection[str],
) -> StoreMapping:
    """Return a checked store's mapping; ``revocable`` grounds and ``strong`` identifiers by name.

    The same declarations give equal mappings, however the grounds of a field are ordered.
    """
    tables = tuple(
        _table(table_name, table, grounds, revocable, strong)
        for table_name, table in store.tables.items()
    )
    return StoreMapping(store=name, time_zone=time_zone, tables=tables)


def _table(
    name: str,
    rule: TableRule,
    grounds: Mapping[str, Ground],
    revocable: Collection[str],
    strong: Collection[str],
) -> Table:
    return Table(
        name=name,
        relation=rule.relation or name,
        schema=rule.schema_,
        key=rule.key,
        parent=None
        if rule.parent is None
        else ParentLink(rule.parent.table, tuple(rule.parent.columns.items())),
        groups=_groups(name, rule, grounds, revocable),
        identifiers=tuple(
            IdentifierColumn(kind, found.column, found.ignore_case, kind in strong)
            for kind, found in rule.identifiers.items()
        ),
        row_stays=rule.row == "stays",
        rows_per_person=rule.rows_per_person,
    )


def _groups(
    table: str, rule: TableRule, grounds: Mapping[str, Ground], revocable: Collection[str]
) -> tuple[FieldGroup, ...]:
    """Gather the fields that share their set of grounds, in the order of each group's first."""
    shared: dict[frozenset[str], dict[str, FieldRule]] = {}
    for column, field in rule.fields.items():
        shared.setdefault(frozenset(field.grounds), {})[column] = field
    return tuple(
        FieldGroup(
            name=f"{table}.{'+'.join(fields)}",
            fields=tuple(
                Field(column, field.category, field.overwrite) for column, field in fields.items()
            ),
            grounds=tuple(
                GroundUse(ground, ground in revocable, _anchor(grounds[ground], rule))
                for ground in sorted(names)
            ),
        )
        for names, fields in shared.items()
    )


def _anchor(ground: Ground, rule: TableRule) -> Anchor | None:
    if ground.anchor is None:
        return None
    mapped = rule.anchors[ground.anchor]
    return Anchor(mapped.column, mapped.of == "parent", NullAnchor(mapped.null))
