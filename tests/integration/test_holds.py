"""A hold: nothing of the person is erased, the stop happens, and on release the case goes on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.judging import assert_gone_honestly, assert_told_once
from tests.support.nordlys import Person, about, erasure, today, withdrawal
from tests.support.world import World, id_of
from topics import names
from worker import hold
from worker.context import NotPossible
from worker.ledger import holds

pytestmark = pytest.mark.asyncio(loop_scope="module")

REVIEW = today() + timedelta(days=90)
ORDER: dict[str, Any] = {
    "by": "Kari Nordmann",
    "reason": "a claim is before the court",
    "review_on": REVIEW,
}


async def test_a_held_person_is_not_erased_and_then_is(town: World) -> None:
    """The stop is published, no store is touched, no completion told, until the release."""
    person, other = Person(), Person()
    await town.stores.add(person, other)
    before = await town.stores.dump()
    async with town.context() as context:
        # Held by one identifier, withdrawn by another: the stores know that they are one person.
        placed = await hold.place_on_subject(context, {"customer_id": person.customer_no}, **ORDER)
        key = context.sealer.pseudonym("email", person.email).hex().encode()
    assert (placed.cases, placed.unanswered) == ((), ())
    held, free = withdrawal(person), erasure(other)
    await town.publish(held, free)
    await town.until_states(held, state="held")
    await town.until_told(free)
    await town.until_quiet()
    assert about(await town.stores.dump(), [person]) == about(before, [person])
    assert key in {record.key for record in await town.read(names.SUPPRESSIONS)}
    assert await town.completions(held) == []
    async with town.context() as context:
        assert await hold.release(context, placed.hold, by="Kari Nordmann") == (id_of(held),)
    await town.until_told(held)
    await assert_told_once(town, [held])
    outcomes = await town.outcomes(held)
    assert outcomes["newsletter/subscriber.email+name"]["result"] == "erased"


async def test_two_holds_stand_for_themselves(town: World) -> None:
    """A case waits until the last hold on its person is released."""
    person = Person()
    await town.stores.add(person)
    before = await town.stores.dump()
    request = erasure(person)
    async with town.context() as context:
        first = await hold.place_on_subject(context, {"email": person.email}, **ORDER)
        second = await hold.place_on_subject(context, {"email": person.email}, **ORDER)
        await town.publish(request)
        await town.until_states(request, state="held")
        for placed in (second, first):
            assert about(await town.stores.dump(), [person]) == about(before, [person])
            await hold.release(context, placed.hold, by="Kari Nordmann")
        with pytest.raises(NotPossible, match="no hold"):
            await hold.release(context, first.hold, by="Kari Nordmann")
    await town.until_told(request)
    await assert_gone_honestly(town, before, [(person, request)])


async def test_a_hold_that_was_not_reviewed(town: World) -> None:
    """A hold is overdue from its review date on, and no more once it is released."""
    person = Person()
    async with town.context() as context:
        placed = await hold.place_on_subject(
            context, {"customer_id": person.customer_no}, **{**ORDER, "review_on": date(2026, 1, 1)}
        )
        async with context.ledger.begin() as connection:
            found = await holds.listed(connection)
        assert placed.hold in {one.id for one in hold.overdue(found, date(2026, 1, 1))}
        assert placed.hold not in {one.id for one in hold.overdue(found, date(2025, 12, 31))}
        await hold.release(context, placed.hold, by="Kari Nordmann")
        async with context.ledger.begin() as connection:
            every = await holds.listed(connection, released=True)
        assert placed.hold not in {one.id for one in hold.overdue(every, date(2026, 1, 1))}


async def test_a_hold_on_nobody(town: World) -> None:
    """An identifier that the policy does not know, or that is none, is refused in words."""
    async with town.context() as context:
        with pytest.raises(NotPossible, match="knows no identifier 'fax'"):
            await hold.place_on_subject(context, {"fax": "1"}, **ORDER)
        with pytest.raises(NotPossible, match="the email is not an e-mail address"):
            await hold.place_on_subject(context, {"email": "nobody"}, **ORDER)
