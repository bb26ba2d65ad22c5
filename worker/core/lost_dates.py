"""Dates that go before what they count for: where a ground looks at rows that are erased first.

Rows go before the rows they hang on or point at. A ground that runs from the newest of them is
over too early unless they live as long by the same ground; and which is the oldest, or whether any
is over, changes as they go. Whatever could be lost so is refused, with the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.core.grounds import Ground
from worker.core.linking import dates_of
from worker.core.references import Flaw, Place
from worker.core.tables import DateRule, LaterRule, Store, TableRule


def lost_dates(
    place: Place, name: str, table: TableRule, store: Store, grounds: Mapping[str, Ground]
) -> Iterator[Flaw]:
    """Find the anchors and evidence of one table that look at rows which may go first."""
    if table.history:
        yield from _of_a_history(place, table)
        return
    used = sorted({ground for field in table.fields.values() for ground in field.grounds})
    for anchor_name, anchor in table.anchors.items():
        mine = [ground for ground in used if grounds[ground].anchor == anchor_name]
        for date in dates_of(anchor):
            other = store.tables.get(date.in_ or "")
            if other is None or other.stays or not _hangs(other, name):
                continue
            where = (*place, "anchors", anchor_name)
            if date.oldest or (isinstance(anchor, LaterRule) and anchor.earlier_of):
                yield Flaw(
                    where,
                    f"rows of '{date.in_}' go before the rows of '{name}', the oldest first: which "
                    "date counts would change as they go; write newest:, alone or under later_of, "
                    f"or row: stays in '{date.in_}'",
                )
                continue
            for ground in mine:
                if not _as_long(ground, grounds[ground], other, date):
                    yield Flaw(
                        where,
                        f"rows of '{date.in_}' go before the rows of '{name}', and with them the "
                        f"date from which '{ground}' runs: it would be over too early; give a "
                        f"field of '{date.in_}' that ground too, run from its '{date.newest}', or "
                        "write row: stays there",
                    )
    if table.shared_by is not None:
        yield from _of_a_shared_row(place, name, table, store, used, grounds)


def _of_a_history(place: Place, table: TableRule) -> Iterator[Flaw]:
    """A history is cleaned when the rows it hangs on have gone, so it can only look at itself."""
    for anchor_name, anchor in table.anchors.items():
        if any(date.in_ is not None or date.of == "parent" for date in dates_of(anchor)):
            yield Flaw(
                (*place, "anchors", anchor_name),
                "a history is cleaned last, when the rows it hangs on may be gone with their "
                "dates; name a column of the history itself",
            )
    for ground, evidence in table.evidence.items():
        if evidence.of == "parent":
            yield Flaw(
                (*place, "evidence", ground, "of"),
                "a history is cleaned last, when its parent may be gone; write of: row",
            )


def _of_a_shared_row(
    place: Place,
    name: str,
    table: TableRule,
    store: Store,
    used: list[str],
    grounds: Mapping[str, Ground],
) -> Iterator[Flaw]:
    """Nobody finds a shared row again that outlives its last link."""
    assert table.shared_by is not None  # noqa: S101 - only asked for a shared table
    links = store.tables.get(table.shared_by.table)
    if links is None:
        return
    theirs = {ground for field in links.fields.values() for ground in field.grounds}
    for ground in used:
        if ground not in theirs or not _dated_by(grounds[ground], name, table, links):
            yield Flaw(
                (*place, "shared_by"),
                f"the last link in '{table.shared_by.table}' may go while '{ground}' still keeps "
                "the shared row, which nobody would find again; give a field of "
                f"'{table.shared_by.table}' that ground too"
                + _with_date(grounds[ground], name, table),
            )


def _with_date(ground: Ground, name: str, table: TableRule) -> str:
    if ground.anchor is None:
        return ""
    anchor = table.anchors[ground.anchor]
    column = anchor.column if isinstance(anchor, DateRule) else "<one column>"
    return f', with {ground.anchor}: {{newest: {column}, in: {name}, "null": …}}'


def _dated_by(ground: Ground, name: str, table: TableRule, links: TableRule) -> bool:
    """Whether a ground is over for the links of a shared row on the day it is over for the row."""
    if ground.evidence == "column":
        return False
    if ground.anchor is None:
        return True
    here, there = table.anchors[ground.anchor], links.anchors.get(ground.anchor)
    if not isinstance(here, DateRule) or not isinstance(there, DateRule):
        return False
    return there.in_ == name and (there.newest or there.oldest) == here.column


def _hangs(other: TableRule, name: str) -> bool:
    """Whether rows of another table hang below this one's or point at them, and so go first."""
    links = [*other.references, *([other.parent] if other.parent else ())]
    return any(link.table == name for link in links)


def _as_long(name: str, ground: Ground, other: TableRule, date: DateRule) -> bool:
    """Whether a row stays, by the same ground, while its date keeps that ground alive."""
    if ground.anchor is None or ground.evidence == "column":
        return False
    if not any(name in field.grounds for field in other.fields.values()):
        return False
    there = other.anchors[ground.anchor]
    if isinstance(there, LaterRule) and there.earlier_of:
        return False
    return any(one.column == date.newest and one.of == "row" for one in dates_of(there))
