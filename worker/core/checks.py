"""What must hold between the parts of a policy, beyond spelling and names.

Each check finds every case of one mistake that would let data outlive their grounds, go too
early, or be lost sight of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.core.anonymising import named_still
from worker.core.grounds import Ground, GroundKind, Purpose
from worker.core.linking import dates_of
from worker.core.lost_dates import lost_dates
from worker.core.lost_rows import lost_rows
from worker.core.references import Flaw, Place
from worker.core.retention import MINUTES_OF_A_DAY, RetentionRule, works
from worker.core.tables import Store, TableRule
from worker.core.wording import near


def marketing_grounds(
    grounds: Mapping[str, Ground], purposes: Mapping[str, Purpose]
) -> Iterator[Flaw]:
    """Direct marketing rests on what an objection can end (GDPR art. 21(2)-(3)).

    Then an erasure request, which ends no contract and no duty, need not tell them apart.
    """
    for name, ground in grounds.items():
        if ground.purpose is None or not purposes[ground.purpose].direct_marketing:
            continue
        if ground.overriding:
            yield Flaw(
                ("grounds", name, "overriding"),
                "an objection to direct marketing always wins (GDPR art. 21(3)); "
                "write overriding: false",
            )
        elif ground.kind not in (GroundKind.CONSENT, GroundKind.LEGITIMATE_INTEREST):
            yield Flaw(
                ("grounds", name, "purpose"),
                f"direct marketing cannot rest on a {ground.kind}: anyone may object to it at "
                "any time (GDPR art. 21(2)); write kind: consent or kind: legitimate-interest",
            )


def hours_flaws(retention: RetentionRule, stores: Mapping[str, Store]) -> Iterator[Flaw]:
    """Every store has a minute of the day in which a sweep of it may work."""
    minutes, quiet = range(MINUTES_OF_A_DAY), retention.quiet_hours
    if not any(works(minute, quiet, ()) for minute in minutes):
        yield Flaw(
            ("retention", "quiet_hours"),
            "the whole day is quiet, so no sweep would ever work; leave it some hours",
        )
        return
    for name, store in stores.items():
        if not any(works(minute, quiet, store.sweep.hours) for minute in minutes):
            yield Flaw(
                ("stores", name, "sweep", "hours"),
                f"all these hours are quiet ({', '.join(map(str, quiet))}), so no sweep of "
                f"'{name}' would ever work; write other hours, or shorten retention.quiet_hours",
            )


def store_flaws(name: str, store: Store, grounds: Mapping[str, Ground]) -> Iterator[Flaw]:
    """Find what is wrong with one store, its tables in the declared order."""
    top: Place = ("stores", name, "tables")
    yield from _one_root(top, store)
    yield from _order(top, store)
    for table_name, table in store.tables.items():
        place: Place = (*top, table_name)
        yield from _identifiers(place, table)
        yield from _contents(place, table)
        yield from _anchors(place, table, grounds)
        yield from named_still(place, table_name, table, store)
        yield from lost_rows(place, table_name, table, store, grounds)
        yield from lost_dates(place, table_name, table, store, grounds)


def _one_root(top: Place, store: Store) -> Iterator[Flaw]:
    roots = [
        name
        for name, table in store.tables.items()
        if table.parent is None and table.shared_by is None
    ]
    if not roots:
        yield Flaw(top, "no table without a parent: the root's key is what names a person here")
    for name in roots[1:]:
        yield Flaw(
            (*top, name),
            f"'{name}' has no parent, nor has '{roots[0]}': a store has one root; "
            f"add parent: {{table: {roots[0]}, columns: {{…}}}}",
        )


def _order(top: Place, store: Store) -> Iterator[Flaw]:
    seen: set[str] = set()
    for name, table in store.tables.items():
        if table.parent is not None and table.parent.table not in seen:
            above = table.parent.table
            what = "itself" if above == name else f"'{above}', which is declared after it"
            yield Flaw((*top, name), f"'{name}' hangs below {what}; declare the parent first")
        seen.add(name)


def _identifiers(place: Place, table: TableRule) -> Iterator[Flaw]:
    if table.shared_by is not None:
        return
    if table.parent is None and not table.identifiers:
        yield Flaw(
            place,
            "no event can reach this store: its root declares no identifiers; "
            "add identifiers: {<kind>: <column>}",
        )
    elif table.parent is not None and table.identifiers:
        yield Flaw(
            (*place, "identifiers"), "only the root is looked up; move the identifiers there"
        )
    if table.parent is not None and table.rows_per_person == "many":
        yield Flaw(
            (*place, "rows_per_person"), "only the root says this; children may always be many"
        )


def _contents(place: Place, table: TableRule) -> Iterator[Flaw]:
    if not table.fields:
        yield Flaw(
            place,
            "a table without fields has no ground to be kept on, so every event would empty it; "
            "declare its fields, or leave the table out",
        )
    for name, field in table.fields.items():
        if len(set(field.grounds)) < len(field.grounds):
            yield Flaw((*place, "fields", name, "grounds"), "a ground stands twice; name it once")
        column = field.column or name
        if field.path is None and column in table.not_personal:
            yield Flaw(
                (*place, "not_personal", column),
                f"'{column}' is under fields as well: it holds personal data or it does not; "
                "take it out here",
            )


def _anchors(place: Place, table: TableRule, grounds: Mapping[str, Ground]) -> Iterator[Flaw]:
    for name, anchor in table.anchors.items():
        for date in dates_of(anchor):
            if date.of == "parent" and table.parent is None:
                yield Flaw((*place, "anchors", name), "the root has no parent; write of: row")
    for column, field in table.fields.items():
        for at, used in enumerate(field.grounds):
            anchor_name = grounds[used].anchor
            if anchor_name is not None and anchor_name not in table.anchors:
                yield Flaw(
                    (*place, "fields", column, "grounds", at),
                    f"'{used}' runs from the anchor '{anchor_name}', which this table does not "
                    f"map{near(anchor_name, table.anchors)}; add under anchors: "
                    f'{anchor_name}: {{column: <date column>, "null": running or unknown}}',
                )
