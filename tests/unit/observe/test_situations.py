"""What somebody must know: nothing when all is well, and each thing that is wrong in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.policies import small
from tests.unit.ledger.making import NOW
from worker.core.lifecycle import CaseState, SweepState
from worker.health import Trouble, judge
from worker.ledger.batches import Lane
from worker.ledger.brakes import Braked
from worker.ledger.database import Ledger
from worker.ledger.losses import Loss
from worker.ledger.pauses import Pause
from worker.ledger.waiting import StandingSweep
from worker.observe.lag import GroupLag
from worker.observe.overview import Overview, look
from worker.observe.situations import SECTIONS, situations
from worker.observe.stores import State
from worker.observe.web.telling import words_of
from worker.observe.web.words import LANGUAGES

ASKS = {"would": 120, "of": 900, "usual": None, "limit": 100, "because": "share"}


async def well(ledger: Ledger) -> Overview:
    """An empty ledger, every store of which a worker serves; its clock is that of the test."""
    seen = await look(ledger, small(), NOW)
    stores = [replace(one, workers=1, state=State.SERVING) for one in seen.stores]
    return replace(seen, stores=tuple(stores), skew=0.0)


def kinds(seen: Overview, **more: Any) -> list[str]:
    """What is told, by kind."""
    return [one.kind for one in situations(seen, **more)]


async def test_the_promise_is_kept_when_nothing_is_told(ledger: Ledger) -> None:
    """And not while somebody is asked who is meant, a store refused, or nobody serves it."""
    seen = await well(ledger)
    assert kinds(seen) == []
    assert kinds(replace(seen, cases={CaseState.PARKED: 1})) == ["cases-parked"]
    assert kinds(replace(seen, holds_to_review=1)) == ["hold-past-review"]
    beyond = {"intake": GroupLag(0, 3)}
    assert kinds(seen, groups=beyond) == ["offset-beyond-end"]
    lost = replace(seen, losses=(Loss("intake", 3, NOW),))
    assert kinds(lost, groups={"intake": GroupLag(4, 0)}) == ["offset-beyond-end"]
    assert kinds(lost, groups=beyond) == ["offset-beyond-end"]
    people = [one for one in seen.stores if one.lane is Lane.PEOPLE]
    for change, told in (
        ({"dead": 2}, "dead-letters"),
        ({"state": State.AWAY, "fault": "unavailable", "since": NOW}, "store-away"),
        ({"workers": 0}, "store-unserved"),
    ):
        worse: tuple[Any, ...] = (replace(people[0], **change), *people[1:])
        [found] = situations(replace(seen, stores=worse))
        assert (found.kind, found.store) == (told, people[0].store)


TROUBLES = judge(
    asking=[Braked(1, "crm", ASKS, NOW)],
    resting=[
        Pause(1, "crm", "Kari", "its disk", NOW, draining=True),
        Pause(2, "letters", "Ola", "its net", NOW, draining=False),
    ],
    standing=[
        StandingSweep(7, "crm", SweepState.BRAKED, ASKS, {}, None, 0, NOW, None, NOW),
    ],
    failed=[],
    still=(3, NOW),
)


async def test_all_that_the_ledger_tells_has_its_place(ledger: Ledger) -> None:
    """Also a store that is being drained: each kind leads to a section of the runbook."""
    found = situations(replace(await well(ledger), troubles=tuple(TROUBLES)))
    assert {one.kind for one in found} == {one.kind for one in TROUBLES} <= SECTIONS.keys()
    assert {one.store for one in found} == {"crm", "letters", ""}
    assert all("#" in one.runbook for one in found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.kind)
def test_the_page_tells_each_of_them(trouble: Trouble, language: str) -> None:
    """In the words of both languages, with what it is about."""
    told = words_of(language).trouble(trouble)
    for value in (trouble.about.get(name) for name in ("store", "sweep", "by", "reason", "cases")):
        assert value is None or str(value) in told
