"""The way of a sweep through a store: which tables it walks, in which order, and looking for whom.

A leg is one walk of one table. Children are walked before their parents, because a row goes only
when nothing hangs on it; histories, which the store fills while others are erased, come last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from connectors.mapping import StoreMapping, Table


class Aim(StrEnum):
    """Whom or what a leg looks for."""

    CONSENTS = "consents"
    """People of whom only what they said themselves decides; each is erased by key."""
    PEOPLE = "people"
    """People with a link to a row that belongs to several; each is erased by key."""
    ROWS = "rows"
    """Rows past their last ground, whoever's they are; erased together."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One walk of one table."""

    table: str
    aim: Aim


def visited(mapping: StoreMapping, table: str | None, ground: str | None) -> tuple[str, ...]:
    """Return the names of the tables that a rule is about, parents first.

    A rule's table brings those along whose rows hang on its rows. Raises LookupError for a table
    or a ground that the store does not have.
    """
    meant = [
        one.name
        for one in mapping.tables
        if table in (None, one.name) and (ground is None or ground in _grounds(one))
    ]
    if not meant:
        raise LookupError(f"no table of {mapping.store} is meant by this rule")
    chosen = set(meant)
    while more := {other.name for other in mapping.tables if chosen & set(_held(other))} - chosen:
        chosen |= more
    return tuple(one.name for one in mapping.tables if one.name in chosen)


def legs(mapping: StoreMapping, table: str | None, ground: str | None) -> tuple[Leg, ...]:
    """Return the legs of a rule's sweep, in their order."""
    names = visited(mapping, table, ground)
    chosen = [one for one in reversed(mapping.tables) if one.name in names]
    by_person = [Leg(one.name, Aim.CONSENTS) for one in chosen if _by_person(mapping, one)]
    return (*by_person, *_rows(mapping, chosen))


def again(mapping: StoreMapping, table: str | None, ground: str | None) -> tuple[Leg, ...]:
    """Return the legs of one more pass, for what the first did not meet where it then was."""
    names = visited(mapping, table, ground)
    return tuple(_rows(mapping, [one for one in reversed(mapping.tables) if one.name in names]))


def along(mapping: StoreMapping, table: str) -> tuple[str, ...]:
    """Return the tables of which rows may go in one chunk with the row of ``table`` they hang on.

    Nothing hangs on theirs, and theirs on nothing else: no other leg waits for them to be gone.
    """
    held = {name for other in mapping.tables for name in _held(other)}
    links = {one.shared_by.table for one in mapping.tables if one.shared_by is not None}
    return tuple(
        one.name
        for one in mapping.tables
        if set(_held(one)) == {table}
        and one.name not in held | links
        and not (one.after or one.drop_partition)
        and one.shared_by is None
    )


def _rows(mapping: StoreMapping, chosen: list[Table]) -> Iterator[Leg]:
    links = {one.shared_by.table for one in mapping.tables if one.shared_by is not None}
    for after in (False, True):
        for one in chosen:
            # A shared row goes with its last link, in the leg of the links.
            if one.after is after and one.shared_by is None:
                yield Leg(one.name, Aim.PEOPLE if one.name in links else Aim.ROWS)


def _held(table: Table) -> Iterator[str]:
    """The tables whose rows the rows of a table hang on."""
    if table.parent is not None:
        yield table.parent.table
    yield from (link.table for link in table.references)


def _grounds(table: Table) -> set[str]:
    return {use.ground for group in table.groups for use in group.grounds}


def _by_person(mapping: StoreMapping, table: Table) -> bool:
    """Whether what a person said may decide of a table's rows, or of the copies made of them."""
    revocable = any(use.revocable for group in table.groups for use in group.grounds)
    return table.shared_by is None and (revocable or mapping.copies)
