"""The ledger is away, no worker runs, or Prometheus may not read: by the book to work again."""

from __future__ import annotations

import pytest

from tests.runbook.following import follow, status, typed, until_told, until_well
from tests.runbook.measured import alone, number, running, scrape
from tests.support.nordlys import Person, erasure
from tests.support.world import World
from worker.cli.exits import Exit

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_ledger_away(night: World) -> None:
    """Status says so and where to read; events wait, and are taken in when it is back."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    metric = "erasure_ledger_reachable"

    async def reachable() -> float | None:
        return number(await scrape(night), "Ledger away", metric)

    async def unreachable() -> bool:
        return await reachable() == 0

    async with running(night):
        await until_well(night)
        with follow(night, "Ledger away") as words:
            await night.gates["ledger"].shut()
            await night.publish(request)
            await night.until(unreachable, "the metric shows it")
            said = await words.type("status", expect=Exit.TRY_AGAIN)
            assert "docs/runbook.md#ledger-away" in said
            away = await typed(night, "erasure ledger status")
            assert away.code == Exit.TRY_AGAIN
            await night.gates["ledger"].open()
            assert "the ledger is up to date" in await words.type("ledger status")
            await night.until_told(request)
            await until_well(night)
            assert await reachable() == 1


async def test_no_worker(night: World) -> None:
    """Prometheus hears nothing, or not with that token; status tells which; started, it is over."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    metric = "erasure_build_info"
    await alone(night)
    assert await scrape(night) is None
    await night.publish(request)
    with follow(night, "No worker") as words:
        await until_told(night, "no-worker", "No worker")
        said = await words.type("status", expect=Exit.ALARM)
        assert "no worker serves a store" in said
        assert "erasure run" in said
        with words.start("run") as worker:
            await night.until_told(request)
            await until_well(night)
            assert number(await scrape(night), "No worker", metric) == 1
            # The other reason for the alarm: all is well, and Prometheus has a wrong token.
            assert await scrape(night, "erasure_wrong_" + "0" * 40) is None
            assert await status(night) == {}
            assert await worker.stop() == 0
