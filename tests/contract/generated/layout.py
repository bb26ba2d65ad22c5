"""The tables in which generated stores live: alike, so that any may be any part of a policy.

``person`` is the root. ``a``, ``b`` and ``c`` hang below it or below each other and may point at
one another (``ref_id``); ``meeting`` is shared through one of them. Triggers copy each old row of
``person`` into ``history``. There are no foreign keys, so that a row taken too early is seen in
what is left, and not refused.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tests.support.databases import MARIADB, POSTGRESQL

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""By relation."""

FIELDS = ("f0", "f1", "f2", "f3")
DAYS = ("day_0", "day_1")
METADATA = sa.MetaData()
TABLES = {
    name: sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(link, sa.Integer, index=True) for link in ("parent_id", "ref_id", "ptr")),
        *(sa.Column(day, sa.Date) for day in DAYS),
        sa.Column("agreed", sa.Integer),
        sa.Column("kind", sa.String(9)),
        *(sa.Column(field, sa.String(20)) for field in FIELDS),
    )
    for name in ("person", "a", "b", "c", "meeting")
}
TABLES["history"] = sa.Table(
    "history",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("parent_id", sa.Integer, index=True),
    *(sa.Column(name, TABLES["person"].c[name].type) for name in ("day_0", "agreed", "f0")),
)
COPY = (
    "INSERT INTO history (parent_id, day_0, agreed, f0) "
    "VALUES (OLD.id, OLD.day_0, OLD.agreed, OLD.f0)"
)


def triggers(dialect: str) -> list[str]:
    """What fills the history when a person's row is changed or deleted."""
    if dialect == POSTGRESQL:
        return [
            f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {COPY}; "
            "RETURN NULL; END $$",
            "CREATE TRIGGER note AFTER DELETE OR UPDATE ON person FOR EACH ROW "
            "EXECUTE FUNCTION note()",
        ]
    body = COPY if dialect == MARIADB else f"BEGIN {COPY}; END"
    return [
        f"CREATE TRIGGER on_{event} AFTER {event} ON person FOR EACH ROW {body}"
        for event in ("DELETE", "UPDATE")
    ]
