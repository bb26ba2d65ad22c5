"""What a change of the policy means: each thing that alters what is erased or when, in words.

Every change says which way it goes (:mod:`worker.core.directions`): whether data may go sooner by
it than before, are kept longer, both, or neither. Texts, references and categories alter neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from worker.core.comparing_tables import Told, store_changes
from worker.core.directions import Direction
from worker.core.periods import Rounding
from worker.core.policy import Policy
from worker.core.tables import Store


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``place`` is the part of the policy that it is in.

    ``counted`` says that rows can tell of it, as ``--live`` has the stores count them; the rest
    depends on what is not in a row, such as an event that is yet to come. ``store`` and ``table``
    are None for what concerns more than one.
    """

    place: str
    what: str
    direction: Direction
    counted: bool
    store: str | None = None
    table: str | None = None


def compare(old: Policy, new: Policy) -> list[Change]:
    """Return every change from one policy to another, the general ones first.

    Two policies that erase alike have none, whatever else they say.
    """
    found = [Change(place, *told) for place, told in _general(old, new)]
    for name in dict.fromkeys((*old.stores, *new.stores)):
        was, now = old.stores.get(name), new.stores.get(name)
        if was is not None and now is not None:
            for table, fields, told in store_changes(old, new, was, now):
                parts = [name, *filter(None, (table, ", ".join(fields)))]
                found.append(Change(".".join(parts), *told, store=name, table=table))
        elif now is not None:
            said = f"is new: {_tables(now)} are erased from now on"
            found.append(Change(name, said, Direction.SOONER, True, store=name))
        elif was is not None:
            said = f"is no longer declared: {_tables(was)} are no longer erased"
            found.append(Change(name, said, Direction.LONGER, True, store=name))
    return found


def _tables(store: Store) -> str:
    return ", ".join(store.tables)


def _general(old: Policy, new: Policy) -> Iterator[tuple[str, Told]]:
    if old.country != new.country:
        said = f"{old.country} → {new.country}: other public holidays move the deadlines, and "
        said += "telephone numbers without a prefix are read as those of another country"
        yield "country", (said, Direction.UNCLEAR, False)
    if old.time_zone != new.time_zone:
        said = f"{old.time_zone} → {new.time_zone}: another day begins at another time, and a time "
        said += "stamp may count as another date"
        yield "time_zone", (said, Direction.UNCLEAR, False)
    if old.fiscal_year_starts != new.fiscal_year_starts:
        yield "fiscal_year_starts", _fiscal(old, new)
    for kind in dict.fromkeys((*old.identifiers, *new.identifiers)):
        yield from ((f"identifiers.{kind}", told) for told in _identifier(old, new, kind))


def _fiscal(old: Policy, new: Policy) -> Told:
    months = f"month {old.fiscal_year_starts} → month {new.fiscal_year_starts}"
    by = [
        name
        for name in old.grounds.keys() & new.grounds.keys()
        if all(
            policy.grounds[name].rounding is Rounding.END_OF_FISCAL_YEAR for policy in (old, new)
        )
    ]
    if not by:
        return f"{months}: no ground of both policies is counted by it", Direction.NEITHER, True
    said = f"{months}: {', '.join(sorted(by))} end with another year"
    return said, Direction.UNCLEAR, True


def _identifier(old: Policy, new: Policy, kind: str) -> Iterator[Told]:
    """Whoever leads to more rows has more erased, and may lead to two people: then a case waits."""
    was, now = old.identifiers.get(kind), new.identifiers.get(kind)
    if was is None:
        yield "is new: events may name a person by it", Direction.UNCLEAR, False
    elif now is None:
        yield "is gone: an event that names a person by it is refused", Direction.UNCLEAR, False
    else:
        if was.form != now.form:
            said = f"{was.form} → {now.form}: other spellings are the same value"
            yield said, Direction.UNCLEAR, False
        if was.strong is not now.strong:
            said = "weak → strong: it leads from one store on to another"
            if was.strong:
                said = "strong → weak: it no longer leads from one store on to another"
            said += ", so that other rows are found and other cases wait for a decision"
            yield said, Direction.UNCLEAR, False
