"""Judging a retention trigger by the words of the policy: which stores, which rule, which day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from topics.data import RetentionData
from topics.envelope import Origin
from topics.events import Trigger, Vocabulary
from topics.rejections import Reason, Rejected


def stores_of(data: RetentionData, vocabulary: Vocabulary, origin: Origin) -> tuple[str, ...]:
    """Return the stores that a trigger for one subject names, each once and sorted.

    Raises Rejected for one that the policy does not declare.
    """
    for place, store in enumerate(data.stores or ()):
        if store not in vocabulary.stores:
            raise _unknown(Reason.UNKNOWN_STORE, f"stores[{place}]", vocabulary.stores, origin)
    return tuple(sorted(set(data.stores or ())))


def trigger_of(
    source: str,
    id: str,
    time: datetime,
    data: RetentionData,
    vocabulary: Vocabulary,
    today: date,
) -> Trigger:
    """Return the trigger for a rule. ``today`` is the day in the policy's time zone.

    Raises Rejected when the rule is not in the policy, or its day is still to come.
    """
    origin = (source, id)
    store = data.store or ""
    tables = vocabulary.stores.get(store)
    if tables is None:
        raise _unknown(Reason.UNKNOWN_STORE, "store", vocabulary.stores, origin)
    if data.table is not None and data.table not in tables:
        raise _unknown(Reason.UNKNOWN_RULE, "table", tables, origin, "for this store")
    grounds = frozenset[str]().union(*tables.values()) if data.table is None else tables[data.table]
    if data.ground is not None and data.ground not in grounds:
        where = "for this store" if data.table is None else "for this table"
        raise _unknown(Reason.UNKNOWN_RULE, "ground", grounds, origin, where)
    if data.as_of is not None and data.as_of > today:
        detail = "data.as_of is in the future: give today or a day before, or leave it out"
        raise Rejected(Reason.FUTURE_DATE, detail, *origin)
    return Trigger(source, id, time, store, data.table, data.ground, data.as_of)


def _unknown(
    reason: Reason, member: str, declared: Collection[str], origin: Origin, where: str = ""
) -> Rejected:
    said = f"data.{member} is not declared by the policy{where and ' ' + where}; it declares "
    return Rejected(reason, said + (", ".join(sorted(declared)) or "none"), *origin)
