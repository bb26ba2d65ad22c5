"""The effect of one command in its store: erase, bisect what is refused, re-read, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from connectors.base import Done, Work
from connectors.faults import Refused, RetryLater
from connectors.mapping import Key
from worker.context import Context
from worker.core.outcomes import Failed, Judge, Outcome
from worker.ledger.commands import Command

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcomes of a task as they are written down, and when to look at it again, if ever."""

    outcomes: Sequence[Row]
    look_on: date | None


Verdict = Verified | Failed


@dataclass(frozen=True, slots=True)
class Task:
    """One case's keys in the store of the command."""

    case_id: UUID
    keys: tuple[Key, ...]


class Store:
    """One attempt at one command in its store. It remembers what the store did."""

    def __init__(self, context: Context, command: Command) -> None:
        self._policy = context.policy
        self._connector = context.connectors[command.store]
        self._cutoffs = context.policy.cutoffs(command.store, context.day())
        self._timeout = context.timing.store_timeout.total_seconds()
        self._command = command
        self._effects: dict[Key, Mapping[str, Done]] = {}
        self.refused: dict[UUID, Failed] = {}
        """Tasks that the store would not do: it rolled back, so nothing of theirs has changed."""
        self.committed = False
        """Whether anything was committed in the store, so that a repeat may find nothing."""

    async def erase(self, tasks: Sequence[Task]) -> None:
        """Erase for all tasks; where the store refuses, for halves of them, down to the one.

        Raises RetryLater or Misfit.
        """
        if not tasks:
            return
        try:
            async with asyncio.timeout(self._timeout):
                effects = await self._connector.erase(self._work(tasks))
        except TimeoutError:
            raise RetryLater("no-answer", "the store did not answer", in_doubt=True) from None
        except Refused as fault:
            if len(tasks) == 1:
                self.refused[tasks[0].case_id] = Failed(str(fault))
                return
            half = len(tasks) // 2
            await self.erase(tasks[:half])
            await self.erase(tasks[half:])
            return
        self.committed = True
        self._effects.update(effects)

    async def verify(self, tasks: Sequence[Task]) -> dict[UUID, Verdict]:
        """Re-read what is there and judge each task. Raises RetryLater or Misfit."""
        verdicts: dict[UUID, Verdict] = dict(self.refused)
        done = [task for task in tasks if task.case_id not in self.refused]
        if not done:
            return verdicts
        try:
            async with asyncio.timeout(self._timeout):
                remainders = await self._connector.verify(self._work(done))
        except TimeoutError:
            raise RetryLater("no-answer", "the store did not answer") from None
        except Refused as fault:
            # What cannot be re-read is not proven: it has failed, whatever was erased.
            return verdicts | {task.case_id: Failed(str(fault)) for task in done}
        judge = Judge(
            self._policy,
            self._connector.mapping,
            self._command.shape,
            self._effects,
            remainders,
            interrupted=self._command.interrupted,
        )
        written: dict[int, Verdict] = {}
        for task in done:
            verdict = judge.of(task.keys)
            as_rows = written.get(id(verdict))
            if as_rows is None:
                as_rows = written[id(verdict)] = _written(verdict)
            verdicts[task.case_id] = as_rows
        return verdicts

    def _work(self, tasks: Sequence[Task]) -> Work:
        keys = list({key: None for task in tasks for key in task.keys})
        return Work(self._command.shape, self._cutoffs, keys)


def _written(verdict: tuple[Outcome, ...] | Failed) -> Verdict:
    if isinstance(verdict, Failed):
        return verdict
    days = [outcome.look_on for outcome in verdict if outcome.look_on is not None]
    return Verified([_row(outcome) for outcome in verdict], min(days, default=None))


def _row(outcome: Outcome) -> Row:
    """An outcome as the ledger and the receipts write it: what says nothing is left out."""
    row: dict[str, Any] = {"group": outcome.group, "result": outcome.result}
    if outcome.result != "absent":
        row["rows"] = outcome.rows
    if outcome.grounds:
        row["grounds"] = list(outcome.grounds)
        row["until"] = outcome.until.isoformat() if outcome.until else None
    if outcome.why:
        row["why"] = outcome.why
    if outcome.interrupted:
        row["interrupted"] = True
    if outcome.contracts:
        row["contracts"] = outcome.contracts
    return row
