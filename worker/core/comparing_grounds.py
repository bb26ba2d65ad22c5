"""What a change of one ground means for the fields of one table that it keeps.

Who may end it, since when its period runs, how long that is, and where a consent is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.mapping import ParentLink
from topics.events import EventKind
from worker.core.compiling import linked_to
from worker.core.decisions import ends
from worker.core.directions import Direction, lasting, more_keeps_longer
from worker.core.grounds import Ground, GroundKind
from worker.core.linking import dates_of
from worker.core.periods import Period, Rounding
from worker.core.policy import Policy
from worker.core.tables import DateRule, EvidenceRule, LaterRule, Store

Found = tuple[str, Direction, bool]
"""In words, which way it goes, and whether the rows themselves can tell how many it concerns."""

Key = tuple[str, str, str | None]
"""One date: where it stands or which of several counts, its column, the linked table."""

_EVENTS: Final = {
    EventKind.CONSENT_WITHDRAWN: "a withdrawal",
    EventKind.MARKETING_OBJECTED: "an objection to direct marketing",
    EventKind.ERASURE_REQUESTED: "a request for erasure",
}
_ENDS: Final = {
    Rounding.NONE: "",
    Rounding.END_OF_MONTH: " after the end of the month",
    Rounding.END_OF_YEAR: " after the end of the calendar year",
    Rounding.END_OF_FISCAL_YEAR: " after the end of the fiscal year",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A ground as the fields of one table are held on it."""

    ground: Ground
    marketing: bool
    anchor: DateRule | LaterRule | None
    links: Mapping[str, ParentLink | None]
    """How the rows of each linked table that has a date of it belong to the row."""
    evidence: EvidenceRule | None


def held(policy: Policy, store: Store, table: str, name: str) -> Held:
    """Return a ground with what the policy and one table say of it."""
    ground, rule = policy.grounds[name], store.tables[table]
    anchor = None if ground.anchor is None else rule.anchors[ground.anchor]
    linked = [date.in_ for date in dates_of(anchor) if date.in_] if anchor is not None else []
    return Held(
        ground,
        ground.purpose in policy.direct_marketing,
        anchor,
        {other: linked_to(table, rule, store, other) for other in linked},
        rule.evidence.get(name) if ground.evidence == "column" else None,
    )


def ground_changes(old: Held, new: Held) -> Iterator[Found]:
    """Tell every change between two versions of one ground."""
    yield from _who_ends_it(old, new)
    yield from _shown(old, new)
    yield from _lasts(old.ground, new.ground)
    if old.anchor is not None and new.anchor is not None:
        yield from _runs_from(old.anchor, new.anchor)
    for other in old.links.keys() & new.links.keys():
        if old.links[other] != new.links[other]:
            yield f"other rows of {other} have its date", Direction.UNCLEAR, False


def span(ground: Ground) -> str:
    """A period in words: ``5 years after the end of the calendar year``."""
    if ground.period is None:
        return "without an end of its own"
    return f"{_length(ground.period)}{_ENDS[ground.rounding]}"


def _length(period: Period) -> str:
    number, unit = int(str(period)[:-1]), {"y": "year", "m": "month", "d": "day"}[str(period)[-1]]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _who_ends_it(old: Held, new: Held) -> Iterator[Found]:
    was, now = _ended_by(old), _ended_by(new)
    kinds = old.ground.kind, new.ground.kind
    purposes = old.ground.purpose, new.ground.purpose
    if kinds[0] is not kinds[1]:
        yield f"kind {kinds[0].value} → {kinds[1].value}", _direction(old, new), False
    elif was and now and purposes[0] != purposes[1]:
        # What is on record of a person is on record for a purpose.
        yield f"purpose {purposes[0]} → {purposes[1]}", Direction.UNCLEAR, False
    elif was != now:
        more, less = _listed(now - was), _listed(was - now)
        said = [f"now ended by {more}"] if more else []
        said += [f"no longer ended by {less}"] if less else []
        yield "; ".join(said), _direction(old, new), False


def _direction(old: Held, new: Held) -> Direction:
    """The fewer events end a ground, the longer it keeps."""
    was, now = _ended_by(old), _ended_by(new)
    consents = {held.ground.kind is GroundKind.CONSENT for held in (old, new)}
    if was and now and (len(consents) > 1 or old.ground.purpose != new.ground.purpose):
        # A newer consent revives a consent, and never an interest that was objected to.
        return Direction.UNCLEAR
    return more_keeps_longer(now, was)


def _ended_by(held: Held) -> frozenset[EventKind]:
    own = (held.ground.purpose or "",)
    return frozenset(k for k in _EVENTS if ends(held.ground, held.marketing, k, own))


