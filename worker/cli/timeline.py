"""The story of one case, gathered from the ledger: what happened when, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from topics.events import RESTRICTING
from worker.cli.exits import NotThere
from worker.cli.output import counted
from worker.cli.words import (
    EVENTS,
    EVERYTHING,
    OutcomeWords,
    action_words,
    outcome_words,
    reason_words,
)
from worker.core.lifecycle import CaseState
from worker.core.policy import Policy
from worker.ledger import actions, answers, batches, cases, commands, obligations
from worker.ledger.actions import Action
from worker.ledger.answers import Receipt
from worker.ledger.cases import Case
from worker.ledger.commands import CommandLine
from worker.ledger.database import Ledger
from worker.versions import policy_of

COMMANDS = 100_000
"""Commands of one batch at the most: far more than one can have."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; ``at`` is None where the time is not on record."""

    at: datetime | None
    what: str


@dataclass(frozen=True, slots=True)
class StoreWords:
    """What one store answered, re-read and settled at a time."""

    store: str
    settled_at: datetime
    policy: str | None
    """The version that it was decided under."""
    outcomes: tuple[OutcomeWords, ...]


@dataclass(frozen=True, slots=True)
class LookAgain:
    """What a store retained is looked at again on a day, by itself."""

    store: str
    on: date


@dataclass(frozen=True, slots=True)
class Story:
    """Everything there is to tell about a case. It says which event, never which person."""

    id: UUID
    state: CaseState
    kind: str
    source: str
    event_id: str
    purposes: tuple[str, ...]
    channel: str | None
    due_on: date
    reason: Mapping[str, Any] | None
    reason_words: str
    todo: str
    timeline: tuple[Step, ...]
    stores: tuple[StoreWords, ...]
    follows: UUID | None
    """The first case about the event, when this one looked again at what that one left."""
    obligations: tuple[LookAgain, ...]
    followed_by: tuple[UUID, ...]


async def story(ledger: Ledger, policy: Policy, case_id: UUID) -> Story:
    """Tell the story of a case. Raises NotThere when there is no such case."""
    async with ledger.begin() as connection:
        case = await cases.read(connection, case_id)
        if case is None:
            raise NotThere("there is no such case; list them with: erasure cases")
        batch = await batches.read(connection, case.batch_id)
        issued = await commands.listed(connection, batch_id=case.batch_id, limit=COMMANDS)
        receipts = await answers.receipts_of_case(connection, case_id)
        own = [command for command in issued if case_id in command.case_ids]
        ahead = await obligations.of_case(connection, [command.id for command in own], case_id)
        later = await cases.followers(connection, case_id)
        targets = [f"case:{case_id}", *(f"command:{command.id}" for command in own)]
        did = await actions.listed(connection, targets=targets)
        policies = {
            receipt.policy: await policy_of(connection, receipt.policy, policy)
            for receipt in receipts
        }
    left = batch.stores_left if batch and case.state is CaseState.OPEN else ()
    return Story(
        id=case.id,
        state=case.state,
        kind=case.kind.value,
        source=case.source,
        event_id=case.event_id,
        purposes=case.purposes,
        channel=case.channel,
        due_on=case.due_on,
        reason=case.reason,
        reason_words=reason_words(case.reason),
        todo=_todo(case, own, left),
        timeline=_timeline(case, own, receipts, did, batch.stopped_at if batch else None),
        stores=tuple(
            StoreWords(
                receipt.store,
                receipt.settled_at,
                receipt.policy,
                tuple(outcome_words(policies[receipt.policy], row) for row in receipt.outcomes),
            )
            for receipt in receipts
        ),
        follows=case.follows,
        obligations=tuple(LookAgain(store, day) for store, day in ahead),
        followed_by=tuple(one.id for one in later),
    )


def _timeline(
    case: Case,
    own: Sequence[CommandLine],
    receipts: Sequence[Receipt],
    did: Sequence[Action],
    stopped_at: datetime | None,
) -> tuple[Step, ...]:
    """Every step in the order of time; the stop follows the receipt of the event."""
    begin = [
        Step(case.event_time, f"{EVENTS[case.kind]}, says {case.source}"),
        Step(case.received_at, f"received; to be done by {case.due_on}"),
        Step(stopped_at, "stop published" if stopped_at else "stop not published yet"),
    ]
    if case.kind in RESTRICTING:
        del begin[2]  # Nothing is stopped.
    if case.follows is not None:
        begin = [
            begin[0],
            Step(case.received_at, f"what was retained is looked at again; until {case.due_on}"),
        ]
    steps = [step for command in own for step in _steps(command)]
    commanded = {command.store for command in own}
    steps += [
        Step(receipt.settled_at, f"{receipt.store}: {_answer(receipt)}")
        for receipt in receipts
        if receipt.store not in commanded
    ]
    steps += [Step(action.at, action_words(action)) for action in did]
    if case.closed_at is not None:
        steps.append(Step(case.closed_at, str(case.state)))
    return (*begin, *sorted(steps, key=lambda step: step.at or case.received_at))


def _answer(receipt: Receipt) -> str:
    nobody = [row for row in receipt.outcomes if row["group"] == EVERYTHING]
    return "asked, nobody was found" if nobody else "carried out and re-read"


def _steps(command: CommandLine) -> list[Step]:
    name = f"{command.store}: command {command.id}"
    steps = [Step(command.created_at, f"{name} planned under policy {command.policy}")]
    if command.attempted_at is not None:
        steps.append(Step(command.attempted_at, f"{name} attempted ({command.attempts}.)"))
    if command.settled_at is not None:
        steps.append(Step(command.settled_at, f"{name} settled: carried out and re-read"))
    elif command.state == "dead":
        steps.append(Step(command.attempted_at, f"{name} is a dead letter: {command.fault}"))
    elif command.fault:
        steps.append(Step(command.attempted_at, f"{name} will be tried again: {command.fault}"))
    return steps


def _todo(case: Case, own: Sequence[CommandLine], left: Sequence[str]) -> str:
    """What an operator can do, or what the worker is waiting for."""
    if case.state is CaseState.PARKED:
        store = (case.reason or {}).get("store", "STORE")
        return (
            f"decide: erasure case resume {case.id} --key {store}=KEY, "
            f"or erasure case reject {case.id} --by NAME --reason TEXT"
        )
    if case.state is CaseState.HELD:
        hold = (case.reason or {}).get("hold", "ID")
        return f"waits for: erasure hold release {hold} --by NAME (see: erasure hold list)"
    if case.state is not CaseState.OPEN:
        return ""
    dead = [command for command in own if command.state == "dead"]
    if dead:
        ids = " ".join(str(command.id) for command in dead)
        return f"remove the cause in {dead[0].store}, then: erasure dead-letters retry {ids}"
    if left:
        return f"waits for {', '.join(left)} to be asked who is meant; asked again by itself"
    waiting = sorted({command.store for command in own if command.state == "open"})
    if waiting:
        return f"waits for {counted(len(waiting), 'store')} to erase: {', '.join(waiting)}"
    return ""
