"""The tables that the contract suite erases in, in three guises.

Every connector is shown the same world of people (a root with deals, items, marks and a log), in
tables of its own fashion: the CRM has plain names and whole-number keys, the newsletter text keys
and names that need quoting, billing composite keys in a schema of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

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

CUTOFFS = {"contract": date(2024, 12, 31), "book": date(2020, 12, 31)}
LONG_OVER = date(2015, 6, 30)
STILL_RUNS = date(2025, 6, 30)
NEWS, PROFILE = "news", "profile"
"""Consents: to the newsletter (a person's note, the log) and to a profile (memos and marks)."""

LEVELS = ("root", "deal", "item", "mark", "log")


@dataclass(frozen=True)
class Layout:
    """How one kind of store names and keys the world's tables."""

    kind: str
    key: tuple[str, ...]
    shared: tuple[str, ...] = ()
    text_keys: bool = False
    schema: str | None = None
    relations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    rows_per_person: str = "one"

    def column(self, name: str) -> str:
        """The physical name of a column."""
        return self.columns.get(name, name)

    def relation(self, level: str) -> str:
        """The physical name of a table."""
        return self.relations.get(level, level)

    def links(self, level: str) -> tuple[tuple[str, str], ...]:
        """(Own column, parent's column) of a level, in the world's names."""
        if level in ("deal", "log"):
            return tuple((k if k in self._kept(level) else f"of_{k}", k) for k in self.key)
        if level == "item":
            return tuple((k, k) for k in self.own_key("deal"))
        return tuple((f"of_{k}", k) for k in self.own_key("item"))

    def own_key(self, level: str) -> tuple[str, ...]:
        """The key of a level, in the world's names."""
        return {
            "root": self.key,
            "deal": (*self.shared, "deal_no"),
            "item": (*self.shared, "deal_no", "line"),
            "mark": ("mark_no",),
            "log": ("log_no",),
        }[level]

    def _kept(self, level: str) -> tuple[str, ...]:
        return self.shared if level == "deal" else ()


LAYOUTS = {
    "crm": Layout("crm", key=("id",)),
    "newsletter": Layout(
        "newsletter",
        key=("id",),
        text_keys=True,
        rows_per_person="many",
        relations={"root": "Abonnent", "deal": "order", "item": "100% linje", "log": "Sendt `e"},
        columns={"id": "Abonnent nr", "email": "e-post", "note": "select", "street": "gate/vei"},
    ),
    "billing": Layout("billing", key=("tenant", "no"), shared=("tenant",), schema="books"),
}


def sql_tables(layout: Layout, schema: str | None, metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Build the world's tables, with foreign keys and the indexes that look-ups want."""
    made: dict[str, sa.Table] = {}
    parents = {"deal": "root", "item": "deal", "mark": "item", "log": "root"}
    for level in LEVELS:
        keys = layout.own_key(level)
        links = layout.links(level) if level in parents else ()
        names = list(dict.fromkeys([*keys, *(own for own, _ in links)]))
        columns = [
            sa.Column(layout.column(n), _key_type(layout, n), primary_key=n in keys, nullable=False)
            for n in names
        ]
        columns += [sa.Column(layout.column(n), kind) for n, kind in _FIELDS[level].items()]
        table = sa.Table(layout.relation(level), metadata, *columns, schema=schema)
        if links:
            parent = made[parents[level]]
            own = [layout.column(mine) for mine, _ in links]
            theirs = [parent.c[layout.column(name)] for _, name in links]
            table.append_constraint(sa.ForeignKeyConstraint(own, theirs))
            sa.Index(f"ix_{level}_parent", *(table.c[name] for name in own))
        for name in _INDEXED.get(level, ()):
            sa.Index(f"ix_{level}_{name}", table.c[layout.column(name)])
        made[level] = table
    return made


def _key_type(layout: Layout, name: str) -> sa.types.TypeEngine[Any]:
    numbered = "line" in name or "mark_no" in name or "log_no" in name or not layout.text_keys
    return sa.Integer() if numbered else sa.String(40)


_INDEXED = {"root": ("number", "phone", "ended_on"), "deal": ("issued_on",)}
_FIELDS: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "root": {
        "number": sa.String(30),
        "email": sa.String(200),
        "phone": sa.String(30),
        "name": sa.String(100),
        "note": sa.Text(),
        "ended_on": sa.Date(),
    },
    "deal": {"street": sa.String(200), "memo": sa.Text(), "issued_on": sa.Date()},
    "item": {"wording": sa.String(200)},
    "mark": {"remark": sa.String(200)},
    "log": {"address": sa.String(200)},
}


def mapping(layout: Layout, schema: str | None) -> StoreMapping:
    """Declare the world as a policy would."""
    contract = Anchor(layout.column("ended_on"), of_parent=False, null=NullAnchor.RUNNING)
    contract_above = Anchor(layout.column("ended_on"), of_parent=True, null=NullAnchor.RUNNING)
    book = Anchor(layout.column("issued_on"), of_parent=False, null=NullAnchor.UNKNOWN)
    book_above = Anchor(layout.column("issued_on"), of_parent=True, null=NullAnchor.UNKNOWN)
    groups = {
        "root": (
            _group(
                layout,
                "identity",
                {"name": "erased", "email": None, "phone": None, "number": None},
                GroundUse("contract", False, contract),
            ),
            _group(layout, "voluntary", {"note": None}, GroundUse(NEWS, True, None)),
        ),
        "deal": (
            _group(
                layout,
                "delivery",
                {"street": None},
                GroundUse("book", False, book),
                GroundUse("contract", False, contract_above),
            ),
            _group(layout, "memos", {"memo": None}, GroundUse(PROFILE, True, None)),
        ),
        "item": (_group(layout, "items", {"wording": "-"}, GroundUse("book", False, book_above)),),
        "mark": (_group(layout, "marks", {"remark": None}, GroundUse(PROFILE, True, None)),),
        "log": (_group(layout, "sendings", {"address": "nobody"}, GroundUse(NEWS, True, None)),),
    }
    parents = {"deal": "root", "item": "deal", "mark": "item", "log": "root"}
    tables = [
        Table(
            name=level,
            relation=layout.relation(level),
            schema=schema,
            key=tuple(layout.column(name) for name in layout.own_key(level)),
            parent=_parent(layout, level, parents[level]) if level in parents else None,
            groups=groups[level],
            identifiers=_identifiers(layout) if level == "root" else (),
            row_stays=level == "log",
            rows_per_person=layout.rows_per_person if level == "root" else "one",
        )
        for level in LEVELS
    ]
    return StoreMapping(layout.kind, "Europe/Oslo", tuple(tables))


def _group(
    layout: Layout, name: str, fields: Mapping[str, str | None], *grounds: GroundUse
) -> FieldGroup:
    declared = tuple(Field(layout.column(f), "voluntary", over) for f, over in fields.items())
    return FieldGroup(name, declared, grounds)


def _parent(layout: Layout, level: str, parent: str) -> ParentLink:
    pairs = tuple((layout.column(a), layout.column(b)) for a, b in layout.links(level))
    return ParentLink(parent, pairs)


def _identifiers(layout: Layout) -> tuple[IdentifierColumn, ...]:
    return (
        IdentifierColumn("customer_id", layout.column("number"), ignore_case=False, strong=True),
        IdentifierColumn("email", layout.column("email"), ignore_case=True, strong=True),
        IdentifierColumn("phone", layout.column("phone"), ignore_case=False, strong=False),
    )
