"""The story of one case, gathered from the ledger: what happened when, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from topics.events import RESTRICTING
from worker.core.deadline import working_days_left
from worker.core.lifecycle import STANDING, CaseState
from worker.core.policy import Policy
from worker.core.wording import counted
from worker.ledger import actions, answers, batches, cases, commands, obligations
from worker.ledger.actions import Action
from worker.ledger.answers import Receipt
from worker.ledger.cases import Case
from worker.ledger.commands import CommandLine
from worker.ledger.database import Ledger
from worker.observe.wording import (
    EVENTS,
    EVERYTHING,
    OutcomeWords,
    action_words,
    outcome_words,
    reason_words,
)
from worker.versions import policy_of

COMMANDS = 100_000
"""Commands of one batch at the most: far more than one can have."""


STEPS: Final[Mapping[str, str]] = {
    "said": "{event}, says {source}",
    "received": "received; to be done by {due_on}",
    "stop-published": "stop published",
    "stop-waits": "stop not published yet",
    "looks-again": "what was retained is looked at again; until {due_on}",
    "nobody": "{store}: asked, nobody was found",
    "done": "{store}: carried out and re-read",
    "planned": "{store}: command {command} planned under policy {policy}",
    "attempted": "{store}: command {command} attempted ({attempts}.)",
    "settled": "{store}: command {command} settled: carried out and re-read",
    "dead": "{store}: command {command} is a dead letter: {fault}",
    "tried-again": "{store}: command {command} will be tried again: {fault}",
    "did": "{words}",
    "ended": "{state}",
}
"""What can happen to a case; the page has the same keys in each of its languages."""

TODOS: Final[Mapping[str, str]] = {
    "parked": "decide: erasure case resume {case} --key {store}=KEY, "
    "or erasure case reject {case} --by NAME --reason TEXT",
    "held": "waits for: erasure hold release {hold} --by NAME (see: erasure hold list)",
    "restricted": "waits until the restriction of processing is lifted; goes on by itself",
    "dead": "remove the cause in {store}, then: erasure dead-letters retry {commands}",
    "unasked": "waits for {stores} to be asked who is meant; asked again by itself",
    "erasing": "waits for {counted} to erase: {stores}",
}
"""What can be done about a case, or what it waits for; the page has the same keys."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; ``at`` is None where the time is not on record.

    ``what`` tells it in English; ``key`` is one of ``STEPS``, filled with ``values``.
    """

    at: datetime | None
    what: str
    key: str
    values: Mapping[str, str]


def _step(at: datetime | None, key: str, **values: object) -> Step:
    told = {name: str(value) for name, value in values.items()}
    return Step(at, STEPS[key].format_map(told), key, told)


@dataclass(frozen=True, slots=True)
class Todo:
    """What an operator can do, or what the worker is waiting for; ``key`` is one of ``TODOS``."""

    key: str
    values: Mapping[str, str]

    @property
    def what(self) -> str:
        """Say it in English, with the commands."""
        return TODOS[self.key].format_map(self.values)


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
    days_left: int | None
    """Working days until then, negative when it is over; None for a case that has ended."""
    reason: Mapping[str, Any] | None
    reason_words: str
    todo: str
    next: Todo | None
    """The same as ``todo``, to be said in other words; None: there is nothing to do or wait for."""
    timeline: tuple[Step, ...]
    stores: tuple[StoreWords, ...]
    follows: UUID | None
    """The first case about the event, when this one looked again at what that one left."""
    obligations: tuple[LookAgain, ...]
    followed_by: tuple[UUID, ...]


async def story(ledger: Ledger, policy: Policy, case_id: UUID, today: date) -> Story | None:
    """Tell the story of a case; None when there is no such case.

    ``today`` is the day in the policy's country.
    """
    async with ledger.begin() as connection:
        case = await cases.read(connection, case_id)
        if case is None:
            return None
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
    todo = _todo(case, own, left)
    return Story(
        id=case.id,
        state=case.state,
        kind=case.kind.value,
        source=case.source,
        event_id=case.event_id,
        purposes=case.purposes,
        channel=case.channel,
        due_on=case.due_on,
        days_left=left_of(case, policy.country, today),
        reason=case.reason,
        reason_words=reason_words(case.reason),
        todo="" if todo is None else todo.what,
        next=todo,
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


def left_of(case: Case, country: str, today: date) -> int | None:
    """Working days until a case's deadline (DESIGN, rule 9); None for one that has ended."""
    if case.state not in STANDING:
        return None
    return working_days_left(today, case.due_on, country)


