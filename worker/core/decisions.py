"""The decision table: which grounds an event ends, and what outlives it.

======================  ===========================================================================
event                   ends
======================  ===========================================================================
consent withdrawn       consents to its purposes (GDPR art. 7(3), 17(1)(b))
marketing objected      every ground whose purpose is direct marketing (art. 21(2)-(3))
erasure requested       every consent; every legitimate interest not declared overriding
                        (art. 17(1)(b)-(c))
consent given           nothing; it lifts an older stop
======================  ===========================================================================

A contract, a legal obligation or a legal claim (art. 17(3)(b), (e)) is ended by no request: it
lives until its period is over. That a
ground whose period is over is dead, whatever the event, is decided by the cut-offs in the store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from topics.events import EventKind
from worker.core.grounds import Ground, GroundKind


@dataclass(frozen=True, slots=True)
class ConsentState:
    """The newest times known of one person and one purpose; times are aware."""

    withdrawn_at: datetime | None = None
    """Newest withdrawal, objection or erasure request: the consent was taken back."""
    objected_at: datetime | None = None
    """Newest objection or erasure request: more than the consent was taken back."""
    given_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """Whether consent to the purpose does not stand. On a tie the stop wins."""
        return self.withdrawn_at is not None and (
            self.given_at is None or self.withdrawn_at >= self.given_at
        )

    def merge(self, other: ConsentState) -> ConsentState:
        """Return the newest of each time. Order and repetition of merges change nothing."""
        return ConsentState(
            _newest(self.withdrawn_at, other.withdrawn_at),
            _newest(self.objected_at, other.objected_at),
            _newest(self.given_at, other.given_at),
        )


def _newest(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def record(kind: EventKind, time: datetime) -> ConsentState:
    """Return what one event says about one purpose that it names or stops."""
    if kind is EventKind.CONSENT_WITHDRAWN:
        return ConsentState(withdrawn_at=time)
    if kind in (EventKind.MARKETING_OBJECTED, EventKind.ERASURE_REQUESTED):
        return ConsentState(withdrawn_at=time, objected_at=time)
    if kind is EventKind.CONSENT_GIVEN:
        return ConsentState(given_at=time)
    return ConsentState()


def ends(ground: Ground, marketing: bool, kind: EventKind, purposes: Collection[str]) -> bool:
    """Look up the decision table: does this event, by itself, end this ground?

    ``marketing`` says whether the ground's purpose is direct marketing; ``purposes`` are the
    event's own.
    """
    if kind is EventKind.CONSENT_WITHDRAWN:
        return ground.kind is GroundKind.CONSENT and ground.purpose in purposes
    if kind is EventKind.MARKETING_OBJECTED:
        return marketing
    if kind is EventKind.ERASURE_REQUESTED:
        return ground.kind is GroundKind.CONSENT or (
            ground.kind is GroundKind.LEGITIMATE_INTEREST and not ground.overriding
        )
    return False


def ended_by_record(ground: Ground, marketing: bool, state: ConsentState) -> bool:
    """Tell whether what is known of the person and the ground's purpose ends the ground.

    A newer consent revives a consent, never an interest that was objected to.
    """
    if ground.kind is GroundKind.CONSENT:
        return state.stopped
    if marketing or (ground.kind is GroundKind.LEGITIMATE_INTEREST and not ground.overriding):
        return state.objected_at is not None
    return False


def is_revocable(ground: Ground, marketing: bool) -> bool:
    """Tell whether any event can end this ground."""
    return marketing or any(
        ends(ground, False, kind, (ground.purpose or "",)) for kind in EventKind
    )


def bearing(states: Mapping[str, ConsentState]) -> tuple[tuple[str, bool, bool], ...]:
    """Return what a decision depends on in the states: those of equal bearing end the same."""
    return tuple(
        [
            (purpose, state.stopped, state.objected_at is not None)
            for purpose, state in states.items()
        ]
    )


def ended(
    grounds: Mapping[str, Ground],
    marketing: Collection[str],
    kind: EventKind,
    event_purposes: Collection[str],
    states: Mapping[str, ConsentState],
) -> frozenset[str]:
    """Return the names of the grounds that have ended for one person.

    ``marketing`` are the direct-marketing purposes; ``states`` what is known per purpose, the
    event's own effect included, so that whatever is newest has already won. For a purpose of
    which nothing is known (it came into the policy after the event) the event speaks itself, and
    what it ends for good, an interest, no record takes back.
    """
    gone: list[str] = []
    for name, ground in grounds.items():
        purpose = ground.purpose
        if purpose is None:
            # What events end always has a purpose (see Ground): a bare contract or duty stays.
            continue
        state = states.get(purpose)
        markets = purpose in marketing
        if (state is not None and ended_by_record(ground, markets, state)) or (
            (state is None or ground.kind is not GroundKind.CONSENT)
            and ends(ground, markets, kind, event_purposes)
        ):
            gone.append(name)
    return frozenset(gone)
