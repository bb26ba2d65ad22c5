"""Explaining what is held of a row or a person, across stores, on a day. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from connectors.base import Connector, RowFacts
from worker.context import Context, NotPossible
from worker.core.explaining import GroupLine, explain
from worker.identifiers import Identifiers, held_by, typed
from worker.ledger import consents
from worker.ledger.consents import States
from worker.resolve import Person, resolve
from worker.supersede import together


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of one store; ``row`` numbers the rows of a store, for it shows no key."""

    store: str
    row: int
    groups: Sequence[GroupLine]


async def explain_row(
    context: Context, store: str, table: str, key: Sequence[str], day: date
) -> list[Explained]:
    """Explain one row by its own key, as text in the declared order of the key's columns.

    Raises NotPossible when the policy or the store knows no such row, and what a store raises.
    """
    connector = _connector(context, store)
    known = {one.name for one in connector.mapping.tables}
    if table not in known:
        names = ", ".join(sorted(known))
        text = f"{store} has no table '{table}'; it has: {names}"
        raise NotPossible("no-table", text, store=store, table=table, known=names)
    rows = await connector.facts(tuple(key), table)
    if not rows:
        raise NotPossible(
            "no-row", f"{store} has no row with this key in {table}", store=store, table=table
        )
    # An explanation is for one person; of a shared row nobody's consents count.
    shared = next(t for t in connector.mapping.tables if t.name == table).shared_by is not None
    people = await held_by(context, connector, list({row.root for row in rows}))
    states = {} if shared else await _states(context, set().union(*people.values()))
    return _explained(context, store, rows, states, day)


async def explain_subject(
    context: Context, subject: Mapping[str, str], day: date
) -> tuple[list[Explained], list[str]]:
    """Explain every row of a person in every store; and name the stores that did not answer.

    Raises NotPossible for an identifier that is none.
    """
    given = typed(context, subject)
    person = Person(uuid4(), set(given))
    answered = await resolve([person], context.connectors, context.timing.lookup_timeout)
    if person.case_id in answered.ambiguous:
        raise NotPossible(
            "two-people", "this leads to two people; name one by an identifier of their own"
        )
    states = await _states(context, given | person.known | person.seen)
    found: list[Explained] = []
    for store, keys in sorted(person.keys.items()):
        rows = [row for key in keys for row in await context.connectors[store].facts(key)]
        found += _explained(context, store, rows, states, day)
    return found, sorted(answered.unanswered)


def _explained(
    context: Context, store: str, rows: Sequence[RowFacts], states: States, day: date
) -> list[Explained]:
    return [
        Explained(store, number, explain(context.policy, store, row, states, day))
        for number, row in enumerate(rows, start=1)
        if row.facts
    ]


async def _states(context: Context, identifiers: Identifiers) -> States:
    """What is on record of a person under all of their identifiers."""
    pseudonyms = {context.sealer.pseudonym(kind, value) for kind, value in identifiers}
    async with context.ledger.begin() as connection:
        states = await consents.states(connection, pseudonyms)
    return together(states, pseudonyms)


def _connector(context: Context, store: str) -> Connector:
    if store not in context.connectors:
        raise context.no_store(store)
    return context.connectors[store]