def _timeline(
    case: Case,
    own: Sequence[CommandLine],
    receipts: Sequence[Receipt],
    did: Sequence[Action],
    stopped_at: datetime | None,
) -> tuple[Step, ...]:
    """Every step in the order of time; the stop follows the receipt of the event."""
    begin = [
        _step(case.event_time, "said", event=EVENTS[case.kind], kind=case.kind, source=case.source),
        _step(case.received_at, "received", due_on=case.due_on),
        _step(stopped_at, "stop-published" if stopped_at else "stop-waits"),
    ]
    if case.kind in RESTRICTING:
        del begin[2]  # Nothing is stopped.
    if case.follows is not None:
        begin = [begin[0], _step(case.received_at, "looks-again", due_on=case.due_on)]
    # What an operator did comes before what followed in the same moment.
    steps = [_did(action) for action in did]
    steps += [step for command in own for step in _steps(command)]
    commanded = {command.store for command in own}
    steps += [
        _step(receipt.settled_at, _answer(receipt), store=receipt.store)
        for receipt in receipts
        if receipt.store not in commanded
    ]
    if case.closed_at is not None:
        steps.append(_step(case.closed_at, "ended", state=case.state))
    return (*begin, *sorted(steps, key=lambda step: step.at or case.received_at))


def _answer(receipt: Receipt) -> str:
    nobody = [row for row in receipt.outcomes if row["group"] == EVERYTHING]
    return "nobody" if nobody else "done"


def _did(action: Action) -> Step:
    return _step(
        action.at,
        "did",
        words=action_words(action),
        action=action.what,
        target=action.target,
        by=action.by,
        reason=action.reason or "",
    )


def _steps(command: CommandLine) -> list[Step]:
    about = {"store": command.store, "command": command.id}
    steps = [_step(command.created_at, "planned", policy=command.policy, **about)]
    if command.attempted_at is not None:
        steps.append(_step(command.attempted_at, "attempted", attempts=command.attempts, **about))
    if command.settled_at is not None:
        steps.append(_step(command.settled_at, "settled", **about))
    elif command.state == "dead":
        steps.append(_step(command.attempted_at, "dead", fault=command.fault, **about))
    elif command.fault:
        steps.append(_step(command.attempted_at, "tried-again", fault=command.fault, **about))
    return steps


def _todo(case: Case, own: Sequence[CommandLine], left: Sequence[str]) -> Todo | None:
    reason = case.reason or {}
    if case.state is CaseState.PARKED:
        return Todo("parked", {"case": str(case.id), "store": reason.get("store", "STORE")})
    if case.state is CaseState.HELD and "hold" not in reason:
        return Todo("restricted", {})
    if case.state is CaseState.HELD:
        return Todo("held", {"hold": str(reason["hold"])})
    if case.state is not CaseState.OPEN:
        return None
    dead = [command for command in own if command.state == "dead"]
    if dead:
        ids = " ".join(str(command.id) for command in dead)
        return Todo("dead", {"store": dead[0].store, "commands": ids})
    if left:
        return Todo("unasked", {"stores": ", ".join(left)})
    waiting = sorted({command.store for command in own if command.state == "open"})
    if waiting:
        stores = {"counted": counted(len(waiting), "store"), "stores": ", ".join(waiting)}
        return Todo("erasing", stores)
    return None
