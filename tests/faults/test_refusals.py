"""A store that refuses or lies about one person: that one is a dead letter, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.judging import assert_gone_honestly, assert_told_once
from tests.support.nordlys import Person, erasure, traces
from tests.support.world import World, id_of
from topics import names
from worker import operate
from worker.ledger import commands
from worker.ledger.commands import CommandLine

CONSTRAINT = (
    "crm",
    "CREATE TABLE crm.loyalty (customer_no text REFERENCES crm.customer);"
    " INSERT INTO crm.loyalty VALUES ('{customer_no}')",
    "DROP TABLE crm.loyalty",
    "constraint",
)
RAISING_TRIGGER = (
    "billing",
    "CREATE FUNCTION billing.forbid() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RAISE EXCEPTION ''no: %'', OLD.bank_account; END';"
    " CREATE TRIGGER forbid BEFORE DELETE ON billing.account FOR EACH ROW"
    " WHEN (OLD.customer_no = '{customer_no}') EXECUTE FUNCTION billing.forbid()",
    "DROP TRIGGER forbid ON billing.account",
    "trigger",
)
SWALLOWED_DELETE = (
    "crm",
    "CREATE FUNCTION crm.swallow() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NULL; END';"
    " CREATE TRIGGER swallow BEFORE DELETE ON crm.customer FOR EACH ROW"
    " WHEN (OLD.customer_no = '{customer_no}') EXECUTE FUNCTION crm.swallow()",
    "DROP TRIGGER swallow ON crm.customer",
    "not-gone",
)
SWALLOWED_IN_SQLITE = (
    "newsletter",
    "CREATE TRIGGER swallow BEFORE DELETE ON subscriber"
    " WHEN lower(OLD.email) = '{email}' BEGIN SELECT RAISE(IGNORE); END",
    "DROP TRIGGER swallow",
    "not-gone",
)
REFUSALS = {
    "a constraint of an undeclared table": CONSTRAINT,
    "a trigger that raises": RAISING_TRIGGER,
    "a trigger that swallows the delete": SWALLOWED_DELETE,
    "a trigger of SQLite that swallows the delete": SWALLOWED_IN_SQLITE,
}


async def dead_letters(world: World) -> list[CommandLine]:
    """What waits for an operator."""
    async with world.ledger.begin() as connection:
        return await commands.listed(connection, state="dead")


async def one_is_dead(world: World, request: dict[str, Any]) -> CommandLine:
    """Wait for the only dead letter there should be, which is about one request alone."""

    async def dead() -> bool:
        return bool(await dead_letters(world))

    await world.until(dead, "a dead letter")
    (letter,) = await dead_letters(world)
    assert letter.case_ids == (id_of(request),)
    return letter


@pytest.mark.parametrize("how", REFUSALS)
async def test_one_person_a_store_refuses_is_one_dead_letter(world: World, how: str) -> None:
    """Of forty, thirty-nine close; one stays open, visible, and closes once the store gives in."""
    store, hinder, help_, fault = REFUSALS[how]
    people = [Person() for _ in range(40)]
    refused = people[17]
    await world.stores.add(*people)
    before = await world.stores.dump()
    await world.stores.run(
        store, hinder.format(customer_no=refused.customer_no, email=refused.email)
    )
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    with world.worker() as worker:
        await world.publish(*events)
        others = [one for one in requests if one[0] is not refused]
        await world.until_states(*(request for _, request in others))
        letter = await one_is_dead(world, events[17])
        assert (letter.store, letter.state) == (store, "dead")
        assert (letter.fault or "").startswith(fault)
        await assert_gone_honestly(world, before, others)
        assert await world.state(events[17]) == "open"
        assert traces(await world.stores.dump(), refused)
        assert not any(mark in world.log.read_text().lower() for mark in refused.marks)

        await world.stores.run(store, help_)
        async with world.context() as context:
            assert await operate.retry(context, [letter.id], by="Kari Nordmann") == 1
            assert await operate.retry(context, [letter.id], by="Kari Nordmann") == 0
        await world.until_told(*events)
        assert await worker.stop() == 0
    assert await dead_letters(world) == []
    await assert_gone_honestly(world, before, requests)
    await assert_told_once(world, events)


async def test_a_swallowed_update_is_a_failure(world: World) -> None:
    """A row that must stay and was not overwritten is seen by the re-read; no receipt, no close."""
    person = Person(surveys=1)
    await world.stores.add(person)
    await world.stores.run(
        "crm",
        "CREATE FUNCTION crm.swallow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER swallow BEFORE UPDATE ON crm.survey_answer FOR EACH ROW"
        " EXECUTE FUNCTION crm.swallow()",
    )
    request = erasure(person)
    with world.worker() as worker:
        await world.publish(request)
        letter = await one_is_dead(world, request)
        assert (letter.fault or "").startswith("not-gone")
        assert await world.state(request) == "open"
        assert "crm" not in {store for store, _ in await world.receipts(request)}
        told = {record.key for record in await world.read(names.COMPLETED)}
        assert told == set()
        await world.stores.run("crm", "DROP TRIGGER swallow ON crm.survey_answer")
        async with world.context() as context:
            await operate.retry(context, [letter.id], by="Kari Nordmann")
        await world.until_told(request)
        assert await worker.stop() == 0
    outcomes = await world.outcomes(request)
    assert outcomes["crm/survey_answer.respondent_name"]["result"] == "anonymised"
    # The first attempt had its effect on these, and nobody counted it.
    assert outcomes["crm/contact_log.message"]["result"] == "erased"
    left = await world.stores.dump()
    assert [row[2:] for row in left["crm.survey_answer"]] == [("autumn", 4, "anonym", None)]


async def test_a_dead_letter_that_is_retried_too_early_is_dead_again(world: World) -> None:
    """Retrying changes nothing while the store still refuses, and says so again."""
    person = Person()
    await world.stores.add(person)
    store, hinder, help_, _ = CONSTRAINT
    await world.stores.run(store, hinder.format(customer_no=person.customer_no))
    request = erasure(person)
    with world.worker() as worker:
        await world.publish(request)
        letter = await one_is_dead(world, request)
        async with world.context() as context:
            await operate.retry(context, [letter.id], by="Kari Nordmann")

        async def dead_again() -> bool:
            return any(one.attempts > letter.attempts for one in await dead_letters(world))

        await world.until(dead_again, "dead again")
        await world.stores.run(store, help_)
        async with world.context() as context:
            await operate.retry(context, [letter.id], by="Kari Nordmann")
        await world.until_told(request)
        assert await worker.stop() == 0
    rows = await world.fetch(sa.text("SELECT count(*) FROM commands WHERE state <> 'settled'"))
    assert rows[0][0] == 0
    assert traces(await world.stores.dump(), person) == {}
