"""Why is this kept? For each field group and ground: lives or dead, from when, until when, by what.

The same definitions decide here as in the stores: a ground is over on a day exactly when its anchor
is not after the day's cut-off (:mod:`worker.core.periods`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from connectors.base import Fact, RowFacts
from connectors.mapping import FieldGroup, GroundUse, NullAnchor
from worker.core.decisions import ConsentState, ended_by_record
from worker.core.policy import Policy
from worker.core.terms import Terms, terms_of


class Why(StrEnum):
    """Why a ground lives or does not."""

    ENDED = "ended by the person"
    NO_CONSENT = "the store records no consent"
    OVER = "its period is over"
    NOTHING = "there is nothing it could run from"
    RUNNING = "its period has not begun"
    UNKNOWN = "a date is missing in the store"
    LASTING = "its period runs"
    OPEN = "it has no end of its own"


_LIVES = frozenset({Why.RUNNING, Why.UNKNOWN, Why.LASTING, Why.OPEN})


@dataclass(frozen=True, slots=True)
class GroundLine:
    """One ground of one field group. ``until`` is the first day on which it no longer lives."""

    ground: str
    lives: bool
    why: str
    counted_from: date | None
    until: date | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One field group of one row: what it holds and whether anything keeps it.

    ``until`` is the first day on which nothing does; None: nothing keeps it now, or something
    without a date does.
    """

    table: str
    group: str
    fields: tuple[str, ...]
    categories: tuple[str, ...]
    kept: bool
    until: date | None
    grounds: tuple[GroundLine, ...]
    anonymised: bool
    """What becomes of it: it is emptied or overwritten in a row that leads back to nobody."""


def explain(
    policy: Policy, store: str, row: RowFacts, states: Mapping[str, ConsentState], day: date
) -> list[GroupLine]:
    """Explain one row on a day.

    ``states`` holds what is on record of the person and each purpose. Raises KeyError for a store
    or table that the policy does not know.
    """
    facts = {(fact.group, fact.ground): fact for fact in row.facts}
    tables = {table.name: table for table in policy.mapping(store).tables}
    lines = []
    for group in tables[row.table].groups:
        grounds = tuple(
            _ground(policy, use, facts[group.name, use.ground], states, day)
            for use in group.grounds
        )
        lines.append(_group(row.table, group, grounds))
    return lines


def _group(table: str, group: FieldGroup, grounds: tuple[GroundLine, ...]) -> GroupLine:
    living = [line for line in grounds if line.lives]
    dates = [line.until for line in living if line.until is not None]
    return GroupLine(
        table=table,
        group=group.name,
        fields=tuple(field.path or field.column for field in group.fields),
        categories=tuple(dict.fromkeys(field.category for field in group.fields)),
        kept=bool(living),
        until=max(dates) if dates and len(dates) == len(living) else None,
        grounds=grounds,
        anonymised=group.irreversible,
    )


def _ground(
    policy: Policy, use: GroundUse, fact: Fact, states: Mapping[str, ConsentState], day: date
) -> GroundLine:
    until = None if fact.date is None else policy.until(use.ground, fact.date)
    why = _why(policy, use, fact, states, until, day)
    return GroundLine(
        ground=use.ground,
        lives=why in _LIVES,
        why=why.value,
        counted_from=fact.date,
        until=until if why in (Why.LASTING, Why.OVER) else None,
        terms=terms_of(policy, use.ground),
    )


def _why(
    policy: Policy,
    use: GroundUse,
    fact: Fact,
    states: Mapping[str, ConsentState],
    until: date | None,
    day: date,
) -> Why:
    declared = policy.grounds[use.ground]
    state = states.get(declared.purpose) if declared.purpose is not None else None
    marketing = declared.purpose in policy.direct_marketing
    if use.revocable and state is not None and ended_by_record(declared, marketing, state):
        return Why.ENDED
    if not fact.stands:
        return Why.NO_CONSENT
    if use.anchor is None:
        return Why.OPEN
    if fact.unknown:
        missing = {anchor.null for anchor in (use.anchor, *use.others)}
        return Why.RUNNING if NullAnchor.RUNNING in missing else Why.UNKNOWN
    if until is None:
        return Why.NOTHING
    return Why.LASTING if until > day else Why.OVER
