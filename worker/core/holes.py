"""What a policy that can be read leaves open: holes through which data would outlive their grounds.

A policy with a mistake cannot be loaded (:mod:`worker.core.checks`). A hole is different: each part
is right, and yet nobody can say why something is held, or for how long, or how it was agreed to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from worker.core.grounds import GroundKind
from worker.core.policy import Policy
from worker.core.references import Place

LANGUAGES: Final = ("nb", "en")
"""In which a person can be told why something is kept."""
GUESS: Final = "guess"
"""The mark of a guess: ``guess: true`` beside what was guessed, or before a text."""
_ENDS: Final = frozenset({GroundKind.CONTRACT, GroundKind.LEGAL_OBLIGATION, GroundKind.LEGAL_CLAIM})


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole: where it is in the file, what it is, why it matters, what to write."""

    place: Place
    what: str
    why: str
    write: str

    def __str__(self) -> str:
        """All of it in one line."""
        return f"{self.what}: {self.why}; {self.write}"


def holes(policy: Policy) -> list[Hole]:
    """Return every hole of a policy, in the order of the file's parts."""
    return [
        *_guesses((), policy.model_dump(by_alias=True)),
        *_identifiers(policy),
        *_purposes(policy),
        *_grounds(policy),
    ]


def _guesses(place: Place, declared: object) -> Iterator[Hole]:
    """What ``erasure policy scaffold`` has guessed and nobody has confirmed yet."""
    if isinstance(declared, Mapping):
        if declared.get(GUESS) is True:
            yield _guess(place, "guess: true")
        for name, inner in declared.items():
            yield from _guesses((*place, name), inner)
    elif isinstance(declared, (list, tuple)):
        for at, inner in enumerate(declared):
            yield from _guesses((*place, at), inner)
    elif isinstance(declared, str) and declared.lstrip().startswith(f"{GUESS}:"):
        yield _guess(place, f"{GUESS}:")


def _guess(place: Place, mark: str) -> Hole:
    name = next((part for part in reversed(place) if isinstance(part, str)), "")
    return Hole(
        place,
        f"'{name}' is a guess that nobody has confirmed",
        "it was made from names and types, and erasing for ever must not rest on a guess",
        f"correct it if it is wrong, then take the mark '{mark}' away",
    )


def _identifiers(policy: Policy) -> Iterator[Hole]:
    looked_up = {
        kind
        for store in policy.stores.values()
        for table in store.tables.values()
        for kind in table.identifiers
    }
    for kind in policy.identifiers:
        if kind not in looked_up:
            yield Hole(
                ("identifiers", kind),
                f"no store is looked up by '{kind}'",
                "an event that names a person by it alone would be closed as 'nobody was found'",
                "map it under identifiers of a store's root table, or take it out",
            )


def _purposes(policy: Policy) -> Iterator[Hole]:
    grounded = {ground.purpose for ground in policy.grounds.values()}
    for name in policy.purposes:
        if name not in grounded:
            yield Hole(
                ("purposes", name),
                f"no ground is declared for the purpose '{name}'",
                "nothing may be processed for it (GDPR art. 6(1)), and a withdrawal ends nothing",
                f"add a ground with purpose: {name}, or take the purpose out",
            )


def _grounds(policy: Policy) -> Iterator[Hole]:
    used = {
        ground
        for store in policy.stores.values()
        for table in store.tables.values()
        for field in table.fields.values()
        for ground in field.grounds
    }
    for name, ground in policy.grounds.items():
        place: Place = ("grounds", name)
        if name not in used:
            yield Hole(
                place,
                f"no field is held on the ground '{name}'",
                "what it was meant for may be held on nothing, or not be declared at all",
                "name it under grounds of a field, or take it out",
            )
        if ground.kind is GroundKind.CONSENT and ground.evidence is None:
            yield Hole(
                place,
                f"nothing says where the consent '{name}' can be shown",
                "who relies on a consent must be able to show it (GDPR art. 7(1))",
                "add evidence: ledger (the events that this worker records) or evidence: column",
            )
        if ground.kind in _ENDS and ground.anchor is None:
            yield Hole(
                place,
                f"the {ground.kind} '{name}' never ends",
                "data on it would be kept for ever (GDPR art. 5(1)(e))",
                "add anchor: <name> and period: 0d, 90d, 42m, 5y …",
            )
        missing = [language for language in LANGUAGES if not ground.text.get(language, "").strip()]
        if missing:
            yield Hole(
                place,
                f"'{name}' has no text in {' or '.join(missing)}",
                "a person who asks must be told in plain language why data are kept (art. 12(1))",
                "add text: {nb: …, en: …}",
            )
