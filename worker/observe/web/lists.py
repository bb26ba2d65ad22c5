"""Pages that list: cases that stand, dead letters, holds, sweeps, and what operators did.

A list is read in pages from where the last one ended, so that 100,000 rows are as fast as ten.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from aiohttp import web

from worker.core.lifecycle import SWEEP_ENDED, CaseState, SweepState
from worker.ledger import actions, brakes, holds, paging, sweeps
from worker.observe.story import left_of
from worker.observe.web.parts import Ask
from worker.web_settings import Role

ROWS: Final = 50
HOLDS: Final = 500
STATES: Final = (CaseState.PARKED, CaseState.HELD, CaseState.OPEN)
"""What can be listed: cases that have ended are searched for."""


async def cases(ask: Ask) -> web.Response:
    """List cases in one state, the nearest deadline first."""
    state = next((one for one in STATES if one == ask.request.query.get("state")), STATES[0])
    after = _case_mark(ask.request.query.get("after", ""))
    context = ask.site.context
    async with context.ledger.begin() as connection:
        found = await paging.standing_cases(connection, state, ROWS + 1, after)
    more = f"{found[ROWS - 1].due_on}_{found[ROWS - 1].id}" if len(found) > ROWS else None
    return ask.show(
        "cases.html",
        cases=found[:ROWS],
        state=state,
        states=STATES,
        more=more,
        first=after is None,
        left=partial(left_of, country=context.policy.country, today=context.day()),
    )


async def dead_letters(ask: Ask) -> web.Response:
    """List dead letters, the oldest first."""
    given = ask.request.query.get("after", "")
    after = int(given) if given.isdecimal() and given.isascii() and len(given) < 18 else 0
    async with ask.site.context.ledger.begin() as connection:
        found = await paging.dead_letters(connection, ROWS + 1, after)
    more = found[ROWS - 1].id if len(found) > ROWS else None
    return ask.show(
        "dead_letters.html",
        letters=found[:ROWS],
        more=more,
        first=not after,
        may_operate=ask.may(Role.OPERATOR),
    )


async def standing_holds(ask: Ask) -> web.Response:
    """List the holds that stand, the next review first."""
    async with ask.site.context.ledger.begin() as connection:
        found = await holds.listed(connection)
    return ask.show(
        "holds.html",
        holds=found[:HOLDS],
        hidden=max(0, len(found) - HOLDS),
        today=ask.site.context.day(),
        may_operate=ask.may(Role.OPERATOR),
        may_approve=ask.may(Role.APPROVER),
    )


async def all_sweeps(ask: Ask) -> web.Response:
    """List sweeps: those that stand, then those that ended lately; and stores that ask."""
    async with ask.site.context.ledger.begin() as connection:
        standing = await sweeps.listed(connection, states=set(SweepState) - SWEEP_ENDED)
        ended = await sweeps.listed(connection, states=SWEEP_ENDED, limit=ROWS)
        asking = await brakes.asking(connection)
    return ask.show(
        "sweeps.html",
        sweeps=[*standing, *ended],
        asking=asking,
        may_operate=ask.may(Role.OPERATOR),
        may_approve=ask.may(Role.APPROVER),
    )


async def did(ask: Ask) -> web.Response:
    """List what operators did lately, the newest first."""
    async with ask.site.context.ledger.begin() as connection:
        found = await actions.listed(connection, limit=ROWS * 2)
    return ask.show("actions.html", actions=found)


def _case_mark(given: str) -> tuple[date, UUID] | None:
    """Where the page before ended; anything else begins at the beginning."""
    day, _, case_id = given.partition("_")
    try:
        return date.fromisoformat(day), UUID(case_id)
    except ValueError:
        return None
