"""Real Prometheus and Alertmanager scrape a running worker: an alarm fires, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.alarming import Watch, watching
from tests.support.nordlys import customer, withdrawal
from tests.support.page import TOKENS, web_settings
from tests.support.world import World
from worker.embedded.child import free_port
from worker.web_settings import Role


async def until(watch: Watch, reached: Callable[[set[tuple[str, str]]], bool]) -> None:
    """Wait until the alarms are so."""
    found: set[tuple[str, str]] = set()
    for _ in range(600):
        found = await watch.firing()
        if reached(found):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"it did not come to that: {sorted(found)}")


async def hears(watch: Watch) -> bool:
    """Whether the worker's numbers have come to Prometheus."""
    return await watch.value("erasure_accepted_events_total") is not None


async def test_a_store_that_is_shut_raises_an_alarm_until_it_is_back(
    gated: World, tmp_path: Path
) -> None:
    """Nothing fires at first; the CRM goes away and its alarm comes; it is back and the alarm ends.

    No other store's alarm comes with it, and what waited is erased afterwards.
    """
    port = free_port()
    gated.settings.update(web_settings(ERASURE_WEB__PORT=str(port)))
    first, second = customer(), customer()
    await gated.stores.add(first, second)
    before, meanwhile = withdrawal(first), withdrawal(second)
    with gated.worker() as worker:
        async with watching(tmp_path / "watch", port, TOKENS[Role.VIEWER]) as watch:
            await gated.publish(before)
            await gated.until_states(before)
            await gated.until(partial(hears, watch), "Prometheus hears the worker")
            assert ("ErasureStoreDown", "crm") not in await watch.firing()
            await gated.gates["crm"].shut()
            await gated.publish(meanwhile)
            await until(watch, lambda found: ("ErasureStoreDown", "crm") in found)
            assert await watch.value('max(erasure_store_away{store="newsletter"})') == 0
            await gated.gates["crm"].open()
            await until(watch, lambda found: ("ErasureStoreDown", "crm") not in found)
            await gated.until_states(meanwhile)
        assert await worker.stop() == 0
