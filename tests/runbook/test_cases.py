"""Cases in each state that the table has: caused, and led on as its row says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.runbook.following import follow, typed, until_told, until_well
from tests.runbook.measured import running
from tests.support.nordlys import Person, consent, customer, erasure, traces, withdrawal
from tests.support.world import World, id_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def twins(world: World) -> tuple[Person, Person, dict[str, Any]]:
    """Two customers with one e-mail address, and a request for erasure by that address."""
    first, second = Person(subscriptions=0), Person(subscriptions=0)
    await world.stores.add(first, second)
    await world.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{first.email}'"
        f" WHERE customer_no = '{second.customer_no}'",
    )
    return first, second, erasure(first)


async def state(world: World, request: dict[str, Any]) -> str:
    """The state that ``erasure cases`` shows."""
    said = await typed(world, "erasure cases")
    (line,) = (one for one in said.out.splitlines() if one.startswith(str(id_of(request))))
    return line.split()[1]


async def test_parked(night: World) -> None:
    """Nobody knows who is meant: one is resumed with a key and closes, one is rejected."""
    first, second, request = await twins(night)
    _, _, nobody = await twins(night)
    async with running(night):
        with (
            follow(night, "A case: parked") as words,
            follow(night, "A case: rejected"),
            follow(night, "A case: closed"),
        ):
            await night.publish(request, nobody)
            await night.until_states(request, nobody, state="parked")
            said = await until_told(night, "cases-parked", "A case")
            assert "2 cases parked" in said
            assert "erasure cases --state parked" in said
            assert await state(night, request) == "parked"
            said = await words.type("case", CASE=id_of(request))
            assert "crm" in said
            await words.type(
                "case resume", CASE=id_of(request), STORE="crm", KEY=second.customer_no
            )
            await night.until_states(request)
            assert await state(night, request) == "closed"
            await words.type("case reject", CASE=id_of(nobody))
            assert await state(night, nobody) == "rejected"
            (told,) = await night.completions(nobody)
            assert told["state"] == "rejected"
            await until_well(night)
    left = await night.stores.dump()
    assert traces(left, second) == {}
    assert "crm.customer" in traces(left, first)


async def test_superseded(night: World) -> None:
    """A consent that is newer than a withdrawal which waits for its store takes it back."""
    person = customer()
    await night.stores.add(person)
    now = datetime.now(UTC)
    withdrawn = withdrawal(person, time=now - timedelta(minutes=1))
    given = consent(person, time=now)
    await typed(night, "erasure stores pause newsletter --by Kari --reason 'a release'")
    async with running(night):
        with follow(night, "A case: superseded"):
            await night.publish(withdrawn)
            await night.until_states(withdrawn, state="open")
            assert await state(night, withdrawn) == "open"
            await night.publish(given)
            await night.until_states(withdrawn, state="superseded")
            assert await state(night, withdrawn) == "superseded"
            await typed(night, "erasure stores resume newsletter --by Kari")
            await until_well(night)
    assert "newsletter.subscriber" in traces(await night.stores.dump(), person)
