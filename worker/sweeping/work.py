"""What one chunk does in its store: erase a range together, or people by their key; then re-read.

Only what was read again and found gone gets a receipt. Whom the store refuses, or of whom it keeps
what it said it had erased, is set apart and told: the sweep then ends as failed, never as done.
Rows of theirs that did go are in a receipt all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from connectors.base import Done, Effects, Work
from connectors.faults import Refused
from connectors.mapping import Cutoffs, FieldGroup, Key, Shape
from connectors.sweeping import Span
from worker.context import Context
from worker.core.outcomes import NOT_GONE, Failed, Judge
from worker.effect import Row, written
from worker.ledger.sweep_steps import SweepReceipt
from worker.sweeping.people import pseudonyms


@dataclass(slots=True)
class Result:
    """What became of the people of one chunk."""

    outcomes: dict[Key, Sequence[Row]] = field(default_factory=dict)
    """Of those who lost something; people with the same have the very same list."""
    apart: dict[Key, str] = field(default_factory=dict)
    """Those whose data are still there, and why."""
    slowest: float = 0.0
    """Seconds of the slowest statement or set of them."""

    def add(self, other: Result) -> None:
        """Take in what became of other people of the same chunk."""
        self.outcomes |= other.outcomes
        self.apart |= other.apart
        self.slowest = max(self.slowest, other.slowest)

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows per field group and result."""
        found: dict[str, dict[str, int]] = {}
        for outcomes, keys in self._alike():
            for one in outcomes:
                own = found.setdefault(one["group"], {})
                own[one["result"]] = own.get(one["result"], 0) + len(keys) * (one["rows"] or 0)
        return found

    def receipts(self, context: Context, store: str) -> list[SweepReceipt]:
        """One for all those with whom the same was done."""
        return [
            SweepReceipt(pseudonyms(context.sealer, store, keys), outcomes)
            for outcomes, keys in self._alike()
        ]

    def _alike(self) -> Iterable[tuple[Sequence[Row], list[Key]]]:
        """Each list of outcomes, with the people whose it is."""
        alike: dict[int, tuple[Sequence[Row], list[Key]]] = {}
        for key, outcomes in self.outcomes.items():
            if (same := alike.get(id(outcomes))) is None:
                same = alike[id(outcomes)] = (outcomes, [])
            same[1].append(key)
        return alike.values()