def _listed(kinds: frozenset[EventKind]) -> str:
    return " and ".join(words for kind, words in _EVENTS.items() if kind in kinds)


def _shown(old: Held, new: Held) -> Iterator[Found]:
    """A consent that a column must show as well lives in fewer rows."""
    was, now = old.evidence, new.evidence
    if was == now:
        return
    if was is None or now is None:
        where = "no longer in a column" if now is None else f"in the column {now.column} as well"
        direction = Direction.LONGER if now is None else Direction.SOONER
        yield f"its evidence is {where}", direction, True
        return
    said = f"its evidence is {_evidence(was)} → {_evidence(now)}"
    if (was.column, was.of) != (now.column, now.of) or was.value.not_ or now.value.not_:
        yield said, Direction.UNCLEAR, True
        return
    # True is no 1 to a set, and both are the same to it.
    yes = [frozenset((type(one), one) for one in rule.value.in_) for rule in (was, now)]
    if yes[0] != yes[1]:
        yield said, more_keeps_longer(*yes), True


def _evidence(rule: EvidenceRule) -> str:
    values = rule.value.in_ or rule.value.not_
    listed = ", ".join("null" if one is None else str(one) for one in values)
    parent = " of the parent" if rule.of == "parent" else ""
    return f"{rule.column}{parent}{' not' if rule.value.not_ else ''} in [{listed}]"


def _lasts(old: Ground, new: Ground) -> Iterator[Found]:
    if (old.period, old.rounding) == (new.period, new.rounding):
        return
    said = f"kept {span(old)} → {span(new)}"
    if old.period is None or new.period is None:
        yield said, Direction.SOONER if old.period is None else Direction.LONGER, True
        return
    if old.rounding is new.rounding:
        said = f"kept {_length(old.period)} → {span(new)}"
    yield said, lasting((old.period, old.rounding), (new.period, new.rounding)), True


def _runs_from(old: DateRule | LaterRule, new: DateRule | LaterRule) -> Iterator[Found]:
    was, now = _dates(old), _dates(new)
    if was == now and _earlier(old) == _earlier(new):
        meant = {_key(date): date.null for date in dates_of(old)}
        means = {_key(date): date.null for date in dates_of(new)}
        for key in meant:
            if meant[key] != means[key]:
                said = f"a missing {_named(key)} means {meant[key]} → {means[key]}"
                yield f"{said} (it keeps the row either way)", Direction.NEITHER, True
        return
    yield f"runs from {_anchor(old)} → {_anchor(new)}", _newer(old, new), True


def _newer(old: DateRule | LaterRule, new: DateRule | LaterRule) -> Direction:
    """One more date among those of which the later counts never ends sooner, and so on."""
    was, now = _dates(old), _dates(new)
    if was == now:
        return Direction.SOONER if _earlier(new) else Direction.LONGER
    if not _earlier(old) and not _earlier(new):
        swapped = _swapped(was - now, now - was)
        return swapped or more_keeps_longer(was, now)
    # Where no linked row is there, of several the earlier says nothing instead of being over.
    linked = any(date.in_ is not None for rule in (old, new) for date in dates_of(rule))
    later = [rule for rule in (old, new) if not _earlier(rule) and len(dates_of(rule)) > 1]
    return Direction.UNCLEAR if linked or later else more_keeps_longer(now, was)


def _swapped(gone: frozenset[Key], come: frozenset[Key]) -> Direction | None:
    """The newest of some rows where it was the oldest keeps longer."""
    if len(gone) != 1 or len(come) != 1:
        return None
    (was, *what), (now, *same) = next(iter(gone)), next(iter(come))
    if what != same or {was, now} != {"newest", "oldest"}:
        return None
    return Direction.LONGER if now == "newest" else Direction.SOONER


def _earlier(rule: DateRule | LaterRule) -> bool:
    return isinstance(rule, LaterRule) and len(rule.earlier_of) > 1


def _dates(rule: DateRule | LaterRule) -> frozenset[Key]:
    return frozenset(_key(date) for date in dates_of(rule))


def _key(date: DateRule) -> Key:
    if date.column is not None:
        return date.of, date.column, None
    pick = "newest" if date.newest is not None else "oldest"
    return pick, date.newest or date.oldest or "", date.in_


def _named(key: Key) -> str:
    which, column, table = key
    if table is not None:
        return f"{which} {column} in {table}"
    return f"{column} of the parent" if which == "parent" else column


def _anchor(rule: DateRule | LaterRule) -> str:
    names = [_named(_key(date)) for date in dates_of(rule)]
    if len(names) == 1:
        return names[0]
    return f"the {'earlier' if _earlier(rule) else 'later'} of {', '.join(names)}"
