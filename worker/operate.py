"""What an operator decides: resume or reject a parked case, extend a deadline, retry dead letters.

Each may be repeated; each raises :class:`~worker.context.NotPossible` with what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from connectors.mapping import Key
from worker.context import Context, NotPossible
from worker.core.deadline import due_on, extended
from worker.core.lifecycle import CaseState
from worker.ledger import actions, answers, batches, cases, commands, endings
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.answers import Answer
from worker.ledger.cases import Case
from worker.ledger.database import Connection
from worker.plan import plan_batch, publish_commands
from worker.supersede import reopen
from worker.telling import tell_answer


async def parked(connection: Connection, case_id: UUID) -> Case:
    """A case that waits for a decision. Raises NotPossible for any other."""
    case = await _case(connection, case_id)
    if case.state is not CaseState.PARKED:
        text = f"the case is {case.state}, and only a parked case waits for a decision"
        raise NotPossible("not-parked", text, case_state=case.state)
    return case


async def resume(
    context: Context,
    case_id: UUID,
    chosen: Mapping[str, Sequence[str]],
    *,
    by: str,
    reason: str | None = None,
    origin: Origin = Origin.CLI,
) -> Case:
    """Open a parked case again, with the key of the right person in each store named.

    ``chosen`` maps a store to the values of its root key, as text in the declared order; without
    any, what was chosen before is forgotten and the stores are asked anew. The case is resolved
    anew: what the other person's row would have led to is left out. Returns the case
    as it then stands: open, or parked again when the keys do not settle it.
    """
    keys = {store: [_key(context, store, values)] for store, values in chosen.items()}
    who = Who(by, reason, origin)
    async with context.ledger.begin() as connection:
        case = await parked(connection, case_id)
        await actions.note(connection, context.now(), who, Did.CASE_RESUMED, f"case:{case_id}")
        batch_id = await reopen(context, connection, case.batch_id, [case_id], keys)
    await plan_batch(context, batch_id)
    async with context.ledger.begin() as connection:
        return await _case(connection, case_id)


async def reject(
    context: Context, case_id: UUID, *, by: str, reason: str, origin: Origin = Origin.CLI
) -> None:
    """End a parked case without erasing anything; upstream is told that, and no more.

    Name and reason stay in the ledger. The stop stands.
    """
    now = context.now()
    async with context.ledger.begin() as connection:
        case = await parked(connection, case_id)
        await batches.hold(connection, case.batch_id)
        answer_id = await answers.open_answer(connection, case.batch_id, None, now)
        ended = await endings.end(
            connection,
            [case_id],
            state=CaseState.REJECTED,
            answer_id=answer_id,
            now=now,
            reason={**(case.reason or {}), "rejected_by": by, "rejected_because": reason},
        )
        await batches.finish(connection, case.batch_id, now)
        who = Who(by, reason, origin)
        await actions.note(connection, now, who, Did.CASE_REJECTED, f"case:{case_id}")
    answer = Answer(answer_id, case.batch_id, None, context.policy.version, now)
    await tell_answer(context, answer, (), ended)


@dataclass(frozen=True, slots=True)
class Extended:
    """A deadline that was extended, and the day until which the person must be told so."""

    until: date
    tell_by: date


async def extend(
    context: Context, case_id: UUID, *, by: str, reason: str, origin: Origin = Origin.CLI
) -> Extended:
    """Extend a case's deadline by two further months (GDPR art. 12(3)), once.

    Raises NotPossible after the first month, within which the person must be told, for a case that
    has ended or was extended before, and for one that no person has asked for.
    """
    who, country = Who(by, reason, origin), context.policy.country
    async with context.ledger.begin() as connection:
        case = await _case(connection, case_id)
        if case.closed_at is not None:
            text = f"the case is {case.state} and has no deadline any more"
            raise NotPossible("no-deadline", text, case_state=case.state)
        if case.asked_on is None:
            raise NotPossible(
                "nobody-asked", "nobody asked for it but time: only a person's request is extended"
            )
        tell_by, until = due_on(case.asked_on, country), extended(case.asked_on, country)
        if case.due_on >= until:
            text = f"its deadline was extended before: it is due on {case.due_on}"
            raise NotPossible("extended-before", text, due_on=case.due_on)
        if context.day() > tell_by:
            raise NotPossible(
                "extended-late",
                f"a deadline is extended within the first month, and that ended on {tell_by} "
                "(GDPR art. 12(3)): the case is late, see what it waits for with: "
                f"erasure case {case_id}",
                tell_by=tell_by,
            )
        if not await cases.extend(connection, case_id, case.due_on, until):
            raise NotPossible(
                "decided-meanwhile", "somebody closed or extended it at this moment; look again"
            )
        await actions.note(connection, context.now(), who, Did.DEADLINE_EXTENDED, f"case:{case_id}")
    return Extended(until, tell_by)


async def retry(
    context: Context,
    command_ids: Sequence[int],
    *,
    by: str,
    reason: str | None = None,
    origin: Origin = Origin.CLI,
) -> int:
    """Give dead letters to their stores again; returns how many there were to give."""
    async with context.ledger.begin() as connection:
        revived = await commands.revive(
            connection, command_ids, due_at=context.now() + context.timing.answer_grace
        )
        who, letters = Who(by, reason, origin), [f"command:{one.id}" for one in revived]
        await actions.note(connection, context.now(), who, Did.RETRIED, *letters)
    await publish_commands(context, revived)
    return len(revived)


def _key(context: Context, store: str, values: Sequence[str]) -> Key:
    """A key as an operator types it, checked against the store's root."""
    if store not in context.connectors:
        raise context.no_store(store)
    columns = context.connectors[store].mapping.root.key
    if len(values) != len(columns):
        names = ", ".join(columns)
        raise NotPossible(
            "key-parts",
            f"a key of {store} has {len(columns)} value(s): {names}; join them by /",
            store=store,
            columns=names,
        )
    return tuple(values)


async def _case(connection: Connection, case_id: UUID) -> Case:
    case = await cases.read(connection, case_id)
    if case is None:
        raise NotPossible("no-case", "there is no such case; list them with: erasure cases")
    return case
