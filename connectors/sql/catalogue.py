"""What a database's own catalogue says of a store beyond its declared tables.

Foreign keys that point at the declared tables, from wherever, and the triggers on them with their
code: what else happens when a row of ours is deleted or overwritten.

Sources: PostgreSQL manual, chapter System Catalogs (pg_constraint, pg_trigger, pg_rewrite);
MariaDB, Information Schema; SQLite, pragma_foreign_key_list and sqlite_schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from connectors.mapping import StoreMapping, Table

Name = tuple[str, str]
"""Schema and relation, as the catalogue has them (folded where the database folds names)."""

Fold = Callable[[str], str]
"""Brings names to one spelling, where the database does not tell case apart."""

CASCADE: Final = "CASCADE"
SET_NULL: Final = "SET NULL"
SET_DEFAULT: Final = "SET DEFAULT"
DELETE: Final = "DELETE"
UPDATE: Final = "UPDATE"


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key that points at a declared relation; ``columns`` are (own, the other's)."""

    relation: Name
    referred: Name
    columns: tuple[tuple[str, str], ...]
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger (or PostgreSQL's rule) of a declared relation, and what it runs."""

    relation: Name
    name: str
    events: frozenset[str]
    columns: frozenset[str]
    """The columns whose UPDATE fires it; none named means every one."""
    code: str | None
    """None where the login may not see it."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was read. ``names`` are the declared tables' own, by the policy's name."""

    names: Mapping[str, Name]
    foreign_keys: tuple[ForeignKey, ...]
    triggers: tuple[Trigger, ...]
    hidden: str = ""
    """What the login is not allowed to see of it; empty when it sees everything."""

    def tables(self, mapping: StoreMapping, relation: Name) -> tuple[Table, ...]:
        """The declared tables over a relation; none for one that the policy does not know."""
        return tuple(t for t in mapping.tables if self.names[t.name] == relation)


def read(connection: sa.Connection, mapping: StoreMapping) -> Catalogue:
    """Read it. Raises driver errors."""
    match connection.dialect.name:
        case "postgresql":
            return _postgresql(connection, mapping)
        case "sqlite":
            return _sqlite(connection, mapping)
        case _:
            return _mariadb(connection, mapping)


def _catalogue(
    names: Mapping[str, Name], keys: Iterable[ForeignKey], triggers: Iterable[Trigger]
) -> Catalogue:
    """Keep what is about the declared relations."""
    ours = frozenset(names.values())
    return Catalogue(
        names,
        tuple(key for key in keys if key.referred in ours),
        tuple(one for one in triggers if one.relation in ours),
    )


def _foreign_keys(rows: Iterable[Sequence[Any]], fold: Fold) -> list[ForeignKey]:
    """Put the columns of each key together; rows come sorted by the first three values."""
    made: list[ForeignKey] = []
    for _, group in groupby(rows, key=lambda row: tuple(row[:3])):
        first, *others = group
        columns = tuple((str(row[5]), str(row[6])) for row in (first, *others))
        made.append(
            ForeignKey(
                (fold(first[0]), fold(first[1])),
                (fold(first[3]), fold(first[4])),
                columns,
                str(first[7]).upper(),
                str(first[8]).upper(),
            )
        )
    return made


_ACTION = (
    "CASE {} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'"
    " WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END"
)
_POSTGRESQL_KEYS = sa.text(
    "SELECT n.nspname, c.relname, k.oid, fn.nspname, f.relname, a.attname, fa.attname,"  # noqa: S608 - no value is put in
    f" {_ACTION.format('k.confdeltype')}, {_ACTION.format('k.confupdtype')}"
    " FROM pg_catalog.pg_constraint k"
    " JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class f ON f.oid = k.confrelid"
    " JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace"
    " CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(own, other, place)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own"
    " JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = u.other"
    # Those of a partition are its parent's.
    " WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY 1, 2, 3, u.place"
)
_POSTGRESQL_NAMES = sa.text(
    "SELECT q.given, n.nspname, c.relname FROM unnest(CAST(:given AS text[])) AS q(given)"
    " JOIN pg_catalog.pg_class c ON c.oid = to_regclass(q.given)"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
)
_POSTGRESQL_TRIGGERS = sa.text(
    "SELECT n.nspname, c.relname, t.tgname, t.tgtype & 8 > 0, t.tgtype & 16 > 0, p.prosrc,"
    " ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a"
    "  WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr))"
    " FROM pg_catalog.pg_trigger t"
    " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"
    " WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'"
    " UNION ALL SELECT n.nspname, c.relname, r.rulename, r.ev_type = '4', r.ev_type = '2',"
    " regexp_replace(pg_catalog.pg_get_ruledef(r.oid), '^.*? DO ', ''), ARRAY[]::text[]"
    " FROM pg_catalog.pg_rewrite r"
    " JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('r', 'p')"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.ev_enabled <> 'D'"
)
_MARIADB_KEYS = sa.text(
    "SELECT k.table_schema, k.table_name, k.constraint_name, k.referenced_table_schema,"
    " k.referenced_table_name, k.column_name, k.referenced_column_name, r.delete_rule,"
    " r.update_rule FROM information_schema.key_column_usage k"
    " JOIN information_schema.referential_constraints r"
    " ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name"
    " AND r.constraint_name = k.constraint_name"
    " WHERE k.referenced_table_name IS NOT NULL ORDER BY 1, 2, 3, k.ordinal_position"
)
_MARIADB_TRIGGERS = sa.text(
    "SELECT event_object_schema, event_object_table, trigger_name, event_manipulation,"
    " action_statement FROM information_schema.triggers"
)
# Both views show what the login has a privilege on, and nothing else.
_MARIADB_SEES = sa.text(
    "SELECT count(*) FROM (SELECT grantee FROM information_schema.user_privileges"
    " WHERE privilege_type = 'TRIGGER' UNION ALL"
    " SELECT grantee FROM information_schema.schema_privileges"
    " WHERE privilege_type = 'TRIGGER' AND database() LIKE table_schema) AS g"
    " WHERE g.grantee = concat('''', replace(current_user(), '@', '''@'''), '''')"
)
# Names as the tables have them, not as the foreign key happens to write them.
_SQLITE_KEYS = sa.text(
    """SELECT '', m.name, k.id, '', k."table",
    (SELECT p.name FROM pragma_table_info(m.name) p WHERE lower(p.name) = lower(k."from")),
    (SELECT p.name FROM pragma_table_info(k."table") p WHERE
    CASE WHEN k."to" IS NULL THEN p.pk = k.seq + 1 ELSE lower(p.name) = lower(k."to") END),
    k.on_delete, k.on_update
    FROM sqlite_master m, pragma_foreign_key_list(m.name) k
    WHERE m.type = 'table' ORDER BY 2, 3, k.seq"""
)
_SQLITE_TRIGGERS = sa.text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
_SQLITE_HEAD = re.compile(
    r"\b(DELETE|INSERT|UPDATE)(?:\s+OF\s+(?P<columns>.+?))?\s+ON\b.*?\bBEGIN\b(?P<body>.*)",
    re.IGNORECASE | re.DOTALL,
)


def _postgresql(connection: sa.Connection, mapping: StoreMapping) -> Catalogue:
    # Each declared table is looked up as a statement would: along the search path, if need be.
    quote = connection.dialect.identifier_preparer.format_table
    given = {t.name: quote(sa.table(t.relation, schema=t.schema)) for t in mapping.tables}
    rows = connection.execute(_POSTGRESQL_NAMES, {"given": sorted(set(given.values()))})
    found = {row[0]: (str(row[1]), str(row[2])) for row in rows}
    names = {name: found.get(text, ("", text)) for name, text in given.items()}
    triggers = [
        Trigger(
            (schema, relation),
            name,
            frozenset(e for e, fires in ((DELETE, deletes), (UPDATE, updates)) if fires),
            frozenset(columns),
            code,
        )
        for schema, relation, name, deletes, updates, code, columns in connection.execute(
            _POSTGRESQL_TRIGGERS
        )
    ]
    return _catalogue(names, _foreign_keys(connection.execute(_POSTGRESQL_KEYS), str), triggers)


def _mariadb(connection: sa.Connection, mapping: StoreMapping) -> Catalogue:
    home = connection.scalar(sa.text("SELECT database()"))
    folds = connection.scalar(sa.text("SELECT @@lower_case_table_names"))
    fold: Fold = str.casefold if folds else str
    names = {t.name: (fold(t.schema or home), fold(t.relation)) for t in mapping.tables}
    triggers = [
        Trigger((fold(schema), fold(relation)), name, frozenset({event}), frozenset(), code)
        for schema, relation, name, event, code in connection.execute(_MARIADB_TRIGGERS)
    ]
    keys = _foreign_keys(connection.execute(_MARIADB_KEYS), fold)
    hidden = "" if connection.scalar(_MARIADB_SEES) else "what triggers do, and other tables"
    return replace(_catalogue(names, keys, triggers), hidden=hidden)


def _sqlite(connection: sa.Connection, mapping: StoreMapping) -> Catalogue:
    names = {t.name: ("", t.relation.casefold()) for t in mapping.tables}
    triggers: list[Trigger] = []
    for relation, name, text in connection.execute(_SQLITE_TRIGGERS):
        head = _SQLITE_HEAD.search(text)
        if head is not None:
            of = (head["columns"] or "").split(",")
            columns = frozenset(one.strip(' "`[]\n') for one in of if one)
            event = frozenset({head[1].upper()})
            triggers.append(Trigger(("", relation.casefold()), name, event, columns, head["body"]))
    keys = _foreign_keys(connection.execute(_SQLITE_KEYS), str.casefold)
    return _catalogue(names, keys, triggers)
