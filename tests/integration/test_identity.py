"""Who is meant: look-ups in batches, and people whom nobody can tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest

from connectors.base import Lookup, Match
from connectors.sql import SqlConnector
from tests.support.judging import assert_gone_honestly, assert_told_once
from tests.support.nordlys import Person, about, consent, erasure, event, traces, withdrawal
from tests.support.world import World, id_of
from topics import names
from topics.publishing import event_to_message
from topics.reading import Message
from worker import operate
from worker.context import NotPossible
from worker.intake import take_in
from worker.plan import plan_batch

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO: dict[str, Any] = {"by": "Kari Nordmann"}


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


async def parked(world: World) -> tuple[Person, Person, dict[str, Any]]:
    """Twins whose case was parked."""
    first, second, request = await twins(world)
    await world.publish(request)
    await world.until_states(request, state="parked")
    return first, second, request


async def test_an_identifier_of_two_people_parks_the_case(town: World) -> None:
    """Nothing is erased, the stop is published, and the operator sees counts and no values."""
    first, second, request = await twins(town)
    before = await town.stores.dump()
    await town.publish(request)
    await town.until_states(request, state="parked")
    await town.until_quiet()
    after = await town.stores.dump()
    assert about(after, [first, second]) == about(before, [first, second])
    assert await town.receipts(request) == []
    async with town.context() as context:
        key = context.sealer.pseudonym("email", first.email).hex().encode()
        async with context.ledger.begin() as connection:
            case = await operate._case(connection, id_of(request))
    assert case.reason == {
        "why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email"]
    }  # fmt: skip
    assert key in {record.key for record in await town.read(names.SUPPRESSIONS)}
    completed = {record.key for record in await town.read(names.COMPLETED)}
    assert f"{request['source']}|{request['id']}".encode() not in completed


async def test_who_is_parked_holds_up_nobody(town: World) -> None:
    """Others of the same batch are erased while one waits for a human."""
    _, _, request = await twins(town)
    others = [Person() for _ in range(3)]
    await town.stores.add(*others)
    before = await town.stores.dump()
    requests = [(person, erasure(person)) for person in others]
    await town.publish(request, *(one for _, one in requests), partition=0)
    await town.until_told(*(one for _, one in requests))
    await town.until_states(request, state="parked")
    await assert_gone_honestly(town, before, requests)


async def test_an_operator_names_the_person_and_only_that_one_goes(town: World) -> None:
    """A parked case, resumed with a key, erases that person in every store and closes."""
    first, second, request = await parked(town)
    before = await town.stores.dump()
    async with town.context() as context:
        case = await operate.resume(
            context, id_of(request), {"crm": [second.customer_no]}, by="Kari Nordmann"
        )
    assert case.state == "open"
    await town.until_told(request)
    await assert_gone_honestly(town, before, [(second, request)])
    after = await town.stores.dump()
    assert traces(after, first)["billing.account"] == 1
    assert traces(after, first)["crm.contact_log"] == 1
    await assert_told_once(town, [request])


async def test_a_key_that_leads_nowhere_parks_the_case_again(town: World) -> None:
    """A key that is not among those found erases nothing; the case says what was wrong."""
    first, second, request = await parked(town)
    before = await town.stores.dump()
    async with town.context() as context:
        case = await operate.resume(
            context, id_of(request), {"crm": ["K-nobody"]}, by="Kari Nordmann"
        )
        assert case.state == "parked"
        assert case.reason is not None
        assert case.reason["why"] == "chosen-key-not-found"
        with pytest.raises(NotPossible, match="no store"):
            await operate.resume(context, id_of(request), {"archive": ["1"]}, **WHO)
        with pytest.raises(NotPossible, match="1 value"):
            await operate.resume(context, id_of(request), {"crm": ["1", "2"]}, **WHO)
    await town.until_quiet()
    assert await town.state(request) == "parked"
    after = await town.stores.dump()
    assert about(after, [first, second]) == about(before, [first, second])


async def test_an_operator_rejects_a_parked_case(town: World) -> None:
    """Nothing is erased, the decision stands, and upstream hears a code; the rest we keep."""
    first, second, request = await parked(town)
    before = await town.stores.dump()
    async with town.context() as context:
        await operate.reject(context, id_of(request), by="dpo", reason="asked for proof")
        with pytest.raises(NotPossible, match="only a parked case"):
            await operate.reject(context, id_of(request), by="dpo", reason="again")
        with pytest.raises(NotPossible, match="only a parked case"):
            await operate.resume(
                context, id_of(request), {"crm": [first.customer_no]}, by="Kari Nordmann"
            )
    await assert_told_once(town, [request], state="rejected")
    told = [record.json for record in await town.read(names.COMPLETED)]
    mine = next(t for t in told if t["case"] == str(id_of(request)))
    assert mine["reason"] == {"why": "ambiguous-identity", "store": "crm"}
    assert "asked for proof" not in str(mine)
    async with town.context() as context, context.ledger.begin() as connection:
        kept = (await operate._case(connection, id_of(request))).reason or {}
    assert (kept["rejected_by"], kept["rejected_because"]) == ("dpo", "asked for proof")
    after = await town.stores.dump()
    assert about(after, [first, second]) == about(before, [first, second])


async def test_a_newer_consent_supersedes_a_parked_withdrawal(town: World) -> None:
    """Who gives consent again ends the question of who had withdrawn it."""
    first, _, _ = await twins(town)
    withdrawn = withdrawal(first)
    await town.publish(withdrawn)
    await town.until_states(withdrawn, state="parked")
    given = consent(first)
    await town.publish(given)
    await town.until_told(given)
    assert await town.state(withdrawn) == "superseded"
    await assert_told_once(town, [withdrawn], state="superseded")


async def test_two_identifiers_of_one_event_that_name_two_people_park_it(town: World) -> None:
    """An upstream that mixes up two customers erases neither."""
    first, second = Person(), Person()
    await town.stores.add(first, second)
    before = await town.stores.dump()
    mixed = event("erasure.requested", {"email": first.email, "customer_id": second.customer_no})
    await town.publish(mixed)
    await town.until_states(mixed, state="parked")
    await town.until_quiet()
    after = await town.stores.dump()
    assert about(after, [first, second]) == about(before, [first, second])


async def test_a_batch_is_looked_up_once_in_each_store(town: World) -> None:
    """Three hundred people cost one look-up a store, however many of them it knows."""
    people = [Person(in_billing=n % 2 == 0, subscriptions=n % 3) for n in range(300)]
    await town.stores.add(*people)
    calls: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    original = SqlConnector.resolve

    async def counted(self: SqlConnector, lookups: Sequence[Lookup]) -> Sequence[Match]:
        calls[self.mapping.store] += 1
        asked[self.mapping.store] += len(lookups)
        return await original(self, lookups)

    messages = []
    for number, person in enumerate(people):
        publication = event_to_message(erasure(person, time=datetime.now(UTC)))
        messages.append(
            Message(
                publication.topic, 0, number, publication.key, publication.value,
                publication.headers,
            )
        )  # fmt: skip
    with patch.object(SqlConnector, "resolve", counted):
        async with town.context() as context:
            batches = await take_in(context, messages)
            assert calls == {}
            for batch in batches:
                await plan_batch(context, batch)
    assert len(batches) == 1
    assert calls == {"crm": 1, "newsletter": 1, "billing": 1}
    assert asked == {"crm": 300, "newsletter": 300, "billing": 300}
    await town.until_quiet()
    dump = await town.stores.dump()
    assert not [person for person in people if traces(dump, person)]
