"""Doing a chunk knowing who stands in it: who of them is left out, and who is erased how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.mapping import Key, Shape
from connectors.sweeping import Span, Walk
from worker.context import Context
from worker.core.legs import Aim
from worker.ledger.sweeps import Sweep
from worker.sweeping.partitions import Partitions
from worker.sweeping.people import left_out, shapes
from worker.sweeping.settling import still_there
from worker.sweeping.work import Chunk, Result


@dataclass(frozen=True, slots=True)
class Found:
    """What a chunk holds: the people, who of them is left out, the others by their shape."""

    keys: list[Key]
    out: dict[Key, str]
    by_shape: Mapping[Shape, list[Key]]

    @property
    def going(self) -> list[Key]:
        """The people who may lose something."""
        return [key for keys in self.by_shape.values() for key in keys]


class Looking:
    """Looks into the chunks of one sweep. Raises what a connector may."""

    def __init__(
        self,
        context: Context,
        sweep: Sweep,
        tables: Collection[str],
        work: Chunk,
        partitions: Partitions,
    ) -> None:
        self._context, self._sweep, self._store = context, sweep, sweep.store
        self._connector = context.connectors[sweep.store]
        self._tables, self._work, self._partitions = tables, work, partitions

    async def look(self, aim: Aim, span: Span, apart: Mapping[Key, str]) -> Found:
        """Find who stands in a chunk, and what is known of them beside the rows.

        ``apart`` are those who were left out before.
        """
        if span.table not in self._tables:
            return Found([], {}, {})  # By the policy that came between there is nothing to do.
        sweeping, cutoffs = self._connector.sweeping, self._sweep.cutoffs
        look = sweeping.doubtful if aim is Aim.CONSENTS else sweeping.due
        keys = list(await look(span, cutoffs))
        out = await left_out(self._context, self._store, keys)
        rest = [key for key in keys if key not in out]
        by_shape: Mapping[Shape, list[Key]] = {self._work.whole: rest} if rest else {}
        if aim is Aim.CONSENTS and rest:
            by_shape, doubtful = await shapes(self._context, self._store, rest)
            by_shape = await self._work.to_do(by_shape, self._tables)
            # Who is left out must have something that is due: of the others nobody knows it.
            out = {k: why for k, why in out.items() if k in apart} | doubtful
        return Found(keys, out, by_shape)

    async def do(self, aim: Aim, span: Span, found: Found, apart: Mapping[Key, str]) -> Result:
        """Erase what was found: as a range, by key, or with its partition."""
        if span.by is Walk.PARTITION:
            if found.out or not apart.keys().isdisjoint(found.keys):
                return Result()  # Somebody's rows must stay: the others' go one by one.
            return await self._partitions.drop(span, found.keys)
        if aim is Aim.ROWS:
            return await self._work.rows(span, found.keys, list(found.out))
        return await self._work.people(found.by_shape)

    async def here(self, aim: Aim, found: Found, result: Result) -> set[Key]:
        """Who of a chunk that was cut short is known not to have lost anything to that."""
        here = {*result.outcomes, *result.apart}
        if aim is not Aim.CONSENTS:
            return here | set(found.keys)
        going = set(found.going)
        others = [key for key in found.keys if key not in going]
        return here | await still_there(self._context, self._work, self._store, aim, others)
