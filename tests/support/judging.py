"""What must be so after the path has run, however it was disturbed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tests.support.nordlys import Dump, Person, traces
from tests.support.world import Event, World, id_of
from topics import names
from topics.writing import event_key

# The field groups of each table of deploy/policy/nordlys.yaml that Person fills.
_GROUPS = {
    "crm.customer": {
        "crm/customer.name",
        "crm/customer.fax",
        "crm/customer.address+phone",
        "crm/customer.email",
        "crm/customer.notes",
    },
    "crm.contact_log": {"crm/contact_log.message"},
    "crm.survey_answer": {"crm/survey_answer.respondent_name", "crm/survey_answer.comment"},
    "billing.account": {"billing/account.bank_account"},
    "billing.invoice": {"billing/invoice.buyer_name+buyer_address"},
    "billing.invoice_line": {"billing/invoice_line.delivered_to"},
    "billing.packing_slip": {"billing/packing_slip.recipient"},
    "newsletter.subscriber": {"newsletter/subscriber.email+name"},
    "newsletter.subscription_event": {"newsletter/subscription_event.sent_to"},
}


def groups_of(before: Dump, person: Person) -> set[str]:
    """The field groups, as ``store/group``, of the tables in which a person stood."""
    return {group for table in traces(before, person) for group in _GROUPS[table]}


async def assert_gone_honestly(
    world: World, before: Dump, erased: Iterable[tuple[Person, Event]]
) -> None:
    """No store knows these people, and no receipt says that what was there had been absent."""
    after = await world.stores.dump()
    for person, event in erased:
        assert traces(after, person) == {}
        there = groups_of(before, person)
        done = set()
        for store, outcomes in await world.receipts(event):
            for outcome in outcomes:
                group = f"{store}/{outcome['group']}"
                done.add(group)
                if group in there:
                    assert outcome["result"] in ("erased", "anonymised"), (group, outcome)
                    assert outcome["rows"] or outcome.get("interrupted"), (group, outcome)
                else:
                    # Nobody counted what a try that was cut short did, so it may say "erased".
                    honest = outcome["result"] == "absent" or outcome.get("interrupted")
                    assert honest, (group, outcome)
        assert there <= done


async def assert_told_once(world: World, events: Iterable[Event], state: str = "closed") -> None:
    """Each event has one truth on ``erasure.completed``, however often it was told."""
    told: dict[bytes | None, set[bytes | None]] = {}
    for record in await world.read(names.COMPLETED):
        told.setdefault(record.key, set()).add(record.value)
    for event in events:
        truths = told.get(event_key(event["source"], event["id"]), set())
        assert len(truths) == 1
        completion = orjson.loads(next(iter(truths)) or b"")
        assert completion["case"] == str(id_of(event))
        assert completion["state"] == state
        assert completion["event"]["type"] == event["type"]


async def assert_receipts_published(world: World, events: Iterable[Event]) -> None:
    """What the ledger says was done is what ``erasure.receipts`` says, nothing more or less."""
    published: dict[str, list[Any]] = {}
    seen = set()
    for record in await world.read(names.RECEIPTS):
        # Told again it is the same, but the ledger may give the members in another order.
        if (said := repr_of(record.json)) in seen:
            continue
        seen.add(said)
        for case in record.json["cases"]:
            one = [record.json["store"], case["outcomes"]]
            published.setdefault(case["case"], []).append(one)
    for event in events:
        kept = [[store, outcomes] for store, outcomes in await world.receipts(event)]
        assert sorted(published.get(str(id_of(event)), []), key=repr_of) == sorted(
            kept, key=repr_of
        )


def repr_of(value: Any) -> bytes:
    """A sort key for anything that JSON can say."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
