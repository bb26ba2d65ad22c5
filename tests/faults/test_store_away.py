"""A store that is away delays nobody else, keeps nobody waiting for a hand, and loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from aiokafka.admin import AIOKafkaAdminClient

from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.nordlys import (
    Person,
    about,
    consent,
    customer,
    erasure,
    event,
    objection,
    traces,
    withdrawal,
)
from tests.support.world import World, id_of
from topics import names

NOW = datetime.now(UTC)


async def settled(world: World, store: str) -> int:
    """How many cases have a receipt of a store."""
    rows = await world.fetch(
        sa.text(
            "SELECT count(DISTINCT id) FROM receipts, unnest(case_ids) AS id WHERE store = :store"
        ).bindparams(store=store)
    )
    return int(rows[0][0])


async def members(world: World, group: str) -> set[str]:
    """Who is in a consumer group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
        return {str(member[0]) for member in answer.groups[0][5]}
    finally:
        await admin.close()


async def test_the_stop_is_published_before_a_store_is_read(gated: World) -> None:
    """With every store away a withdrawal is stopped for the world, and its case stands open."""
    person = customer()
    await gated.stores.add(person)
    newsletter = gated.stores.newsletter
    newsletter.rename(newsletter.with_suffix(".gone"))
    await gated.gates["crm"].shut()
    await gated.gates["billing"].shut()
    withdrawn = withdrawal(person)
    with gated.worker() as worker:
        await gated.publish(withdrawn)

        async def stopped() -> bool:
            return len(await gated.read(names.SUPPRESSIONS)) == 1

        await gated.until(stopped, "the stop is published")
        await gated.until_planned_later()
        assert await gated.state(withdrawn) == "open"
        assert await gated.receipts(withdrawn) == []

        newsletter.with_suffix(".gone").rename(newsletter)
        await gated.gates["crm"].open()
        await gated.gates["billing"].open()
        await gated.until_told(withdrawn)
        assert await worker.stop() == 0
    assert not {t for t in traces(await gated.stores.dump(), person) if t.startswith("newsletter.")}


@pytest.mark.parametrize("how", ["shut", "silent"])
async def test_a_store_away_from_the_start_is_served_when_it_comes_back(
    gated: World, how: str
) -> None:
    """Billing refuses, or hangs, for the whole of a run; the others finish; then it is served."""
    people = [Person() for _ in range(20)]
    stay = Person()
    await gated.stores.add(stay, *people)
    before = await gated.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    gate = gated.gates["billing"]
    if how == "shut":
        await gate.shut()
    else:
        gate.silence()
    with gated.worker() as worker:
        await gated.publish(*events)

        async def others_done() -> bool:
            return await settled(gated, "crm") == await settled(gated, "newsletter") == 20

        await gated.until(others_done, "the others have finished")
        assert await settled(gated, "billing") == 0
        assert set((await gated.states()).values()) == {"open"}
        await gate.open()
        await gated.until_told(*events)
        assert await worker.stop() == 0
    await assert_gone_honestly(gated, before, requests)
    await assert_told_once(gated, events)
    await assert_receipts_published(gated, events)
    assert about(await gated.stores.dump(), [stay]) == about(before, [stay])


async def test_a_store_lost_between_planning_and_erasing_keeps_its_consumer(
    gated: World,
) -> None:
    """Commands wait for a store that died; its consumer stays in its group and goes on."""
    first, second = [Person() for _ in range(3)], [Person() for _ in range(3)]
    await gated.stores.add(*first, *second)
    before = await gated.stores.dump()
    requests = [(person, erasure(person)) for person in (*first, *second)]
    events = [request for _, request in requests]
    # Planned without the consumers, so that the commands are there when the store dies.
    with gated.worker(only="intake") as intake:
        await gated.publish(*events)

        async def planned() -> bool:
            rows = await gated.fetch(sa.text("SELECT count(DISTINCT store) FROM commands"))
            return int(rows[0][0]) == 3 and not await gated.unsaid()

        await gated.until(planned, "everything is planned")
        assert await intake.stop() == 0
    await gated.gates["crm"].shut()
    with gated.worker() as worker:

        async def others_done() -> bool:
            return await settled(gated, "billing") == await settled(gated, "newsletter") == 6

        await gated.until(others_done, "the others have finished")
        await gated.until_log("retry-later")
        waiting = await members(gated, "erasure-crm")
        assert len(waiting) == 1
        await gated.gates["crm"].open()
        await gated.until_told(*events)
        assert await members(gated, "erasure-crm") == waiting
        assert await worker.stop() == 0
    await assert_gone_honestly(gated, before, requests)
    await assert_told_once(gated, events)


