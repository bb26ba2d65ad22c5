"""The real way from a policy to the tables: load, fold the events, plan, erase, re-read, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.base import Work
from connectors.falling_due import FallingDue, Past
from connectors.sql import SqlConnector
from tests.contract.generated.cases import Case, Said
from tests.contract.generated.layout import METADATA, TABLES, Rows, triggers
from tests.contract.generated.policies import STORE
from tests.contract.generated.sweeping import sweep
from tests.contract.generated.whole import Told, Whole, make_ledger, sweep_whole
from tests.support.databases import Database
from topics.events import EventKind
from worker.core.decisions import ConsentState, record
from worker.core.outcomes import Failed, Judge, Outcome
from worker.core.planner import PlannedCase, plan
from worker.core.policy import Policy

KINDS = {
    "withdrawn": EventKind.CONSENT_WITHDRAWN,
    "objected": EventKind.MARKETING_OBJECTED,
    "requested": EventKind.ERASURE_REQUESTED,
    "given": EventKind.CONSENT_GIVEN,
}
START = datetime(2026, 1, 1, tzinfo=UTC)
Verdicts = dict[int, dict[str, Outcome]]


@dataclass(frozen=True)
class Left:
    """What a run has left in the tables, and what the worker says of each person."""

    rows: Rows
    verdicts: Verdicts
    due: dict[int, dict[str, int]]
    """Rows of each group that a look before the erasure found due."""


@dataclass(frozen=True)
class Counted:
    """What a forecast tells of one day, and what is past by then."""

    told: list[FallingDue]
    past: Past


class Engine:
    """One database with the tables of the layout, for many examples."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._ledger = folder / "ledger.db"
        self._runner = asyncio.Runner()
        self._admin = create_async_engine(database.url)
        self._runner.run(self._create())

    def close(self) -> None:
        """Give back the connection and the loop."""
        self._runner.run(self._admin.dispose())
        self._runner.close()

    def run(self, case: Case, times: int = 1) -> Left:
        """Fill the tables, do all that the case's events ask for, and read the tables."""
        return self._runner.run(self._run(case, times))

    def count(self, case: Case) -> Counted:
        """Fill the tables, and count what is past its last ground on the case's day."""
        return self._runner.run(self._count(case))

    async def _create(self) -> None:
        async with self._admin.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            for statement in triggers(self._database.dialect):
                await connection.exec_driver_sql(statement)

    async def _fill(self, case: Case) -> None:
        async with self._admin.begin() as connection:
            # The history last: deleting people fills it.
            for name, table in TABLES.items():
                await connection.execute(table.delete())
                if case.rows[name]:
                    await connection.execute(table.insert(), case.rows[name])

    async def _count(self, case: Case) -> Counted:
        policy = Policy.model_validate(case.policy)
        await self._fill(case)
        connector = SqlConnector(policy.mapping(STORE), self._database.text)
        cutoffs = policy.cutoffs(STORE, case.day)
        tables = [table.name for table in connector.mapping.tables]
        try:
            told = [one for table in tables for one in await connector.forecast(table, [cutoffs])]
            return Counted(told, await connector.past(tables, cutoffs))
        finally:
            await connector.close()

    def sweep(self, case: Case, *, pages: bool) -> Rows:
        """Fill the tables, sweep them part by part, and read them."""
        return self._runner.run(self._sweep(case, pages))

    async def _sweep(self, case: Case, pages: bool) -> Rows:
        policy = Policy.model_validate(case.policy)
        await self._fill(case)
        connector = SqlConnector(policy.mapping(STORE), self._database.text)
        try:
            await sweep(case, policy, connector, pages=pages)
        finally:
            await connector.close()
        return await self._read()

    def sweep_whole(self, whole: Whole) -> tuple[Rows, Rows, Told]:
        """Fill the tables and run a sweep to its end: what was there, what is, what was told."""
        return self._runner.run(self._sweep_whole(whole))

    async def _sweep_whole(self, whole: Whole) -> tuple[Rows, Rows, Told]:
        await self._fill(whole.case)
        before = await self._read()
        mapping = Policy.model_validate(whole.case.policy).mapping(STORE)
        connector = SqlConnector(mapping, self._database.text)
        if not self._ledger.exists():
            await make_ledger(self._ledger)
        try:
            told = await sweep_whole(whole, connector, self._ledger)
        finally:
            await connector.close()
        return before, await self._read(), told

    async def _run(self, case: Case, times: int) -> Left:
        policy = Policy.model_validate(case.policy)
        await self._fill(case)
        connector = SqlConnector(policy.mapping(STORE), self._database.text)
        verdicts: Verdicts = {}
        due: dict[int, dict[str, int]] = {}
        try:
            for _ in range(times):
                verdicts, due = await _carry_out(case, policy, connector)
        finally:
            await connector.close()
        return Left(await self._read(), verdicts, due)

    async def _read(self) -> Rows:
        async with self._admin.connect() as connection:
            return {
                name: [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]
                for name, table in TABLES.items()
            }


async def _carry_out(
    case: Case, policy: Policy, connector: SqlConnector
) -> tuple[Verdicts, dict[int, dict[str, int]]]:
    """Plan one case for each person, erase shape by shape, and judge what is found again."""
    planned = plan(
        policy,
        STORE,
        [_planned(person, said) for person, said in case.events.items()],
        {UUID(int=person): _states(policy, said) for person, said in case.events.items()},
        {UUID(int=person): [(person,)] for person in case.events},
    )
    cutoffs = policy.cutoffs(STORE, case.day)
    verdicts: Verdicts = {}
    due: dict[int, dict[str, int]] = {}
    for shape, tasks in planned.tasks_by_shape.items():
        work = Work(shape, cutoffs, [key for task in tasks for key in task.keys])
        before = await connector.verify(work)
        for task in tasks:
            there = before.get(task.keys[0], {})
            due[task.case_id.int] = {group: one.left for group, one in there.items() if one.left}
        effects = await connector.erase(work)
        found = await connector.verify(work)
        judge = Judge(policy, connector.mapping, shape, effects, found, interrupted=False)
        for task in tasks:
            verdict = judge.of(task.keys)
            assert not isinstance(verdict, Failed), verdict
            verdicts[task.case_id.int] = {outcome.group: outcome for outcome in verdict}
    return verdicts, due


def _planned(person: int, said: list[Said]) -> PlannedCase:
    """The case of what was said last that is acted on; all of it is on record by then."""
    last = [one for one in said if one.kind != "given"][-1]
    return PlannedCase(UUID(int=person), KINDS[last.kind], last.purposes)


def _states(policy: Policy, said: list[Said]) -> dict[str, ConsentState]:
    """What the ledger would know of a person, folded in the order in which it came."""
    known: dict[str, ConsentState] = {}
    for one in said:
        kind = KINDS[one.kind]
        given = kind is EventKind.CONSENT_GIVEN
        new = record(kind, START + timedelta(seconds=one.second))
        for purpose in one.purposes if given else policy.stopped_purposes(kind, one.purposes):
            known[purpose] = known[purpose].merge(new) if purpose in known else new
    return known


def sorted_rows(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """Rows in an order of their own; those of the history without the numbers they got."""
    return {
        name: sorted(
            (tuple(_sortable(row, skip="id" if name == "history" else "")) for row in found),
            key=repr,
        )
        for name, found in rows.items()
    }


def _sortable(row: dict[str, Any], skip: str) -> Iterator[tuple[str, str | int | date | None]]:
    return ((name, value) for name, value in sorted(row.items()) if name != skip)
