"""A store full of people for the contract suite: filled, read back, and made to misbehave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from connectors.mapping import Key
from tests.contract.layouts import LAYOUTS, LEVELS, LONG_OVER, STILL_RUNS, mapping, sql_tables
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE, Database

Rows = dict[tuple[Any, ...], dict[str, Any]]
"""Rows of a table by key, with the world's own column names."""


@dataclass(frozen=True)
class Deal:
    """What a person has bought: its document date, how many items, how many marks on each."""

    issued: date | None = LONG_OVER
    items: int = 0
    marks: int = 0


class World:
    """One store in one database: tables of a kind's fashion, and the people in them."""

    def __init__(self, kind: str, database: Database) -> None:
        self.layout = LAYOUTS[kind]
        self.database = database
        self.dialect = database.dialect
        self.schema = self._schema()
        self.mapping = mapping(self.layout, self.schema)
        self.metadata = sa.MetaData()
        self.tables = sql_tables(self.layout, self.schema, self.metadata)
        self._engine = create_async_engine(database.url, poolclass=NullPool)
        self._numbers: defaultdict[str, int] = defaultdict(int)

    async def create(self) -> None:
        """Create schema, tables and the index for addresses in lower case."""
        async with self._engine.begin() as connection:
            if self.schema and self.dialect != SQLITE:
                await connection.execute(sa.schema.CreateSchema(self.schema))
            await connection.run_sync(self.metadata.create_all)
            root = self.tables["root"]
            email = root.c[self.layout.column("email")]
            indexed = email if self.dialect == MARIADB else sa.func.lower(email)
            await connection.execute(sa.schema.CreateIndex(sa.Index("ix_email", indexed)))

    async def drop(self) -> None:
        """Drop what does not go with the database itself."""
        if self.schema and self.dialect == MARIADB:
            await self.run("SET foreign_key_checks = 0", f"DROP DATABASE {self.schema}")
        await self._engine.dispose()

    def key(self, person: int) -> Key:
        """The root key of a person."""
        if self.layout.text_keys:
            return (f"p-{person}",)
        return (7, person) if len(self.layout.key) > 1 else (person,)

    async def add(
        self,
        person: int,
        *deals: Deal,
        ended: date | None = LONG_OVER,
        logs: int = 0,
        **fields: str | None,
    ) -> None:
        """Add a person. What is not given is made up from the person's number."""
        await self.add_many([person], *deals, ended=ended, logs=logs, **fields)

    async def add_many(
        self,
        people: Sequence[int],
        *deals: Deal,
        ended: date | None = LONG_OVER,
        logs: int = 0,
        **fields: str | None,
    ) -> None:
        """Add people who are alike but for what is made up from their numbers."""
        rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for person in people:
            key = dict(zip(self.layout.key, self.key(person), strict=True))
            made_up = {
                "number": f"C{person}",
                "email": f"Person{person}@example.com",
                "phone": f"+4790{person:06}",
                "name": f"Name {person}",
                "note": f"note {person}",
            }
            rows["root"].append(key | made_up | fields | {"ended_on": ended})
            for deal in deals:
                self._deal(rows, key, deal)
            for _ in range(logs):
                log = {"log_no": self._next("log"), "address": made_up["email"]}
                rows["log"].append(log | self._link("log", key))
        async with self._engine.begin() as connection:
            for level in LEVELS:
                if rows[level]:
                    named = [self._physical(row) for row in rows[level]]
                    await connection.execute(self.tables[level].insert(), named)

    async def read(self, level: str) -> Rows:
        """Read a whole table."""
        table = self.tables[level]
        back = {self.layout.column(name): name for name in ("id", "email", "note", "street")}
        async with self._engine.connect() as connection:
            found = (await connection.execute(table.select())).mappings().all()
        keys = [self.layout.column(name) for name in self.layout.own_key(level)]
        return {
            tuple(row[name] for name in keys): {back.get(k, k): v for k, v in row.items()}
            for row in found
        }

    async def everything(self) -> dict[str, Rows]:
        """Read every table."""
        return {level: await self.read(level) for level in LEVELS}

    async def person(self, person: int) -> dict[str, Any]:
        """Read a person's root row; fails when it is not there."""
        return (await self.read("root"))[self.key(person)]

    async def run(self, *statements: str) -> None:
        """Run statements as an administrator of the store would."""
        async with self._engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    def name(self, level: str) -> str:
        """A table's name as a statement writes it."""
        dialect = self._engine.dialect
        return dialect.identifier_preparer.format_table(self.tables[level]).replace("%%", "%")

    @property
    def dialect_object(self) -> sa.Dialect:
        """SQLAlchemy's own notion of the database."""
        return self._engine.dialect

    def quoted(self, column: str) -> str:
        """A column's name as a statement writes it."""
        return self._engine.dialect.identifier_preparer.quote(self.layout.column(column))

    def _deal(self, rows: dict[str, list[dict[str, Any]]], key: dict[str, Any], deal: Deal) -> None:
        number = self._next("deal")
        own = {"deal_no": f"d-{number}" if self.layout.text_keys else number}
        made = self._link("deal", key) | own
        fields = {"street": f"street {number}", "memo": f"memo {number}"}
        rows["deal"].append(made | fields | {"issued_on": deal.issued})
        for line in range(deal.items):
            item = {k: made[k] for k in self.layout.own_key("deal")} | {"line": line}
            rows["item"].append(item | {"wording": f"wording {number} {line}"})
            for _ in range(deal.marks):
                mark = {"mark_no": self._next("mark"), "remark": f"remark {number} {line}"}
                rows["mark"].append(mark | self._link("mark", item))

    def _link(self, level: str, above: dict[str, Any]) -> dict[str, Any]:
        return {own: above[theirs] for own, theirs in self.layout.links(level)}

    def _physical(self, row: dict[str, Any]) -> dict[str, Any]:
        return {self.layout.column(name): value for name, value in row.items()}

    def _next(self, level: str) -> int:
        self._numbers[level] += 1
        return self._numbers[level]

    def _schema(self) -> str | None:
        """A schema is a database to MariaDB, and an open file to SQLite."""
        if self.layout.schema is None or self.dialect == POSTGRESQL:
            return self.layout.schema
        return "main" if self.dialect == SQLITE else f"{self.database.url.database}_books"


__all__ = ["LONG_OVER", "STILL_RUNS", "Deal", "World"]
