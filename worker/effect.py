"""The effect of one command in its store: act, bisect what is refused, re-read, judge."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from connectors.base import Done, Effects, Work
from connectors.faults import HINTS, Refused, RetryLater
from connectors.mapping import Key
from worker.context import Context
from worker.core import restricting
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


class Attempt(ABC):
    """One attempt at one command in its store. It remembers what the store did."""

    def __init__(self, context: Context, command: Command) -> None:
        self._connector = context.connectors[command.store]
        self._timeout = context.timing.store_timeout.total_seconds()
        self._command = command
        self._effects: dict[Key, Mapping[str, Done]] = {}
        self.refused: dict[UUID, Failed] = {}
        """Tasks that the store would not do: it rolled back, so nothing of theirs has changed."""
        self.committed = False
        """Whether anything was committed in the store, so that a repeat may find nothing."""

    async def act(self, tasks: Sequence[Task]) -> None:
        """Act for all tasks; where the store refuses, for halves of them, down to the one.

        Raises RetryLater or Misfit.
        """
        if not tasks:
            return
        try:
            async with asyncio.timeout(self._timeout):
                effects = await self._act(tasks)
        except TimeoutError:
            raise RetryLater("no-answer", HINTS["no-answer"], in_doubt=True) from None
        except Refused as fault:
            if len(tasks) == 1:
                self.refused[tasks[0].case_id] = Failed(str(fault))
                return
            half = len(tasks) // 2
            await self.act(tasks[:half])
            await self.act(tasks[half:])
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
                judged = await self._reread(done)
        except TimeoutError:
            raise RetryLater("no-answer", HINTS["no-answer"]) from None
        except Refused as fault:
            # What cannot be re-read is not proven: it has failed, whatever was done.
            return verdicts | {task.case_id: Failed(str(fault)) for task in done}
        written: dict[int, Verdict] = {}
        for task, verdict in zip(done, judged, strict=True):
            as_rows = written.get(id(verdict))
            if as_rows is None:
                as_rows = written[id(verdict)] = _verdict(verdict)
            verdicts[task.case_id] = as_rows
        return verdicts

    @abstractmethod
    async def _act(self, tasks: Sequence[Task]) -> Effects:
        """Do it in the store, for all of the tasks or for none. Raises what a connector may."""

    @abstractmethod
    async def _reread(self, tasks: Sequence[Task]) -> Sequence[tuple[Outcome, ...] | Failed]:
        """Read the store again and judge each task. Raises what a connector may."""


class Erasing(Attempt):
    """An attempt at erasing what no living ground keeps."""

    def __init__(self, context: Context, command: Command) -> None:
        super().__init__(context, command)
        self._policy = context.policy
        self._cutoffs = context.policy.cutoffs(command.store, context.day())

    async def _act(self, tasks: Sequence[Task]) -> Effects:
        return await self._connector.erase(self._work(tasks))

    async def _reread(self, tasks: Sequence[Task]) -> Sequence[tuple[Outcome, ...] | Failed]:
        judge = Judge(
            self._policy,
            self._connector.mapping,
            self._command.shape,
            self._effects,
            await self._connector.verify(self._work(tasks)),
            interrupted=self._command.interrupted,
        )
        return [judge.of(task.keys) for task in tasks]

    def _work(self, tasks: Sequence[Task]) -> Work:
        return Work(self._command.shape, self._cutoffs, _keys(tasks))


class Restricting(Attempt):
    """An attempt at writing or lifting a restriction: of each case whatever is wanted now."""

    def __init__(self, context: Context, command: Command, wanted: Mapping[UUID, bool]) -> None:
        super().__init__(context, command)
        self._wanted = wanted

    async def _act(self, tasks: Sequence[Task]) -> Effects:
        effects: dict[Key, Mapping[str, Done]] = {}
        for lifted, some in self._sides(tasks):
            effects |= await self._connector.restrict(_keys(some), lifted=lifted)
        return effects

    async def _reread(self, tasks: Sequence[Task]) -> Sequence[tuple[Outcome, ...] | Failed]:
        found: dict[UUID, tuple[Outcome, ...] | Failed] = {}
        for lifted, some in self._sides(tasks):
            remainders = await self._connector.restricted(_keys(some), lifted=lifted)
            for task in some:
                found[task.case_id] = restricting.judge(
                    self._connector.mapping,
                    self._effects,
                    remainders,
                    task.keys,
                    lifted=lifted,
                    interrupted=self._command.interrupted,
                )
        return [found[task.case_id] for task in tasks]

    def _sides(self, tasks: Sequence[Task]) -> Iterator[tuple[bool, list[Task]]]:
        for lifted in (False, True):
            some = [task for task in tasks if self._wanted.get(task.case_id, False) is not lifted]
            if some:
                yield lifted, some


def _keys(tasks: Sequence[Task]) -> list[Key]:
    return list({key: None for task in tasks for key in task.keys})


def _verdict(verdict: tuple[Outcome, ...] | Failed) -> Verdict:
    if isinstance(verdict, Failed):
        return verdict
    days = [outcome.look_on for outcome in verdict if outcome.look_on is not None]
    return Verified([written(outcome) for outcome in verdict], min(days, default=None))


def written(outcome: Outcome) -> Row:
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
