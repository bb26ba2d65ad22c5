"""Judging: from what a connector did and found again to the outcomes of one task.

Runs for every person, so people with whom the same was done are judged once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from connectors.base import Done, Effects, Kept, Remainder, Remainders
from connectors.mapping import FieldGroup, Key, NullAnchor, Shape, StoreMapping, Table
from worker.core.grounds import GroundKind
from worker.core.periods import Period
from worker.core.policy import Policy

Result = Literal["erased", "anonymised", "restricted", "lifted", "retained", "absent", "refused"]

UNKNOWN_ANCHOR: Final = "unknown-anchor"
NOT_GONE: Final = "not-gone"
KEPT_WITHOUT_GROUND: Final = "kept-without-ground"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one field group.

    ``rows`` counts the rows erased or overwritten (None: a try that was cut short did it, so
    nobody counted); ``grounds`` keep the rest until ``until``, the first day without a ground
    (None: open, it has no date yet). ``look_on`` is the first day on which any of what is kept
    may be due: an obligation to look again.
    """

    group: str
    result: Result
    rows: int | None
    grounds: tuple[str, ...] = ()
    until: date | None = None
    why: str | None = None
    interrupted: bool = False
    contracts: int = 0
    """Rows of the group in which a contract is running."""
    look_on: date | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task failed its verification: ``groups`` are not as they should be (rule 3)."""

    reason: str
    groups: tuple[str, ...] = ()


class Judge:
    """Judges the tasks of one command, by what its connector did and found again.

    ``effects`` and ``remainders`` are the connector's answers for all keys of the command;
    ``interrupted`` says that an earlier try was begun and never noted as finished: what is not
    there may be its doing. People with whom the same was done get the very same verdict.
    """

    def __init__(
        self,
        policy: Policy,
        mapping: StoreMapping,
        shape: Shape,
        effects: Effects,
        remainders: Remainders,
        *,
        interrupted: bool,
    ) -> None:
        self._policy = policy
        self._tables = mapping.tables
        self._groups = mapping.groups()
        self._shape = shape
        self._effects = effects
        self._remainders = remainders
        self._interrupted = interrupted
        self._verdicts: dict[tuple[object, ...], tuple[Outcome, ...] | Failed] = {}

    def of(self, keys: Sequence[Key]) -> tuple[Outcome, ...] | Failed:
        """One outcome a field group, in the mapping's order, or why the task failed."""
        effects, remainders = self._effects.get, self._remainders.get
        # A connector makes what it says of a crowd once: the same objects are the same words.
        alike = tuple([(id(effects(key)), id(remainders(key))) for key in keys])
        verdict = self._verdicts.get(alike)
        if verdict is None:
            verdict = self._verdicts[alike] = self._judged(
                [effect for key in keys if (effect := effects(key))],
                [remainder for key in keys if (remainder := remainders(key))],
            )
        return verdict

    def _judged(
        self,
        done: Sequence[Mapping[str, Done]],
        left: Sequence[Mapping[str, Remainder]],
    ) -> tuple[Outcome, ...] | Failed:
        if not left:
            return tuple(
                _gone(group.name, *_touched(group.name, done), group.anonymises, self._interrupted)
                for group in self._groups
            )
        outcomes: list[Outcome] = []
        failed: dict[str, list[str]] = {}
        for table in self._tables:
            for group in table.groups:
                found = [there for groups in left if (there := groups.get(group.name))]
                if reason := _failure(group, found, self._shape):
                    failed.setdefault(reason, []).append(group.name)
                    continue
                touched = _touched(group.name, done)
                outcomes.append(
                    _outcome(self._policy, table, group, found, touched, self._interrupted)
                )
        for reason in (NOT_GONE, KEPT_WITHOUT_GROUND):
            if reason in failed:
                return Failed(reason, tuple(failed[reason]))
        return tuple(outcomes)


def _touched(group: str, done: Sequence[Mapping[str, Done]]) -> tuple[int, int]:
    """Count the rows of a group that were deleted and that were overwritten."""
    deleted = overwritten = 0
    for effects in done:
        if (effect := effects.get(group)) is not None:
            deleted += effect.deleted
            overwritten += effect.overwritten
    return deleted, overwritten


def _gone(
    group: str, deleted: int, overwritten: int, anonymises: bool, interrupted: bool
) -> Outcome:
    """Return the outcome of a group of which nothing is kept."""
    rows = deleted + overwritten
    if rows:
        return Outcome(group, "anonymised" if overwritten and anonymises else "erased", rows)
    if interrupted:
        return Outcome(group, "erased", None, interrupted=True)
    return Outcome(group, "absent", 0)


