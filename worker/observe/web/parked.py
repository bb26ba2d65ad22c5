"""Deciding about a parked case: naming the right person, or turning the case down.

The page shows why nobody could tell who is meant, in counts; whose rows they are it neither reads
nor shows. Whoever decides has looked them up in the store itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker import operate
from worker.context import Context, NotPossible
from worker.core.lifecycle import CaseState
from worker.ledger.actions import Origin
from worker.ledger.cases import Case
from worker.observe.web.look import language_of
from worker.observe.web.order import Order, Told, case_id
from worker.observe.web.parts import Ask


@dataclass(frozen=True, slots=True)
class KeyOf:
    """A store that the form asks for a key of, and the columns that the key is made of."""

    store: str
    columns: Sequence[str]
    ambiguous: bool
    """Whether it is the store in which nobody could tell."""

    def field(self, number: int) -> str:
        """The name of the field for one column."""
        return f"key/{self.store}/{number}"


async def about(ask: Ask, on: str) -> dict[str, object]:
    """What the forms show of a parked case. Raises NotPossible for one that is not parked."""
    case = await _case(ask, on)
    return {"case": case, "keys": _keys(ask.site.context, case)}


async def _case(ask: Ask, on: str) -> Case:
    async with ask.site.context.ledger.begin() as connection:
        return await operate.parked(connection, case_id(on))


def _keys(context: Context, case: Case) -> list[KeyOf]:
    """Stores in which one row is one person: elsewhere nobody is ambiguous."""
    where = (case.reason or {}).get("store")
    found = [
        KeyOf(store, connector.mapping.root.key, store == where)
        for store, connector in context.connectors.items()
        if store == where or connector.mapping.root.rows_per_person == "one"
    ]
    return sorted(found, key=lambda one: not one.ambiguous)


async def resume(order: Order) -> Told:
    """Open the case again, with the keys that were typed."""
    context = order.ask.site.context
    keys = _keys(context, await _case(order.ask, order.on))
    case = await operate.resume(
        context,
        order.case,
        _chosen(order.ask.form, keys),
        by=order.by,
        reason=order.reason,
        origin=Origin.PAGE,
    )
    if case.state is CaseState.PARKED:
        why = language_of(order.ask.request).reason(case.reason or {})
        return Told("done.resume-case.parked", {"why": why}, well=False)
    return Told("done.resume-case")


def _chosen(form: Mapping[str, str], keys: Sequence[KeyOf]) -> dict[str, list[str]]:
    """Each store's key as it was typed, whole or not at all."""
    chosen = {}
    for one in keys:
        values = [form.get(one.field(n), "").strip() for n, _ in enumerate(one.columns)]
        if any(values):
            if not all(values):
                names = ", ".join(one.columns)
                text = f"a key of {one.store} has several parts: {names}; give each"
                raise NotPossible("key-parts", text, store=one.store, columns=names)
            chosen[one.store] = values
    return chosen


async def reject(order: Order) -> Told:
    """End the case; nothing is erased."""
    await operate.reject(
        order.ask.site.context, order.case, by=order.by, reason=order.reason, origin=Origin.PAGE
    )
    return Told("done.reject-case")