async def test_a_consent_supersedes_a_withdrawal_that_waits_for_its_store(gated: World) -> None:
    """Who consents again while the stores are away keeps everything, and the stop is lifted."""
    person = customer()
    await gated.stores.add(person)
    before = await gated.stores.dump()
    newsletter = gated.stores.newsletter
    newsletter.rename(newsletter.with_suffix(".gone"))
    withdrawn = withdrawal(person, time=NOW - timedelta(minutes=1))
    given = consent(person, time=NOW)
    with gated.worker() as worker:
        await gated.publish(withdrawn)
        await gated.until_states(withdrawn, state="open")
        await gated.until_planned_later()
        await gated.publish(given)
        await gated.until_told(given)
        assert await gated.state(withdrawn) == "superseded"
        newsletter.with_suffix(".gone").rename(newsletter)
        await gated.until_quiet()
        assert await worker.stop() == 0
    assert about(await gated.stores.dump(), [person]) == about(before, [person])
    await assert_told_once(gated, [withdrawn], state="superseded")
    newest = {record.key: record.value for record in await gated.read(names.SUPPRESSIONS)}
    assert list(newest.values()) == [None]


async def test_a_consent_after_its_commands_were_issued_still_counts(gated: World) -> None:
    """Commands on their way leave out whoever consented since: the newsletter is kept."""
    person, other = customer(), customer()
    await gated.stores.add(person, other)
    before = await gated.stores.dump()
    withdrawn = [withdrawal(p, time=NOW - timedelta(minutes=1)) for p in (person, other)]
    with gated.worker(only="intake") as intake:
        await gated.publish(*withdrawn, partition=0)

        async def planned() -> bool:
            rows = await gated.fetch(sa.text("SELECT count(DISTINCT store) FROM commands"))
            return int(rows[0][0]) == 3 and not await gated.unsaid()

        await gated.until(planned, "everything is planned")
        given = consent(person, time=NOW)
        await gated.publish(given)
        await gated.until_states(given)
        assert await intake.stop() == 0
    with gated.worker() as worker:
        await gated.until_told(*withdrawn[1:])
        await gated.until_quiet()
        assert await worker.stop() == 0
    assert await gated.state(withdrawn[0]) == "superseded"
    after = await gated.stores.dump()
    assert about(after, [person]) == about(before, [person])
    assert not {t for t in traces(after, other) if t.startswith("newsletter.")}


async def test_a_consent_to_a_part_plans_the_rest_anew(gated: World) -> None:
    """An open request for erasure, lifted for one purpose, erases all but that purpose's data."""
    person = Person()
    await gated.stores.add(person)
    request = erasure(person, time=NOW - timedelta(minutes=1))
    given = consent(person, time=NOW)
    await gated.gates["crm"].shut()
    newsletter = gated.stores.newsletter
    newsletter.rename(newsletter.with_suffix(".gone"))
    with gated.worker() as worker:
        await gated.publish(request)
        await gated.until_states(request, state="open")
        await gated.until_planned_later()
        await gated.publish(given)
        await gated.until_states(given)
        assert await gated.state(request) == "open"
        newsletter.with_suffix(".gone").rename(newsletter)
        await gated.gates["crm"].open()
        await gated.until_told(request)
        assert await worker.stop() == 0
    left = traces(await gated.stores.dump(), person)
    assert set(left) == {"newsletter.subscriber", "newsletter.subscription_event", "crm.customer"}
    outcomes = await gated.outcomes(request)
    assert outcomes["newsletter/subscriber.email+name"]["result"] == "retained"
    assert outcomes["crm/customer.name"]["result"] == "anonymised"
    newest = {record.key: record.json for record in await gated.read(names.SUPPRESSIONS)}
    (stopped,) = newest.values()
    assert "newsletter" not in stopped["stopped"]
    assert "survey" in stopped["stopped"]


async def test_an_event_is_never_rejected_because_a_part_of_ours_is_away(gated: World) -> None:
    """Good events of every acting kind wait for the stores and are answered with a case."""
    await gated.gates["crm"].shut()
    await gated.gates["billing"].shut()
    person = Person()
    events = [
        erasure(person),
        withdrawal(person),
        objection(person),
        event("erasure.requested", {"customer_id": person.customer_no}),
    ]
    with gated.worker() as worker:
        await gated.publish(*events)
        await gated.until_states(*events, state="open")
        assert await worker.stop() == 0
    assert await gated.read(names.REJECTED) == []
    assert set(await gated.states()) == {id_of(one) for one in events}
