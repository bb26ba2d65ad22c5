"""Newest wins: whatever order events arrive in, the newest word about a purpose counts (rule 6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.judging import assert_told_once
from tests.support.nordlys import Person, about, consent, erasure, traces, withdrawal
from tests.support.world import World, id_of
from topics import names

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime.now(UTC)


async def test_a_withdrawal_older_than_a_consent_changes_nothing(town: World) -> None:
    """A consent was given after the withdrawal was written, which arrives late: superseded."""
    person = Person(contract_ended=None)
    await town.stores.add(person)
    before = await town.stores.dump()
    given = consent(person, time=NOW)
    await town.publish(given)
    await town.until_told(given)
    late = withdrawal(person, time=NOW - timedelta(minutes=5))
    await town.publish(late)
    await town.until_quiet(expected=[id_of(late)])
    assert await town.state(late) == "superseded"
    assert about(await town.stores.dump(), [person]) == about(before, [person])
    await assert_told_once(town, [late], state="superseded")


async def test_a_withdrawal_newer_than_a_consent_stands(town: World) -> None:
    """Whether it arrives after the consent or, first, before it: the newer time wins."""
    first, second = Person(contract_ended=None), Person(contract_ended=None)
    await town.stores.add(first, second)
    withdrawn = [withdrawal(p, time=NOW) for p in (first, second)]
    older = [consent(p, time=NOW - timedelta(minutes=5)) for p in (first, second)]
    await town.publish(older[0])
    await town.until_told(older[0])
    await town.publish(withdrawn[0], withdrawn[1])
    await town.until_told(*withdrawn)
    await town.publish(older[1])
    await town.until_told(older[1])
    dump = await town.stores.dump()
    for person in (first, second):
        assert not {t for t in traces(dump, person) if t.startswith("newsletter.")}
    assert {await town.state(event) for event in withdrawn} == {"closed"}
    # The older consent has lifted nothing, on the topic neither.
    stopped = await newest_stop(town, second)
    assert stopped is not None
    assert "newsletter" in stopped


async def test_at_the_same_time_the_stop_wins(town: World) -> None:
    """A consent of the very moment of a withdrawal does not lift it."""
    person = Person(contract_ended=None)
    await town.stores.add(person)
    both = [consent(person, time=NOW), withdrawal(person, time=NOW)]
    await town.publish(*both)
    await town.until_told(*both)
    assert await town.state(both[1]) == "closed"
    dump = await town.stores.dump()
    assert not {t for t in traces(dump, person) if t.startswith("newsletter.")}


async def test_a_request_keeps_what_a_newer_consent_keeps_and_only_that(town: World) -> None:
    """An older request for erasure leaves the newsletter that was consented to since."""
    person = Person()
    await town.stores.add(person)
    given = consent(person, time=NOW)
    await town.publish(given)
    await town.until_told(given)
    request = erasure(person, time=NOW - timedelta(minutes=5))
    await town.publish(request)
    await town.until_told(request)
    left = traces(await town.stores.dump(), person)
    assert set(left) == {"newsletter.subscriber", "newsletter.subscription_event", "crm.customer"}
    outcomes = await town.outcomes(request)
    assert outcomes["crm/customer.email"]["result"] == "retained"
    assert outcomes["crm/customer.email"]["grounds"] == ["newsletter-consent"]
    assert outcomes["crm/customer.name"]["result"] == "anonymised"
    assert outcomes["newsletter/subscriber.email+name"]["result"] == "retained"


async def test_a_consent_lifts_the_stop_with_a_tombstone(town: World) -> None:
    """What is compacted away is forgotten: after a newer consent the pseudonym has no stop."""
    person = Person(contract_ended=None)
    withdrawn = withdrawal(person, time=NOW - timedelta(minutes=5))
    await town.publish(withdrawn)
    await town.until_told(withdrawn)
    assert set(await newest_stop(town, person) or {}) == {"newsletter"}
    given = consent(person, time=NOW)
    await town.publish(given)
    await town.until_told(given)
    assert await newest_stop(town, person) is None


async def newest_stop(world: World, person: Person) -> dict[str, str] | None:
    """What compaction would leave on erasure.suppressions for a person's e-mail."""
    async with world.context() as context:
        key = context.sealer.pseudonym("email", person.email).hex().encode()
    found = [record for record in await world.read(names.SUPPRESSIONS) if record.key == key]
    assert found
    assert len({record.partition for record in found}) == 1
    newest = found[-1].json
    return None if newest is None else dict(newest["stopped"])
