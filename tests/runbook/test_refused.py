"""A store refuses somebody, or says that data are gone which are not, and the case closes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runbook.following import follow, status, until_told, until_well
from tests.runbook.measured import number, running, scrape
from tests.support.nordlys import Person, erasure, traces
from tests.support.world import World
from worker.ledger import commands
from worker.ledger.commands import CommandLine

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def dead_letter(world: World) -> CommandLine:
    """The only one."""
    async with world.ledger.begin() as connection:
        (found,) = await commands.listed(connection, state="dead")
    return found


def hindering(body: str, person: Person) -> str:
    """A trigger that does something whenever this person's row of the CRM is to go."""
    return (
        f"CREATE FUNCTION crm.hinder() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {body} END';"
        " CREATE TRIGGER hinder BEFORE DELETE ON crm.customer FOR EACH ROW"
        f" WHEN (OLD.customer_no = '{person.customer_no}') EXECUTE FUNCTION crm.hinder()"
    )


HELP = "DROP TRIGGER hinder ON crm.customer; DROP FUNCTION crm.hinder()"


async def test_dead_letters(night: World) -> None:
    """A trigger refuses one of two people; the other goes; it is mended, retried, and closes."""
    refused, other = Person(), Person()
    await night.stores.add(refused, other)
    await night.stores.run("crm", hindering("RAISE EXCEPTION ''not this one'';", refused))
    requests = [erasure(refused), erasure(other)]
    async with running(night):
        with follow(night, "Dead letters") as words:
            await night.publish(*requests)
            said = await until_told(night, "dead-letters", "Dead letters")
            assert "crm refused to erase in 1 case" in said
            assert "not-gone" not in await status(night)
            seen = await scrape(night)
            assert number(seen, "Dead letters", "erasure_store_dead_commands", store="crm") == 1
            await night.until_states(requests[1])
            letter = await dead_letter(night)
            said = await words.type("dead-letters list")
            assert str(letter.id) in said
            assert "crm" in said
            assert str(letter.fault)[:20] in said
            assert not any(mark in said.lower() for mark in refused.marks)

            # Retried before it is mended, it becomes one again, as the section says.
            await _retry(night, letter)
            await night.until(lambda: _dead_again(night, letter), "it is refused again")
            await night.stores.run("crm", HELP)
            said = await words.type("dead-letters retry", ID=letter.id)
            assert "1 dead letter given to the stores again" in said
            await night.until_told(requests[0])
            await until_well(night)
    assert traces(await night.stores.dump(), refused) == {}


async def test_verification_failed(night: World) -> None:
    """A trigger swallows the DELETE: no receipt says that it is done, until it is."""
    person = Person()
    await night.stores.add(person)
    await night.stores.run("crm", hindering("RETURN NULL;", person))
    request = erasure(person)
    async with running(night):
        with follow(night, "Verification failed") as words:
            await night.publish(request)
            await until_told(night, "not-gone", "Verification failed")
            assert "dead-letters" not in await status(night)
            failures = number(
                await scrape(night),
                "Verification failed",
                "erasure_verification_failures_total",
                store="crm",
            )
            assert failures
            assert "crm" not in {store for store, _ in await night.receipts(request)}
            letter = await dead_letter(night)
            said = await words.type("dead-letters list")
            assert "not-gone" in said
            assert "crm" in said
            await night.stores.run("crm", HELP)
            await words.type("dead-letters retry", ID=letter.id)
            await night.until_told(request)
            await until_well(night)
            assert "healthy" in await words.type("status")
    assert traces(await night.stores.dump(), person) == {}


async def _retry(world: World, letter: CommandLine) -> None:
    from worker.operate import retry

    async with world.context() as context:
        await retry(context, [letter.id], by="Kari Nordmann")


async def _dead_again(world: World, before: CommandLine) -> bool:
    async with world.ledger.begin() as connection:
        found: list[Any] = await commands.listed(connection, state="dead")
    return bool(found) and found[0].attempts > before.attempts
