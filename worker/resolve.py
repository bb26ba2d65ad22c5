"""Who is meant: from an event's identifiers to each store's own keys.

An identifier leads through columns that the policy declares (e-mail to the CRM's customer number
to billing). Every round asks each store once for the whole batch, and only what it was not asked
before; rounds go on while a strong identifier is learnt that another store knows. Only strong
identifiers link stores, and one that leads to two people parks the case (rule 2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from connectors.base import Connector, Lookup, Match
from connectors.faults import HINTS, Fault, Misfit, Refused, RetryLater
from connectors.mapping import Key

Identifiers = set[tuple[str, str]]


@dataclass(slots=True)
class Person:
    """What is known of one case's subject: identifiers, keys found, keys an operator chose.

    ``given`` are the event's own identifiers, ``known`` those that stores added as well. ``chosen``
    keys are text, as they were typed.
    """

    case_id: UUID
    known: Identifiers
    given: Identifiers = field(default_factory=set)
    chosen: dict[str, list[Key]] = field(default_factory=dict)
    keys: dict[str, list[Key]] = field(default_factory=dict)
    carried: dict[str, list[Key]] = field(default_factory=dict)
    """Keys in commands that an earlier plan left behind: what led there may be gone."""
    in_doubt: set[str] = field(default_factory=set)
    """Stores where such a command may have had an effect that nobody noted."""
    asked: dict[str, Identifiers] = field(default_factory=dict)
    seen: Identifiers = field(default_factory=set)
    """Strong identifiers of every row that was found, those that lead no further included."""
    stores: tuple[str, ...] = ()
    """The only stores in which anything may be done; empty: all. Others may lead there."""

    def __post_init__(self) -> None:
        """At first nothing is known but what the event gave."""
        self.given = set(self.given or self.known)

    def __repr__(self) -> str:
        """Mask everything but the case."""
        return f"Person(case_id={self.case_id})"

    def forget(self) -> None:
        """Forget what stores have said: another person's rows may be among it."""
        self.known = set(self.given)
        self.keys.clear()


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a batch of people led to."""

    unanswered: Mapping[str, Fault]
    """Stores that did not answer, and why."""
    not_final: frozenset[str]
    """Stores to be asked again: the unanswered, and those an unanswered one might lead to."""
    ambiguous: Mapping[UUID, Mapping[str, object]]
    """Cases that lead to two people: counts and words for the operator, no values."""


async def resolve(
    people: Sequence[Person], connectors: Mapping[str, Connector], timeout: timedelta
) -> Resolution:
    """Fill in each person's ``keys`` and ``known``. A store that fails is left out, not waited for.

    Raises nothing that a store raises.
    """
    unanswered: dict[str, Fault] = {}
    while True:
        questions = {
            store: lookups
            for store, connector in connectors.items()
            if store not in unanswered and (lookups := _questions(people, store, connector))
        }
        if not questions:
            break
        answers = await asyncio.gather(
            *(_ask(connectors[store], questions[store], timeout) for store in questions)
        )
        for store, answer in zip(questions, answers, strict=True):
            if isinstance(answer, Fault):
                unanswered[store] = answer
            else:
                _learn(people, store, answer)
    return Resolution(
        unanswered,
        _not_final(connectors, unanswered),
        _ambiguous(people, connectors, unanswered),
    )


def _questions(people: Sequence[Person], store: str, connector: Connector) -> list[Lookup]:
    """What this store has not been asked yet, for each person who has something new."""
    strong = {i.kind: i.strong for i in connector.mapping.root.identifiers}
    lookups = []
    for number, person in enumerate(people):
        asked = person.asked.setdefault(store, set())
        new = [known for known in person.known if known[0] in strong and known not in asked]
        asked.update(new)
        # Weak and strong are asked apart: what a weak one finds leads no further.
        if new:
            weakly = tuple(sorted(known for known in new if not strong[known[0]]))
            strongly = tuple(sorted(known for known in new if strong[known[0]]))
            lookups += [Lookup(2 * number, weakly)] if weakly else []
            lookups += [Lookup(2 * number + 1, strongly)] if strongly else []
    return lookups


async def _ask(
    connector: Connector, lookups: Sequence[Lookup], timeout: timedelta
) -> Sequence[Match] | Fault:
    size = connector.capabilities.batch_size
    matches: list[Match] = []
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            for at in range(0, len(lookups), size):
                matches += await connector.resolve(lookups[at : at + size])
    except (RetryLater, Refused, Misfit) as fault:
        return fault
    except TimeoutError:
        return RetryLater("no-answer", HINTS["no-answer"])
    return matches


def _learn(people: Sequence[Person], store: str, matches: Sequence[Match]) -> None:
    for match in matches:
        number, leads = divmod(match.ref, 2)
        person = people[number]
        chosen = person.chosen.get(store)
        if chosen is not None and _typed(match.key) not in chosen:
            continue
        keys = person.keys.setdefault(store, [])
        if match.key not in keys:
            keys.append(match.key)
        person.seen.update(match.identifiers)
        if leads:
            person.known.update(match.identifiers)
            # What a store said of itself it need not be asked.
            person.asked[store].update(match.identifiers)


def _not_final(
    connectors: Mapping[str, Connector], unanswered: Mapping[str, Fault]
) -> frozenset[str]:
    """A store is final when no store that is silent now could still lead to it."""
    missing = set(unanswered)
    for store in unanswered:
        leads = {i.kind for i in connectors[store].mapping.root.identifiers if i.strong}
        missing |= {
            other
            for other, connector in connectors.items()
            if leads & {i.kind for i in connector.mapping.root.identifiers}
        }
    return frozenset(missing)


def _ambiguous(
    people: Sequence[Person],
    connectors: Mapping[str, Connector],
    unanswered: Mapping[str, Fault],
) -> dict[UUID, Mapping[str, object]]:
    found: dict[UUID, Mapping[str, object]] = {}
    for person in people:
        for store, keys in person.keys.items():
            if connectors[store].mapping.root.rows_per_person == "one" and len(keys) > 1:
                kinds = sorted({kind for kind, _ in person.given})
                found[person.case_id] = _why("ambiguous-identity", store, len(keys), kinds)
                # What two people led to in other stores is no cause of its own.
                break
        for store, chosen in person.chosen.items():
            found_there = {_typed(key) for key in person.keys.get(store, ())}
            if store not in unanswered and not found_there & set(chosen):
                found[person.case_id] = _why("chosen-key-not-found", store, 0, [])
    return found


def _typed(key: Key) -> Key:
    """A key as an operator types it: what a command line gives is text."""
    return tuple(str(value) for value in key)


def _why(why: str, store: str, people: int, by: list[str]) -> dict[str, object]:
    """Why a case is parked, in words and counts that hold no value of anybody's."""
    return {"why": why, "store": store, "people": people, "by": by}
