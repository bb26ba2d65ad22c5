"""The people in a sweep: who must be left out, and of whom more is known than the store tells.

A hold keeps everything of a person; so does a restriction, for the person may need the data
(GDPR art. 18(1)(b)-(c)). What a person has withdrawn or objected to stands in the ledger under
pseudonyms, so the store's own identifiers are read, and those of other stores that they lead to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from uuid import uuid4

import orjson

from connectors.base import Connector
from connectors.faults import RetryLater
from connectors.mapping import Key, Shape
from worker.context import Context
from worker.core.decisions import ConsentState, ended_by_record
from worker.identifiers import held_by
from worker.ledger import consents, holds, restrictions
from worker.ledger.database import Connection
from worker.pausing import paused, without
from worker.resolve import Person, resolve
from worker.sealing import Sealer

HELD, RESTRICTED, AMBIGUOUS = "held", "restricted", "ambiguous-identity"


def person_pseudonym(sealer: Sealer, store: str, key: Key) -> bytes:
    """The pseudonym of a person's root key in a store: what sweeps' receipts name people by."""
    return pseudonyms(sealer, store, [key])


def pseudonyms(sealer: Sealer, store: str, keys: Iterable[Key]) -> bytes:
    """The pseudonyms of many, one after the other."""
    return b"".join(sealer.pseudonyms(f"key:{store}", map(orjson.dumps, keys)))


async def any_apart(connection: Connection) -> bool:
    """Whether a hold or a restriction stands that any sweep must mind."""
    return await restrictions.any_stands(connection) or await holds.any_stands(connection)


async def left_out(context: Context, store: str, keys: Sequence[Key]) -> dict[Key, str]:
    """Tell which of these people a sweep must leave alone now, and why.

    Raises what a connector may, and LedgerAway.
    """
    async with context.ledger.begin() as connection:
        restricted = await restrictions.any_stands(connection)
        if not keys or not (restricted or await holds.any_stands(connection)):
            return {}
    connector = context.connectors[store]
    by_key = {
        key: {context.sealer.pseudonym(*identifier) for identifier in identifiers}
        for key, identifiers in (await held_by(context, connector, keys)).items()
    }
    every = {pseudonym for own in by_key.values() for pseudonym in own}
    async with context.ledger.begin() as connection:
        standing = await holds.standing(connection, every)
        wishes = await restrictions.wishes(connection, every)
    said = {key for key in keys if restricted} & set(await _says_restricted(connector, keys))
    found: dict[Key, str] = dict.fromkeys(said, RESTRICTED)
    for key, own in by_key.items():
        wish = restrictions.newest(w for p in own for w in wishes.get(p, ()))
        if wish is not None and wish.restricted:
            found[key] = RESTRICTED
        if not own.isdisjoint(standing):
            found[key] = HELD
    return found


async def _says_restricted(connector: Connector, keys: Sequence[Key]) -> list[Key]:
    """The people whose root row says that processing is restricted, where a store can say it."""
    root = connector.mapping.root
    if root.restriction is None:
        return []
    size = connector.capabilities.batch_size
    found: list[Key] = []
    for at in range(0, len(keys), size):
        some = keys[at : at + size]
        otherwise = await connector.restricted(some, lifted=False)
        found += [
            key
            for key in some
            if (there := otherwise.get(key, {}).get(root.name)) is not None and not there.left
        ]
    return found


async def shapes(
    context: Context, store: str, keys: Sequence[Key]
) -> tuple[dict[Shape, list[Key]], dict[Key, str]]:
    """Sort people by the grounds of theirs that still live; and who cannot be told from another.

    People of whom nothing is recorded are left out: for them the rows alone decide. Raises
    RetryLater when a store that might know more of them does not answer.
    """
    connector = context.connectors[store]
    strong = {kind for kind, declared in context.policy.identifiers.items() if declared.strong}
    known = await held_by(context, connector, keys)
    people = {
        key: Person(uuid4(), {one for one in identifiers if one[0] in strong})
        for key, identifiers in known.items()
    }
    asked = list(people.values())
    others = without(context, await paused(context) - {store}).connectors
    resolution = await resolve(asked, others, context.timing.lookup_timeout)
    if resolution.unanswered:
        away = ", ".join(sorted(resolution.unanswered))
        raise RetryLater("other-store-away", f"{away} may know who has withdrawn; it is waited for")
    by_key = {
        key: {
            context.sealer.pseudonym(*one) for one in person.known | person.seen if one[0] in strong
        }
        for key, person in people.items()
    }
    async with context.ledger.begin() as connection:
        recorded = await consents.states(connection, {p for own in by_key.values() for p in own})
    found: dict[Shape, list[Key]] = {}
    doubtful: dict[Key, str] = {}
    for key, own in by_key.items():
        states = _together(recorded[p] for p in own if p in recorded)
        shape = _shape(context, store, states)
        if len(shape) == len(context.policy.revocable(store)):
            continue
        if people[key].case_id in resolution.ambiguous:
            doubtful[key] = AMBIGUOUS
        else:
            found.setdefault(shape, []).append(key)
    return found, doubtful


def _together(each: Iterable[Mapping[str, ConsentState]]) -> dict[str, ConsentState]:
    """What is on record of one person under several pseudonyms."""

    def both(
        one: dict[str, ConsentState], other: Mapping[str, ConsentState]
    ) -> dict[str, ConsentState]:
        same = {purpose: one[purpose].merge(other[purpose]) for purpose in one.keys() & other}
        return {**one, **other, **same}

    return reduce(both, each, {})


def _shape(context: Context, store: str, states: Mapping[str, ConsentState]) -> Shape:
    """The revocable grounds that live by what is on record; of others nobody has said anything."""
    marketing = context.policy.direct_marketing
    return tuple(
        name
        for name, ground in context.policy.revocable_grounds(store).items()
        if (said := states.get(ground.purpose or "")) is None
        or not ended_by_record(ground, ground.purpose in marketing, said)
    )
