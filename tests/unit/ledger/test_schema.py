"""The migrations make the declared schema, and the schema refuses what must never be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tests.support.databases import Database
from tests.unit.ledger.making import NOW, a_batch, a_command, case_row, some_cases
from worker.ledger import observing_tables, tables
from worker.ledger.database import Connection, Ledger, LedgerConflict
from worker.ledger.upgrade import current, head, upgrade


async def test_the_migrations_make_the_declared_schema(ledger: Ledger) -> None:
    """Alembic finds nothing to add, drop or change between the two."""

    def meant(_: Any, name: str | None, *__: Any) -> bool:
        # Alembic does not know that an index may be meant for one dialect only.
        return name != "ix_receipts_cases" or ledger.dialect == "postgresql"

    def compare(connection: sa.Connection) -> list[Any]:
        opts = {"compare_type": True, "include_object": meant}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, observing_tables.metadata))

    async with ledger.begin() as connection:
        assert await connection.run_sync(compare) == []


async def test_the_migrations_make_the_declared_checks_and_indexes(
    ledger: Ledger, database: Database
) -> None:
    """What alembic does not compare (checks, conditions of indexes, defaults) is the same too."""

    def options(index: Any) -> dict[str, str]:
        return {name: str(value) for name, value in index.get("dialect_options", {}).items()}

    def described(connection: sa.Connection) -> dict[str, Any]:
        inspector = sa.inspect(connection)
        return {
            table.name: {
                "checks": {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(
                    table.name)},
                "indexes": {
                    i["name"]: (i["column_names"], i["unique"], options(i))
                    for i in inspector.get_indexes(table.name)
                },
                "defaults": {c["name"]: c["default"] for c in inspector.get_columns(table.name)},
                "primary": inspector.get_pk_constraint(table.name)["constrained_columns"],
            }
            for table in observing_tables.metadata.sorted_tables
        }  # fmt: skip

    async with ledger.begin() as connection:
        migrated = await connection.run_sync(described)
        await connection.run_sync(observing_tables.metadata.drop_all)
        await connection.run_sync(observing_tables.metadata.create_all)
        assert await connection.run_sync(described) == migrated
    assert sum(len(table["checks"]) for table in migrated.values()) >= 14


async def test_upgrading_may_be_repeated(database: Database) -> None:
    """An empty ledger has no revision, an upgraded one the newest, and again is no harm."""
    ledger = Ledger(database.text)
    assert await current(ledger) is None
    assert await upgrade(ledger) == await upgrade(ledger) == head() == await current(ledger)
    await ledger.close()


async def test_a_naive_time_has_no_place(ledger: Ledger) -> None:
    """A time without a zone is refused, in whatever way it would get in."""
    naive = datetime(2026, 3, 10)
    with pytest.raises(Exception, match="naive time"):
        async with ledger.begin() as connection:
            await a_batch(connection, now=naive)
    with pytest.raises(Exception, match="naive time"):
        async with ledger.begin() as connection:
            await some_cases(connection, await a_batch(connection), event_time=naive)


@pytest_asyncio.fixture
async def connection(ledger: Ledger) -> AsyncIterator[Connection]:
    """A transaction that is rolled back."""
    async with ledger.engine.connect() as opened:
        yield opened
        await opened.rollback()


COMMAND: dict[str, Any] = {
    "store": "crm", "kind": "erase", "shape": [], "policy": "v1", "case_ids": (uuid4(),),
    "payload": b"x", "key_id": "k1", "state": "open", "created_at": NOW, "due_at": NOW,
}  # fmt: skip
BAD_COMMANDS: dict[str, dict[str, Any]] = {
    "unknown kind": {"kind": "forget"},
    "unknown state": {"state": "lost"},
    "settled without a time": {"state": "settled", "payload": None},
    "settled with its keys": {"state": "settled", "settled_at": NOW},
    "open without its keys": {"payload": None},
    "open with a time of settling": {"settled_at": NOW},
    "dead without a fault": {"state": "dead"},
    "more failures than attempts": {"attempts": 1, "failures": 2},
    "of no batch": {"batch_id": 4711},
    "without a store": {"store": None},
}


@pytest.mark.parametrize("what", BAD_COMMANDS)
async def test_a_command_that_cannot_be_is_refused(connection: Connection, what: str) -> None:
    """States, their times and their payloads go together, whoever writes the row."""
    good = {**COMMAND, "batch_id": await a_batch(connection)}
    await connection.execute(sa.insert(tables.commands).values(good))
    with pytest.raises(IntegrityError):
        await connection.execute(sa.insert(tables.commands).values({**good, **BAD_COMMANDS[what]}))


BAD_CASES: dict[str, dict[str, Any]] = {
    "unknown state": {"state": "asleep"},
    "open with an end": {"closed_at": NOW, "answer_id": "answer"},
    "closed without an end": {"state": "closed"},
    "closed without an answer": {"state": "closed", "closed_at": NOW},
    "an answer without an end": {"answer_id": "answer"},
    "parked without a reason": {"state": "parked"},
    "of no batch": {"batch_id": 4711},
    "of no answer": {"state": "closed", "closed_at": NOW, "answer_id": 4711},
}


@pytest.mark.parametrize("what", BAD_CASES)
async def test_a_case_that_cannot_be_is_refused(connection: Connection, what: str) -> None:
    """A case ends with a time and an answer or not at all, and is parked with a reason."""
    batch_id = await a_batch(connection)
    answer_id = (
        await connection.execute(
            sa.insert(tables.answers)
            .values(batch_id=batch_id, created_at=NOW)
            .returning(tables.answers.c.id)
        )
    ).scalar_one()
    change = {k: answer_id if v == "answer" else v for k, v in BAD_CASES[what].items()}
    await connection.execute(sa.insert(tables.cases).values(case_row(batch_id)))
    with pytest.raises(IntegrityError):
        await connection.execute(sa.insert(tables.cases).values({**case_row(batch_id), **change}))


async def test_a_batch_that_cannot_be_is_refused(connection: Connection) -> None:
    """A finished batch was planned and holds no identifiers any more."""
    good = {
        "created_at": NOW, "key_id": "k1", "stores_left": [], "due_at": NOW,
        "planned_at": NOW, "finished_at": NOW,
    }  # fmt: skip
    await connection.execute(sa.insert(tables.batches).values(good))
    for bad in ({"payload": b"x"}, {"planned_at": None}):
        with pytest.raises(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(sa.insert(tables.batches).values({**good, **bad}))


BAD_RECEIPTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "not read again": ({"store": "billing", "verified": False}, ["one"]),
    "twice the same": ({}, ["one", "two"]),
    "a second one of a case": ({"number": 2}, ["three", "two"]),
    "of no case": ({"store": "billing"}, ["one", "nobody"]),
    "twice of a case": ({"store": "billing"}, ["one", "one"]),
    "of no answer": ({"answer_id": 4711}, ["one"]),
}


@pytest.mark.parametrize("what", BAD_RECEIPTS)
async def test_a_receipt_that_cannot_be_is_refused(connection: Connection, what: str) -> None:
    """A receipt names cases that are, each once for an answer and store, and was verified."""
    batch_id = await a_batch(connection)
    one, two, three = await some_cases(connection, batch_id, 3)
    cases = {"one": one, "two": two, "three": three, "nobody": uuid4()}
    good = await _a_receipt(connection, batch_id, [one, two])
    change, named = BAD_RECEIPTS[what]
    bad = {**good, **change, "case_ids": [cases[name] for name in named]}
    with pytest.raises(IntegrityError):
        await connection.execute(sa.insert(tables.receipts).values(bad))


async def test_receipts_beside_each_other_are_taken(connection: Connection) -> None:
    """What is refused is refused for its reason: other cases, another store, another answer."""
    batch_id = await a_batch(connection)
    one, two, three = await some_cases(connection, batch_id, 3)
    good = await _a_receipt(connection, batch_id, [one, two])
    for other in ({"number": 2, "case_ids": [three]}, {"store": "billing"}):
        await connection.execute(sa.insert(tables.receipts).values({**good, **other}))
    await _a_receipt(connection, batch_id, [one])


async def test_a_receipt_keeps_its_cases(connection: Connection) -> None:
    """No case goes away or takes another id while a receipt names it; one without may."""
    batch_id = await a_batch(connection)
    named, free = await some_cases(connection, batch_id, 2)
    receipt = await _a_receipt(connection, batch_id, [named])
    its = tables.cases.c.id == named
    await connection.execute(sa.delete(tables.cases).where(tables.cases.c.id == free))
    await connection.execute(sa.update(tables.cases).where(its).values(channel="e-mail"))
    for broken in (
        sa.delete(tables.cases).where(its),
        sa.update(tables.cases).where(its).values(id=free),
        sa.update(tables.receipts)
        .where(tables.receipts.c.answer_id == receipt["answer_id"])
        .values(case_ids=[free]),
    ):
        with pytest.raises(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(broken)


async def _a_receipt(connection: Connection, batch_id: int, case_ids: list[UUID]) -> dict[str, Any]:
    """Write one, of a new answer, and give back its row."""
    answer_id = (
        await connection.execute(
            sa.insert(tables.answers)
            .values(batch_id=batch_id, created_at=NOW)
            .returning(tables.answers.c.id)
        )
    ).scalar_one()
    row = {
        "answer_id": answer_id, "store": "crm", "number": 1, "case_ids": case_ids, "outcomes": [],
        "verified": True,
    }  # fmt: skip
    await connection.execute(sa.insert(tables.receipts).values(row))
    return row


async def test_a_command_has_one_answer(ledger: Ledger) -> None:
    """A second answer to one command is refused; answers without a command are many."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        insert = sa.insert(tables.answers)
        for command in (command_id, None, None):
            await connection.execute(
                insert.values(batch_id=batch_id, command_id=command, created_at=NOW)
            )
    with pytest.raises(LedgerConflict):
        async with ledger.begin() as connection:
            await connection.execute(
                insert.values(batch_id=batch_id, command_id=command_id, created_at=NOW)
            )


async def test_an_unknown_effect_of_consent_is_refused(connection: Connection) -> None:
    """The record of consents knows three effects and one row a case, purpose and pseudonym."""
    (case_id,) = await some_cases(connection, await a_batch(connection))
    good = {
        "pseudonym": b"p" * 32, "purpose": "newsletter", "case_id": case_id,
        "effect": "withdrawn", "at": NOW,
    }  # fmt: skip
    await connection.execute(sa.insert(tables.suppressions).values(good))
    for bad in ({"effect": "forgotten", "purpose": "x"}, {}, {"case_id": uuid4()}):
        with pytest.raises(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(sa.insert(tables.suppressions).values({**good, **bad}))
