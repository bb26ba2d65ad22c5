"""What the ledger keeps of a sweep under way that may hold keys of people: sealed, and its way out.

Where a leg is, which chunk is under way, and who was left out. All of it is bound to its sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.mapping import Key
from connectors.sweeping import Span, Walk
from worker.core.legs import Aim
from worker.ledger.sweeps import Sweep
from worker.sealing import Sealer


def seal_cursor(sealer: Sealer, sweep_id: int, cursor: Key | None) -> bytes | None:
    """Seal the position that a leg has reached; None at its beginning."""
    return None if cursor is None else sealer.seal(cursor, _place("cursor", sweep_id))


def open_cursor(sealer: Sealer, sweep: Sweep) -> Key | None:
    """Open what :func:`seal_cursor` sealed. Raises CannotOpen."""
    if sweep.cursor is None:
        return None
    return tuple(sealer.open(sweep.cursor, sweep.key_id, _place("cursor", sweep.id)))


def seal_span(sealer: Sealer, sweep_id: int, span: Span, leg: int, aim: Aim) -> bytes:
    """Seal the chunk that is begun, and in which leg."""
    parts = [span.table, span.by.value, span.after, span.upto, leg, aim.value, *span.along]
    return sealer.seal(parts, _place("span", sweep_id))


def seal_intent(sealer: Sealer, sweep_id: int, people: Iterable[Key]) -> bytes:
    """Seal who may lose data in the chunk that is begun."""
    return sealer.seal(list(people), _place("intent", sweep_id))


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk, with whoever may have lost data in it to a runner that never finished it."""

    span: Span
    leg: int
    aim: Aim
    people: frozenset[Key]


def open_span(sealer: Sealer, sweep: Sweep) -> Begun | None:
    """Open what :func:`seal_span` and :func:`seal_intent` sealed. Raises CannotOpen."""
    if sweep.span is None or sweep.intent is None:
        return None
    table, by, after, upto, leg, aim, *along = sealer.open(
        sweep.span, sweep.key_id, _place("span", sweep.id)
    )
    span = Span(table, Walk(by), _key(after), _key(upto), tuple(along))
    people = sealer.open(sweep.intent, sweep.key_id, _place("intent", sweep.id))
    return Begun(span, leg, Aim(aim), frozenset(map(tuple, people)))


def seal_left_out(sealer: Sealer, sweep_id: int, people: Mapping[Key, str]) -> bytes | None:
    """Seal who was left out and why."""
    if not people:
        return None
    return sealer.seal(list(people.items()), _place("left-out", sweep_id))


def open_left_out(sealer: Sealer, sweep: Sweep) -> dict[Key, str]:
    """Open what :func:`seal_left_out` sealed. Raises CannotOpen."""
    if sweep.left_out is None:
        return {}
    found = sealer.open(sweep.left_out, sweep.key_id, _place("left-out", sweep.id))
    return {tuple(key): why for key, why in found}


def _key(position: list[int | str] | None) -> Key | None:
    return None if position is None else tuple(position)


def _place(what: str, sweep_id: int) -> bytes:
    return f"sweep-{what}\0{sweep_id}".encode()
