"""Identifiers in their one spelling: those that a person types, and those that a store holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.base import Connector
from connectors.mapping import Key
from topics.subject import normalise
from worker.context import Context, NotPossible

Identifiers = set[tuple[str, str]]
"""Kinds and normalised values."""


def typed(context: Context, subject: Mapping[str, str]) -> Identifiers:
    """Return identifiers as typed by a person in their one spelling. Raises NotPossible."""
    vocabulary = context.policy.vocabulary()
    given: Identifiers = set()
    for kind, value in subject.items():
        form = vocabulary.identifiers.get(kind)
        if form is None:
            known = ", ".join(sorted(vocabulary.identifiers))
            # Whoever mixes the two up has typed an identifier here, and it is repeated to nobody.
            kind = kind if re.fullmatch(r"[a-z_]{1,30}", kind) else "…"
            text = f"the policy knows no identifier '{kind}'; it has: {known}"
            raise NotPossible("no-identifier", text, kind=kind, known=known)
        try:
            given.add((kind, normalise(form, value, vocabulary.country)))
        except ValueError as error:
            raise NotPossible(f"identifier-{form}", f"the {kind} {error}", kind=kind) from None
    return given


async def held_by(
    context: Context, connector: Connector, keys: Sequence[Key]
) -> dict[Key, Identifiers]:
    """Return the identifiers that a store holds of the people of some root keys.

    What a store holds that is none is left out. Raises the faults of a connector.
    """
    vocabulary = context.policy.vocabulary()
    found: dict[Key, Identifiers] = {}
    for key, carried in (await connector.identifiers(keys)).items():
        mine = found.setdefault(key, set())
        for kind, value in carried:
            try:
                mine.add((kind, normalise(vocabulary.identifiers[kind], value, vocabulary.country)))
            except ValueError:
                continue  # A store may hold anything; no event could name a person by it.
    return found
