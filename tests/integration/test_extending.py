"""A deadline is extended by two months, within the first one and once (GDPR art. 12(3))."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.driving import accept, on_day, settle
from tests.support.nordlys import Person, erasure, event
from tests.support.world import World, id_of
from topics.events import EventKind
from worker.cli.app import app
from worker.cli.exits import Exit
from worker.context import Context, NotPossible
from worker.core.deadline import due_on, extended, working_days_left
from worker.ledger import actions, cases
from worker.ledger.actions import Did
from worker.ledger.cases import Case
from worker.operate import extend

WHO: dict[str, Any] = {"by": "Kari Nordmann", "reason": "four stores and paper archives"}
ASKED = date(2026, 3, 5)
ON_THE_DAY = datetime(2026, 3, 5, 12, tzinfo=UTC)


async def case_of(context: Context, one: Any) -> Case:
    """The case of an event."""
    async with context.ledger.begin() as connection:
        found = await cases.read(connection, id_of(one))
    assert found is not None
    return found


async def test_a_deadline_is_extended_once_within_the_first_month(world: World) -> None:
    """On the last day of the first month it may be; a day later, or again, it may not."""
    person, other = Person(), Person()
    await world.stores.add(person, other)
    first, late = erasure(person, time=ON_THE_DAY), erasure(other, time=ON_THE_DAY)
    async with world.context() as made:
        context = on_day(made, ASKED)
        await accept(context, first, late)
        last = on_day(made, date(2026, 4, 7))  # Easter is over: see the law's own example.
        done = await extend(last, id_of(first), **WHO)
        assert (done.until, done.tell_by) == (date(2026, 6, 5), date(2026, 4, 7))
        assert (await case_of(context, first)).due_on == date(2026, 6, 5)
        with pytest.raises(NotPossible, match="was extended before: it is due on 2026-06-05"):
            await extend(last, id_of(first), **WHO)
        with pytest.raises(NotPossible, match="first month, and that ended on 2026-04-07"):
            await extend(on_day(made, date(2026, 4, 8)), id_of(late), **WHO)
        assert (await case_of(context, late)).due_on == date(2026, 4, 7)
        async with context.ledger.begin() as connection:
            (one,) = await actions.listed(connection)
        assert (one.what, one.target) == (Did.DEADLINE_EXTENDED, f"case:{id_of(first)}")
        assert (one.by, one.reason) == (WHO["by"], WHO["reason"])
        await settle(context)
        (told,) = await world.completions(first)
        assert told["due_on"] == "2026-06-05"
        with pytest.raises(NotPossible, match="the case is closed and has no deadline any more"):
            await extend(context, id_of(late), **WHO)


async def test_what_time_asks_for_is_not_extended(world: World) -> None:
    """Nobody has asked: there is no request whose answer could take longer."""
    person = Person()
    await world.stores.add(person)
    expired = event("retention.expired", {"customer_id": person.customer_no})
    async with world.context() as context:
        await accept(context, expired)
        case = await case_of(context, expired)
        assert (case.kind, case.asked_on) == (EventKind.RETENTION_EXPIRED, None)
        with pytest.raises(NotPossible, match="nobody asked for it but time"):
            await extend(context, case.id, **WHO)


async def test_it_is_counted_from_the_day_on_which_the_person_asked(world: World) -> None:
    """Not from that of the event: an event may come days after a letter."""
    person = Person()
    await world.stores.add(person)
    request = erasure(person, time=ON_THE_DAY, requested_at="2026-03-02T09:00:00Z")
    async with world.context() as made:
        context = on_day(made, ASKED)
        await accept(context, request)
        asked = date(2026, 3, 2)
        assert (await case_of(context, request)).due_on == due_on(asked, "NO")
        done = await extend(context, id_of(request), **WHO)
        assert done.until == extended(asked, "NO") != extended(ASKED, "NO")


async def test_as_it_is_typed(world: World) -> None:
    """The command says whom to tell until when; the case's story has who and why."""

    async def command(*words: str, command: str = "case") -> tuple[int, str]:
        answer = await asyncio.to_thread(
            CliRunner().invoke, app, [command, *words], env=world.settings
        )
        return answer.exit_code, answer.stdout

    person = Person()
    await world.stores.add(person)
    request = erasure(person)
    async with world.context() as context:
        await accept(context, request)
        case = await case_of(context, request)
    assert case.asked_on is not None
    who = ("--by", WHO["by"], "--reason", WHO["reason"])
    code, said = await command("extend", str(case.id), *who)
    assert (code, str(extended(case.asked_on, "NO")) in said) == (Exit.OK, True)
    assert f"tell the person by {case.due_on}" in said
    code, said = await command("show", str(case.id))
    assert f"deadline extended by two months by {WHO['by']}: {WHO['reason']}" in said
    until = extended(case.asked_on, "NO")
    left = f"{working_days_left(context.day(), until, 'NO')} working days left"
    assert f"deadline    {until}, {left}" in said
    code, said = await command(command="cases")
    assert (code, left in said) == (Exit.OK, True)
