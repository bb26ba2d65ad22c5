"""What must hold of the links that a store declares beside its tree of parents and children.

Each check finds every case of one mistake that would lead to the wrong rows, or to none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.core.compiling import linked_to
from worker.core.grounds import Ground
from worker.core.references import Flaw, Place
from worker.core.tables import DateRule, LaterRule, LinkRule, Store, TableRule
from worker.core.wording import near


def link_flaws(name: str, store: Store, grounds: Mapping[str, Ground]) -> Iterator[Flaw]:
    """Find what is wrong with one store's links, its tables in the declared order."""
    before: set[str] = set()
    for table_name, table in store.tables.items():
        place: Place = ("stores", name, "tables", table_name)
        yield from _names(place, table, store)
        yield from _references(place, table, before)
        yield from _shared(place, table_name, table, store, before)
        yield from _linked_dates(place, table_name, table, store)
        yield from _evidence(place, table, grounds)
        yield from _restriction(place, table)
        yield from _lost_conditions(place, table)
        before.add(table_name)


def dates_of(anchor: DateRule | LaterRule) -> tuple[DateRule, ...]:
    """Return the one date of an anchor, or the several of which one counts."""
    if isinstance(anchor, LaterRule):
        return anchor.later_of or anchor.earlier_of
    return (anchor,)


def _links(table: TableRule) -> Iterator[tuple[tuple[str | int, ...], LinkRule]]:
    for at, link in enumerate(table.references):
        yield ("references", at), link
    for at, link in enumerate(table.detach):
        yield ("detach", at), link
    if table.shared_by is not None:
        yield ("shared_by",), table.shared_by


def _names(place: Place, table: TableRule, store: Store) -> Iterator[Flaw]:
    for where, link in _links(table):
        if link.table not in store.tables:
            yield Flaw(
                (*place, *where, "table"),
                f"no table of this store is called '{link.table}'{near(link.table, store.tables)}",
            )


def _references(place: Place, table: TableRule, before: set[str]) -> Iterator[Flaw]:
    """Rows that point go before the rows they point at: so those are declared first."""
    for at, link in enumerate(table.references):
        if link.table not in before:
            yield Flaw(
                (*place, "references", at, "table"),
                f"this table points at '{link.table}', which must be declared before it: what is "
                "declared first is erased last",
            )


def _shared(
    place: Place, name: str, table: TableRule, store: Store, before: set[str]
) -> Iterator[Flaw]:
    if table.parent is not None and (above := store.tables.get(table.parent.table)) is not None:
        if above.shared_by is not None:
            yield Flaw(
                (*place, "parent"),
                f"'{table.parent.table}' belongs to several people, and nothing can hang below "
                "it; let the database delete these rows with it, or declare them shared as well",
            )
        return
    if table.shared_by is None:
        return
    if table.identifiers:
        yield Flaw(
            (*place, "identifiers"),
            f"'{name}' belongs to several people, so nobody is looked up there; drop identifiers",
        )
    if table.shared_by.table not in before:
        yield Flaw(
            (*place, "shared_by", "table"),
            f"'{name}' is found through '{table.shared_by.table}', which must be declared before "
            "it",
        )
    elif (links := store.tables[table.shared_by.table]).shared_by is not None:
        yield Flaw(
            (*place, "shared_by", "table"),
            "a link table belongs to one person, it is not shared itself",
        )
    elif links.stays:
        yield Flaw(
            (*place, "shared_by", "table"),
            f"rows of '{table.shared_by.table}' stay, so '{name}' would never go",
        )


def _linked_dates(place: Place, name: str, table: TableRule, store: Store) -> Iterator[Flaw]:
    for anchor_name, anchor in table.anchors.items():
        for date in dates_of(anchor):
            if date.in_ is None:
                continue
            where = (*place, "anchors", anchor_name)
            if date.in_ not in store.tables:
                known = near(date.in_, store.tables)
                yield Flaw(where, f"no table of this store is called '{date.in_}'{known}")
            elif linked_to(name, table, store, date.in_) is None:
                yield Flaw(
                    where,
                    f"nothing says how rows of '{date.in_}' belong to rows of '{name}'; add "
                    f"references: [{{table: …, columns: {{…}}}}] to the table that points at the "
                    "other",
                )


def _evidence(place: Place, table: TableRule, grounds: Mapping[str, Ground]) -> Iterator[Flaw]:
    """GDPR art. 7(1): who relies on a consent must be able to show it."""
    used = {ground for field in table.fields.values() for ground in field.grounds}
    wanted = {ground for ground in used if grounds[ground].evidence == "column"}
    for ground in sorted(wanted - set(table.evidence)):
        yield Flaw(
            place,
            f"'{ground}' has its evidence in a column, which this table does not name; add "
            f"evidence: {{{ground}: {{column: …, value: …}}}}",
        )
    for ground, evidence in table.evidence.items():
        where = (*place, "evidence", ground)
        if ground not in grounds:
            yield Flaw(where, f"no ground is called '{ground}'{near(ground, grounds)}")
        elif ground not in wanted:
            yield Flaw(
                where,
                f"no field of this table rests on '{ground}' with evidence: column; drop this, or "
                "write evidence: column in the ground",
            )
        if evidence.of == "parent" and table.parent is None:
            yield Flaw((*where, "of"), "this table has no parent; write of: row")


def _restriction(place: Place, table: TableRule) -> Iterator[Flaw]:
    """GDPR art. 18: what says that one person is restricted must say it of nobody else."""
    restrict = table.restrict
    if restrict is None:
        return
    where = (*place, "restrict")
    if restrict.value == restrict.lifted:
        yield Flaw(where, "value and lifted are the same, so nobody could tell; write two values")
    if table.shared_by is not None:
        yield Flaw(where, "these rows belong to several people: restrict their links instead")
    if restrict.column in table.where:
        yield Flaw(
            (*where, "column"),
            f"'{restrict.column}' decides under where: which rows are meant, so a restricted row "
            "would not be found again; name another column",
        )


def _lost_conditions(place: Place, table: TableRule) -> Iterator[Flaw]:
    """A column that decides which rows are meant must not change while its row stays."""
    decides = dict.fromkeys(table.where, "where")
    if table.restrict is not None:
        decides[table.restrict.column] = "restrict"
    own = (e.column for e in table.evidence.values() if e.of == "row")
    decides |= dict.fromkeys(own, "evidence")
    decides |= {own: "references" for link in table.references for own in link.columns}
    for name, field in table.fields.items():
        column = field.column or name
        if field.path is None and column in decides:
            yield Flaw(
                (*place, "fields", name),
                f"'{column}' is used under {decides[column]}: overwritten, the row would not be "
                "what it was; take it out of fields, it goes with the row",
            )
