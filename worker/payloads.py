"""What the sealed payloads of batches and commands hold, and the way in and out of them.

A batch's payload keeps the identifiers of its cases until none of them stands open; a command's
payload keeps the stores' own keys of its tasks until it settles, an obligation's until its day. All
lie encrypted in the ledger and nowhere else: Kafka sees ids only (claim check).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from connectors.mapping import Key
from worker.resolve import Person
from worker.sealing import Sealer

_BATCH = b"batch"


def seal_people(sealer: Sealer, people: Iterable[Person]) -> bytes:
    """Seal what is known of the subjects of a batch."""
    return sealer.seal(
        [
            {
                "case": person.case_id.hex,
                "given": sorted(person.given),
                "known": sorted(person.known),
                "chosen": person.chosen,
                "keys": person.keys,
                "carried": person.carried,
                "in_doubt": sorted(person.in_doubt),
                **({"stores": person.stores} if person.stores else {}),
            }
            for person in people
        ],
        _BATCH,
    )


def open_people(sealer: Sealer, payload: bytes, key_id: str) -> list[Person]:
    """Open what :func:`seal_people` sealed. Raises CannotOpen."""
    return [
        Person(
            case_id=UUID(entry["case"]),
            known={(kind, value) for kind, value in entry["known"]},
            given={(kind, value) for kind, value in entry["given"]},
            chosen=_keys(entry["chosen"]),
            keys=_keys(entry["keys"]),
            carried=_keys(entry["carried"]),
            in_doubt=set(entry["in_doubt"]),
            stores=tuple(entry.get("stores", ())),
        )
        for entry in sealer.open(payload, key_id, _BATCH)
    ]


def seal_tasks(
    sealer: Sealer, store: str, case_ids: Sequence[UUID], keys: Sequence[Sequence[Key]]
) -> bytes:
    """Seal the keys of a command's tasks, bound to its store and its cases."""
    return sealer.seal(keys, _place(b"command", store, case_ids))


def open_tasks(
    sealer: Sealer, payload: bytes, key_id: str, store: str, case_ids: Sequence[UUID]
) -> list[list[Key]]:
    """Open what :func:`seal_tasks` sealed: the keys of each case, in the order of the ids."""
    return _tuples(sealer.open(payload, key_id, _place(b"command", store, case_ids)))


def seal_obligation(
    sealer: Sealer, store: str, case_ids: Sequence[UUID], keys: Sequence[Sequence[Key]]
) -> bytes:
    """Seal the keys of what must be looked at again, bound to its store and its cases."""
    return sealer.seal(keys, _place(b"obligation", store, case_ids))


def open_obligation(
    sealer: Sealer, payload: bytes, key_id: str, store: str, case_ids: Sequence[UUID]
) -> list[list[Key]]:
    """Open what :func:`seal_obligation` sealed: the keys of each case, in the order of the ids."""
    return _tuples(sealer.open(payload, key_id, _place(b"obligation", store, case_ids)))


def _place(what: bytes, store: str, case_ids: Sequence[UUID]) -> bytes:
    return what + b"\0" + store.encode() + b"\0" + b"".join(c.bytes for c in case_ids)


def _tuples(keys_of_cases: Iterable[Iterable[Sequence[Any]]]) -> list[list[Key]]:
    return [[tuple(key) for key in keys] for keys in keys_of_cases]


def _keys(stores: dict[str, list[list[Any]]]) -> dict[str, list[Key]]:
    return {store: [tuple(key) for key in keys] for store, keys in stores.items()}
