"""``kill -9`` of the worker between each two steps of the path, on one world without a pause.

Each round has people of its own; the worker of the round dies at its step, and the next one finds
what it left: its own leftovers, uncommitted offsets, and members of the groups that are no more.
"""

from __future__ import annotations

import signal

import pytest

from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.nordlys import Person, about, erasure, traces, withdrawal
from tests.support.world import World
from topics import names

STAGES = {
    "intake": [
        "after intake-rows 1",
        "before stop-published 1",
        "after stop-published 1",
        "after stop-noted 1",
        "after taken-in 1",
        "before events-committed 1",
        "after events-committed 1",
    ],
    "planning": [
        "before resolved 1",
        "after resolved 1",
        "after plan-rows 1",
        "before crm-command-published 1",
        "after crm-command-published 1",
        "before last-command-published 1",
        "after last-command-published 1",
        "after commands-noted 1",
    ],
    "command": [
        "after attempt-noted 1",
        "before erased 1",
        "after erased 1",
        "after erased 2",
        "after erased 3",
        "after verified 1",
        "after settle-rows 1",
    ],
    "telling": [
        "before receipts-published 1",
        "after receipts-published 1",
        "before completions-published 1",
        "after completions-published 1",
        "after answer-noted 1",
        "before commands-committed 1",
        "after commands-committed 1",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
async def test_whatever_is_killed_every_case_closes_and_every_receipt_is_honest(
    world: World, stage: str
) -> None:
    """After a kill at every step of a stage, each event is done, told, and nobody else is hurt."""
    bystanders = [Person(), Person(contract_ended=None)]
    rounds = [[Person(), Person(surveys=0, subscriptions=2), Person()] for _ in STAGES[stage]]
    # A running contract: of these only the newsletter goes.
    readers = [Person(contract_ended=None, invoices=[None]) for _ in STAGES[stage]]
    strangers = [Person() for _ in STAGES[stage]]
    await world.stores.add(*bystanders, *readers, *(person for few in rounds for person in few))
    before = await world.stores.dump()

    erased, withdrawn, absent = [], [], []
    for step, few, reader, stranger in zip(STAGES[stage], rounds, readers, strangers, strict=True):
        worker = world.worker(kill=step)
        requests = [(person, erasure(person)) for person in few]
        erased += requests
        withdrawn.append(withdrawal(reader))
        absent.append(erasure(stranger))
        await world.publish(*(event for _, event in requests), withdrawn[-1], absent[-1])

        async def dead(worker=worker) -> bool:  # type: ignore[no-untyped-def] # binds the loop variable
            return worker.ended is not None

        await world.until(dead, f"the worker kills itself {step}")
        assert worker.ended == -signal.SIGKILL
    everything = [*(event for _, event in erased), *withdrawn, *absent]
    with world.worker() as worker:
        await world.until_told(*everything)
        assert await worker.stop() == 0

    await assert_gone_honestly(world, before, erased)
    await assert_told_once(world, everything)
    await assert_receipts_published(world, everything)
    after = await world.stores.dump()
    assert about(after, bystanders) == about(before, bystanders)
    for reader, event in zip(readers, withdrawn, strict=True):
        there = traces(after, reader)
        assert not {table for table in there if table.startswith("newsletter.")}
        assert (await world.outcomes(event))["newsletter/subscriber.email+name"]["result"] == (
            "erased"
        )
    for store in ("crm", "billing"):
        kept = {k: v for k, v in about(after, readers).items() if k.startswith(store)}
        assert kept == {k: v for k, v in about(before, readers).items() if k.startswith(store)}
    for event in absent:
        assert {o["result"] for o in (await world.outcomes(event)).values()} == {"absent"}
    stopped = {record.key for record in await world.read(names.SUPPRESSIONS)}
    assert len(stopped) == len(everything)