def _failure(group: FieldGroup, found: Sequence[Remainder], shape: Shape) -> str | None:
    """Tell why what was found again contradicts what should be there."""
    for remainder in found:
        if remainder.left:
            return NOT_GONE
    for remainder in found:
        for kept in remainder.kept:
            if kept.rows and not _lives(group, kept.ground, shape):
                return KEPT_WITHOUT_GROUND
    return None


def _lives(group: FieldGroup, ground: str, shape: Shape) -> bool:
    for use in group.grounds:
        if use.ground == ground:
            return not use.revocable or ground in shape
    return False


def _outcome(
    policy: Policy,
    table: Table,
    group: FieldGroup,
    found: Sequence[Remainder],
    touched: tuple[int, int],
    interrupted: bool,
) -> Outcome:
    rows = sum(touched)
    keeping = [kept for remainder in found for kept in remainder.kept if kept.rows]
    if keeping:
        uncounted = interrupted and not rows
        names = [kept.ground for kept in keeping]
        return Outcome(
            group.name,
            "retained",
            None if uncounted else rows,
            grounds=tuple(use.ground for use in group.grounds if use.ground in names),
            until=_until(policy, group, keeping),
            why=UNKNOWN_ANCHOR if _dateless(table, group, found) else None,
            interrupted=uncounted,
            contracts=_running(policy, group, keeping),
            look_on=_first_end(policy, group, keeping),
        )
    if found and interrupted and not rows and group.anonymises:
        # The row is there and holds what was declared: the try that was cut short overwrote it.
        return Outcome(group.name, "anonymised", None, interrupted=True)
    return _gone(group.name, *touched, group.anonymises, interrupted)


def _running(policy: Policy, group: FieldGroup, keeping: Sequence[Kept]) -> int:
    """Count the rows in which a contract is running.

    A contract that is held for a while after its end is running only in rows without an end.
    """
    own = {u.ground for u in group.grounds if u.anchor is None or not u.anchor.of_parent}
    most = 0
    for kept in keeping:
        ground = policy.grounds[kept.ground]
        if ground.kind is GroundKind.CONTRACT and kept.ground in own:
            ends_at_once = ground.period is None or ground.period == Period()
            most = max(most, kept.rows if ends_at_once else kept.nulls)
    return most


def _until(policy: Policy, group: FieldGroup, keeping: Sequence[Kept]) -> date | None:
    """Return the first day without any keeping ground; None while one has no date."""
    latest: date | None = None
    for kept in keeping:
        missing = _missing_means(group, kept.ground)
        if not missing or (kept.nulls and NullAnchor.RUNNING in missing):
            return None
        if kept.latest is not None:
            over = policy.until(kept.ground, kept.latest)
            latest = over if latest is None or over > latest else latest
    return latest


def _first_end(policy: Policy, group: FieldGroup, keeping: Sequence[Kept]) -> date | None:
    """Return the first day on which a keeping ground ends in any row; None: none has a date.

    A row may be kept beyond that day by another ground; looking then harms nothing. Where a ground
    without a date keeps every row, no day is worth a look.
    """
    lasting = {u.ground for u in group.grounds if u.anchor is None and u.evidence is None}
    if any(kept.ground in lasting for kept in keeping):
        return None
    ends = [policy.until(k.ground, k.earliest) for k in keeping if k.earliest is not None]
    return min(ends, default=None)


def _missing_means(group: FieldGroup, ground: str) -> frozenset[NullAnchor]:
    """What a missing date means for a ground; empty for one that has no anchor."""
    for use in group.grounds:
        if use.ground == ground and use.anchor is not None:
            return frozenset(anchor.null for anchor in (use.anchor, *use.others))
    return frozenset()


def _dateless(table: Table, group: FieldGroup, found: Sequence[Remainder]) -> bool:
    """Tell whether a row may be kept only because a date is missing (rule 5).

    A ground without an anchor keeps every row, so none is. A root key has one row, which another
    ground then keeps too. Of several rows nobody knows which ground keeps which: the operator
    is shown one case too many rather than one too few.
    """
    if not any(kept.nulls for remainder in found for kept in remainder.kept):
        return False
    unknown = {
        use.ground
        for use in group.grounds
        if NullAnchor.UNKNOWN in _missing_means(group, use.ground)
    }
    open_ended = {use.ground for use in group.grounds if use.anchor is None}
    for remainder in found:
        missing = [kept for kept in remainder.kept if kept.nulls and kept.ground in unknown]
        if not missing or any(kept.ground in open_ended for kept in remainder.kept if kept.rows):
            continue
        if table.parent is None and any(_known(remainder.kept, unknown)):
            continue
        return True
    return False


def _known(kept: Collection[Kept], unknown: Collection[str]) -> Iterator[bool]:
    """Tell for each ground whether it keeps rows for a reason other than a missing date."""
    for one in kept:
        yield one.rows > (one.nulls if one.ground in unknown else 0)
