"""From declared stores to the values that connectors run on (:mod:`connectors.mapping`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    FieldGroup,
    Filter,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    Pick,
    Restriction,
    StoreMapping,
    Table,
)
from worker.core.grounds import Ground
from worker.core.tables import (
    DateRule,
    FieldRule,
    FilterRule,
    LaterRule,
    LinkRule,
    Store,
    TableRule,
)


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
        _table(table_name, table, store, grounds, revocable, strong)
        for table_name, table in store.tables.items()
    )
    return StoreMapping(store=name, time_zone=time_zone, tables=tables)


def _table(
    name: str,
    rule: TableRule,
    store: Store,
    grounds: Mapping[str, Ground],
    revocable: Collection[str],
    strong: Collection[str],
) -> Table:
    return Table(
        name=name,
        relation=rule.relation or name,
        schema=rule.schema_,
        key=rule.key,
        parent=None if rule.parent is None else _link(rule.parent),
        groups=_groups(name, rule, store, grounds, revocable),
        identifiers=tuple(
            IdentifierColumn(kind, found.column, found.ignore_case, kind in strong)
            for kind, found in rule.identifiers.items()
        ),
        row_stays=rule.stays,
        drop_partition=rule.drop_partition,
        rows_per_person=rule.rows_per_person,
        where=tuple(_filter(column, filtered) for column, filtered in rule.where.items()),
        references=tuple(map(_link, rule.references)),
        shared_by=None if rule.shared_by is None else _link(rule.shared_by),
        detach=tuple(map(_link, rule.detach)),
        after=rule.history,
        restriction=None
        if rule.restrict is None
        else Restriction(rule.restrict.column, rule.restrict.value, rule.restrict.lifted),
        not_personal=tuple(rule.not_personal),
        others_not_personal=rule.not_personal_rows is not None,
        read_triggers=tuple(rule.triggers),
    )


def _link(rule: LinkRule) -> ParentLink:
    return ParentLink(rule.table, tuple(rule.columns.items()), rule.ignore_case)


def _filter(column: str, rule: FilterRule) -> Filter:
    return Filter(column, rule.in_ or rule.not_, negated=bool(rule.not_))


def _groups(
    table: str,
    rule: TableRule,
    store: Store,
    grounds: Mapping[str, Ground],
    revocable: Collection[str],
) -> tuple[FieldGroup, ...]:
    """Gather the fields that share their set of grounds, in the order of each group's first."""
    shared: dict[frozenset[str], dict[str, FieldRule]] = {}
    for column, field in rule.fields.items():
        shared.setdefault(frozenset(field.grounds), {})[column] = field
    return tuple(
        FieldGroup(
            name=f"{table}.{'+'.join(fields)}",
            fields=tuple(
                Field(field.column or name, field.category, field.overwrite, field.path)
                for name, field in fields.items()
            ),
            grounds=tuple(
                _use(ground, ground in revocable, grounds[ground], table, rule, store)
                for ground in sorted(names)
            ),
            irreversible=rule.anonymise is not None,
        )
        for names, fields in shared.items()
    )


def _use(
    name: str, revocable: bool, ground: Ground, table: str, rule: TableRule, store: Store
) -> GroundUse:
    evidence = rule.evidence.get(name) if ground.evidence == "column" else None
    proof = (
        None
        if evidence is None
        else Evidence(_filter(evidence.column, evidence.value), evidence.of == "parent")
    )
    if ground.anchor is None:
        return GroundUse(name, revocable, None, evidence=proof)
    mapped = rule.anchors[ground.anchor]
    dates = (mapped.later_of or mapped.earlier_of) if isinstance(mapped, LaterRule) else (mapped,)
    first, *others = (_date(date, table, rule, store) for date in dates)
    return GroundUse(
        name,
        revocable,
        first,
        tuple(others),
        earliest=isinstance(mapped, LaterRule) and bool(mapped.earlier_of),
        evidence=proof,
    )


def _date(date: DateRule, table: str, rule: TableRule, store: Store) -> Anchor:
    null = NullAnchor(date.null)
    if date.column is not None:
        return Anchor(date.column, date.of == "parent", null)
    pick = Pick.NEWEST if date.newest is not None else Pick.OLDEST
    column = date.newest or date.oldest or ""
    return Anchor(column, False, null, linked_to(table, rule, store, date.in_ or ""), pick)


def linked_to(table: str, rule: TableRule, store: Store, other: str) -> ParentLink | None:
    """Return how the rows of ``other`` belong to this table's, in either direction; None: not.

    So a link between people and a shared row may be dated by the shared row.
    """
    ours = [*rule.references, *([rule.parent] if rule.parent else ())]
    for link in ours:
        if link.table == other:
            return _link(link)
    there = store.tables.get(other)
    theirs = [] if there is None else [*there.references, there.parent, there.shared_by]
    for link in filter(None, theirs):
        if link.table == table:
            turned = tuple((own, their) for their, own in link.columns.items())
            return ParentLink(other, turned, link.ignore_case)
    return None
