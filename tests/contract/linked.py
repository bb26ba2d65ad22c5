"""Small stores of linked tables: people, and the bills that are theirs or point elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connectors.base import Work
from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)

CUTOFFS = {"books": date(2024, 12, 31)}
UNKNOWN, RUNNING = NullAnchor.UNKNOWN, NullAnchor.RUNNING
PEOPLE = "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), since date, until_ date)"
BILLS = "CREATE TABLE bills (no integer PRIMARY KEY, person integer, issued date)"
UP = ParentLink("people", (("person", "id"),))
DOWN = ParentLink("bills", (("id", "person"),))
NAME = (Field("name", "name", None),)


def table(
    name: str,
    *groups: FieldGroup,
    key: str = "id",
    parent: ParentLink | None = None,
    **more: object,
) -> Table:
    """Declare one table that is called in the database what the policy calls it."""
    relation = str(more.pop("relation", name))
    return Table(name, relation, None, (key,), parent, groups, **more)  # type: ignore[arg-type] # the caller's own words


def group(name: str, fields: tuple[Field, ...], *uses: GroundUse) -> FieldGroup:
    """Declare a field group."""
    return FieldGroup(name, fields, uses)


def books(*anchors: Anchor, earliest: bool = False) -> GroundUse:
    """The one ground with a period."""
    first, *others = anchors
    return GroundUse("books", False, first, tuple(others), earliest)


def mapping(*tables: Table) -> StoreMapping:
    """A store of some tables."""
    return StoreMapping("small", "Europe/Oslo", tables)


def everybody(*people: int, shape: Sequence[str] = ()) -> Work:
    """Work on people."""
    return Work(tuple(shape), CUTOFFS, [(number,) for number in people])