class Chunk:
    """The work of one store's chunks under one sweep's cut-offs."""

    def __init__(self, context: Context, store: str, cutoffs: Cutoffs) -> None:
        self._context = context
        self._connector = context.connectors[store]
        self._cutoffs = cutoffs
        mapping = self._connector.mapping
        self._groups: Mapping[str, FieldGroup] = {one.name: one for one in mapping.groups()}
        self._of_table = {
            table.name: frozenset(group.name for group in table.groups) for table in mapping.tables
        }
        self.whole: Shape = tuple(context.policy.revocable(store))
        """The shape of those of whom nothing is recorded."""

    async def rows(self, span: Span, keys: Sequence[Key], without: Sequence[Key]) -> Result:
        """Erase a range; where the store refuses, for halves of its people, down to the one."""
        result = Result()
        out = frozenset(without)
        await self._range(span, [key for key in keys if key not in out], out, result)
        return result

    async def _range(
        self, span: Span, going: Sequence[Key], without: frozenset[Key], result: Result
    ) -> None:
        sweeping, out = self._connector.sweeping, list(without)
        begun = monotonic()
        try:
            effects = await sweeping.sweep(span, self._cutoffs, out)
        except Refused as fault:
            if len(going) < 2:
                result.apart |= dict.fromkeys(going, fault.code)
                return
            first, second = going[: len(going) // 2], going[len(going) // 2 :]
            await self._range(span, first, without | set(second), result)
            await self._range(span, second, without | set(first), result)
            return
        result.slowest = max(result.slowest, monotonic() - begun)
        result.add(await self.judged(span, effects, without))

    async def judged(
        self, span: Span, effects: Effects, without: frozenset[Key] = frozenset()
    ) -> Result:
        """Read a range again in which so much was erased, and judge each of its people."""
        sweeping, begun = self._connector.sweeping, monotonic()
        apart: dict[Key, str] = {}
        if await sweeping.left(span, self._cutoffs, list(without)):
            found = set(await sweeping.due(span, self._cutoffs)) - without
            apart = dict.fromkeys(found & effects.keys(), NOT_GONE)
        slowest = monotonic() - begun
        apart |= await self._still_there(span, effects)
        outcomes = self.outcomes(effects)
        if apart:
            outcomes = {key: rows for key, rows in outcomes.items() if key not in apart}
            outcomes |= self.outcomes(_deleted(effects, apart))
        return Result(outcomes, apart, slowest)

    def outcomes(self, effects: Effects) -> dict[Key, Sequence[Row]]:
        """What rows that went together mean for each of their people."""
        return _rows(self._groups, effects)

    async def people(self, by_shape: Mapping[Shape, Sequence[Key]]) -> Result:
        """Erase people by their keys, each shape for itself, and judge what is found again."""
        result = Result()
        size = self._connector.capabilities.batch_size
        for shape, keys in by_shape.items():
            for at in range(0, len(keys), size):
                begun = monotonic()
                await self._erase(shape, keys[at : at + size], result)
                result.slowest = max(result.slowest, monotonic() - begun)
        return result

    async def _erase(self, shape: Shape, keys: Sequence[Key], result: Result) -> None:
        work = Work(shape, self._cutoffs, keys)
        try:
            effects = await self._connector.erase(work)
        except Refused as fault:
            if len(keys) == 1:
                result.apart[keys[0]] = fault.code
                return
            half = len(keys) // 2
            await self._erase(shape, keys[:half], result)
            await self._erase(shape, keys[half:], result)
            return
        found = await self._connector.verify(work)
        policy, mapping = self._context.policy, self._connector.mapping
        judge = Judge(policy, mapping, shape, effects, found, interrupted=False)
        lists: dict[int, Sequence[Row]] = {}
        for key in keys:
            verdict = judge.of([key])
            if isinstance(verdict, Failed):
                result.apart[key] = verdict.reason
                result.outcomes |= self.outcomes(_deleted(effects, [key]))
                continue
            lost = lists.get(id(verdict))
            if lost is None:
                lost = lists[id(verdict)] = [written(one) for one in verdict if one.rows]
            if lost:
                result.outcomes[key] = lost

    async def to_do(
        self, by_shape: Mapping[Shape, Sequence[Key]], tables: Collection[str]
    ) -> dict[Shape, list[Key]]:
        """Leave out whoever has nothing to lose in these tables by their shape.

        An intent names who may, and a rule is about nobody else.
        """
        left = await self.unfinished(by_shape, tables)
        found = {shape: [key for key in keys if key in left] for shape, keys in by_shape.items()}
        return {shape: keys for shape, keys in found.items() if keys}

    async def unfinished(
        self, by_shape: Mapping[Shape, Sequence[Key]], tables: Collection[str] | None = None
    ) -> set[Key]:
        """Read which people still have what is to go by their shapes; nothing is changed.

        In some tables alone, or by default in the whole store.
        """
        meant = self._of_table.keys() if tables is None else tables
        names = {group for table in meant for group in self._of_table[table]}
        size = self._connector.capabilities.batch_size
        found: set[Key] = set()
        for shape, keys in by_shape.items():
            for at in range(0, len(keys), size):
                work = Work(shape, self._cutoffs, keys[at : at + size])
                remainders = await self._connector.verify(work)
                found |= {
                    k
                    for k, groups in remainders.items()
                    if any(groups[n].left for n in names & groups.keys())
                }
        return found

    async def _still_there(self, span: Span, effects: Effects) -> dict[Key, str]:
        """Re-read by key whoever's rows were overwritten: a row that is changed may have moved."""
        # People with whom the same was done share it: what is one's is looked at once.
        alike = {id(done): done for done in effects.values()}
        changed = {at for at, done in alike.items() if any(d.overwritten for d in done.values())}
        keys = [key for key, done in effects.items() if id(done) in changed]
        own = {group for table in span.tables for group in self._of_table[table]}
        size = self._connector.capabilities.batch_size
        found: dict[Key, str] = {}
        for at in range(0, len(keys), size):
            work = Work(self.whole, self._cutoffs, keys[at : at + size])
            for key, groups in (await self._connector.verify(work)).items():
                if any(groups[g].left for g in own & groups.keys()):
                    found[key] = NOT_GONE
        return found


def rows_of(effects: Effects) -> int:
    """Rows that went or were overwritten; one counts for each of its field groups."""
    # A crowd with whom the same was done shares it: what is one's is added up once.
    crowds = Counter(map(id, effects.values()))
    alike = {id(done): done.values() for done in effects.values()}
    return sum(
        people * sum(one.deleted + one.overwritten for one in alike[crowd])
        for crowd, people in crowds.items()
    )


def _deleted(effects: Effects, keys: Iterable[Key]) -> Effects:
    """What certainly went of people of whom something else is still there: rows, not values."""
    found: dict[Key, Mapping[str, Done]] = {}
    for key in keys:
        done = {g: Done(deleted=d.deleted) for g, d in effects.get(key, {}).items() if d.deleted}
        if done:
            found[key] = done
    return found


def _rows(groups: Mapping[str, FieldGroup], effects: Effects) -> dict[Key, Sequence[Row]]:
    """The outcomes of a range: people with whom the same was done have the very same list."""
    alike: dict[int, Sequence[Row]] = {}
    found: dict[Key, Sequence[Row]] = {}
    for key, done in effects.items():
        outcomes = alike.get(id(done))
        if outcomes is None:
            outcomes = alike[id(done)] = [_row(groups[name], one) for name, one in done.items()]
        found[key] = outcomes
    return found


def _row(group: FieldGroup, done: Done) -> Row:
    anonymised = done.overwritten and group.anonymises
    result = "anonymised" if anonymised else "erased"
    return {"group": group.name, "result": result, "rows": done.deleted + done.overwritten}
