"""What operators do with sweeps: ask for one, pause, resume, cancel and approve it, look for it.

Whoever decides gives a name and a reason; both are kept with the sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from connectors.mapping import Key
from worker.context import Context, NotPossible
from worker.core.legs import visited
from worker.core.lifecycle import SWEEP_ENDED, SweepState
from worker.ledger import actions, sweep_history, sweep_steps, sweeps
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.database import Connection
from worker.ledger.sweeps import Sweep
from worker.sweeping.people import person_pseudonym
from worker.sweeping.telling import tell_sweep
from worker.sweeps import Wanted, ask, publish

SOURCE = "erasure retention run"
SEE = "list them with: erasure retention status"


STANDING = frozenset(SweepState) - SWEEP_ENDED - {SweepState.CANCELLING}
"""States in which a sweep can still be cancelled."""


@dataclass(frozen=True, slots=True)
class SweptPerson:
    """One receipt of a sweep that names a person."""

    sweep: int
    store: str
    settled_at: datetime
    outcomes: list[Any]


async def run(
    context: Context,
    store: str,
    *,
    table: str | None = None,
    ground: str | None = None,
    as_of: date | None = None,
    by: str | None = None,
    reason: str | None = None,
    origin: Origin = Origin.CLI,
) -> int:
    """Ask for a sweep and tell those who run it. Returns its id.

    Raises NotPossible for a rule that the policy does not have and a day that has not come, and
    PublishFailed when the broker is away: the sweep stands in the ledger then, and goes on later.
    """
    if store not in context.connectors:
        raise context.no_store(store)
    try:
        visited(context.policy.mapping(store), table, ground)
    except LookupError:
        raise NotPossible(
            "no-rule",
            f"no table of {store} is meant; see what there is with: erasure retention plan",
            store=store,
        ) from None
    if as_of is not None and as_of > context.day():
        raise NotPossible(
            "future-date",
            f"{as_of} has not come; what will be due then shows: erasure retention plan --as-of",
            day=as_of,
        )
    wanted = Wanted(store, "operator", SOURCE, str(uuid4()), table, ground, as_of)
    async with context.ledger.begin() as connection:
        asked = await ask(context, connection, wanted)
        if asked is not None and by is not None:
            who = Who(by, reason, origin)
            await actions.note(connection, context.now(), who, Did.SWEEP_ASKED, f"sweep:{asked}")
    if asked is None:
        raise NotPossible("asked-meanwhile", "somebody asked for it at the same moment; ask again")
    await publish(context, [(store, asked)])
    return asked


async def pause(
    context: Context, sweep_id: int, *, by: str, because: str, origin: Origin = Origin.CLI
) -> None:
    """Let a sweep rest where it is. Raises NotPossible for one that is not to begin or at work."""
    reason = {"why": "paused", "by": by, "because": because}
    async with context.ledger.begin() as connection:
        origins = {SweepState.WAITING, SweepState.RUNNING}
        if not await sweeps.move(
            connection, sweep_id, origins, SweepState.PAUSED, now=context.now(), reason=reason
        ):
            raise await _refused(connection, sweep_id, "be paused")
        who = Who(by, because, origin)
        await actions.note(connection, context.now(), who, Did.SWEEP_PAUSED, f"sweep:{sweep_id}")


async def resume(
    context: Context,
    sweep_id: int,
    *,
    by: str,
    because: str | None = None,
    origin: Origin = Origin.CLI,
) -> None:
    """Let a paused sweep go on where it was. Raises NotPossible for one that is not paused."""
    reason = {"why": "resumed", "by": by}
    async with context.ledger.begin() as connection:
        if not await sweeps.move(
            connection,
            sweep_id,
            {SweepState.PAUSED},
            SweepState.WAITING,
            now=context.now(),
            reason=reason,
        ):
            raise await _refused(connection, sweep_id, "be resumed")
        who = Who(by, because, origin)
        await actions.note(connection, context.now(), who, Did.SWEEP_RESUMED, f"sweep:{sweep_id}")
        sweep = await _read(connection, sweep_id)
    await publish(context, [(sweep.store, sweep_id)])


async def cancel(
    context: Context, sweep_id: int, *, by: str, because: str, origin: Origin = Origin.CLI
) -> None:
    """End a sweep for good; what it erased stays erased. Raises NotPossible for one that ended.

    A chunk under way is settled first, by whoever runs sweeps: its people get their receipts.
    Upstream is told, if it asked for the sweep. Raises PublishFailed when the broker is away: it
    is cancelled then, and told later.
    """
    reason = {"why": "cancelled", "by": by, "because": because}
    now = context.now()
    async with context.ledger.begin() as connection:
        sweep = await sweeps.read(connection, sweep_id, lock=True)
        settled = sweep is None or sweep.span is None
        moved = (
            await sweep_steps.end(
                connection, sweep_id, None, SweepState.CANCELLED, now, reason=reason
            )
            if settled
            else await sweeps.move(
                connection, sweep_id, STANDING, SweepState.CANCELLING, now=now, reason=reason
            )
        )
        if not moved:
            raise await _refused(connection, sweep_id, "be cancelled")
        who = Who(by, because, origin)
        await actions.note(connection, context.now(), who, Did.SWEEP_CANCELLED, f"sweep:{sweep_id}")
    if sweep is not None and not settled:
        await publish(context, [(sweep.store, sweep_id)])
    else:
        await tell_sweep(context, sweep_id)


async def approve(
    context: Context, sweep_id: int, *, by: str, because: str, origin: Origin = Origin.CLI
) -> None:
    """Let a sweep begin that asks. Raises NotPossible for one that does not ask."""
    async with context.ledger.begin() as connection:
        if not await sweeps.approve(
            connection, sweep_id, by=by, because=because, now=context.now()
        ):
            raise await _refused(connection, sweep_id, "be approved")
        who = Who(by, because, origin)
        await actions.note(connection, context.now(), who, Did.SWEEP_APPROVED, f"sweep:{sweep_id}")
        sweep = await _read(connection, sweep_id)
    await publish(context, [(sweep.store, sweep_id)])


async def receipts(context: Context, store: str, key: Key) -> list[SweptPerson]:
    """What sweeps did to the person with this root key in a store, the oldest first."""
    pseudonym = person_pseudonym(context.sealer, store, key)
    async with context.ledger.begin() as connection:
        found = await sweep_history.receipts_of(connection, [pseudonym])
    return [SweptPerson(*row) for row in found]


async def _read(connection: Connection, sweep_id: int) -> Sweep:
    sweep = await sweeps.read(connection, sweep_id)
    if sweep is None:
        raise NotPossible("no-sweep", f"there is no sweep {sweep_id}; {SEE}", sweep=sweep_id)
    return sweep


async def _refused(connection: Connection, sweep_id: int, what: str) -> NotPossible:
    sweep = await _read(connection, sweep_id)
    text = f"sweep {sweep_id} is {sweep.state.value} and cannot {what}"
    return NotPossible("sweep-state", text, sweep=sweep_id, sweep_state=sweep.state)
