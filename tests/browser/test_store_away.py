"""A store goes away and comes back while somebody looks at the page of a running worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.conftest import open_looker
from tests.support.databases import Server
from tests.support.nordlys import Person, erasure
from tests.support.opening import open_world
from tests.support.page import Page as Served
from tests.support.page import open_page
from tests.support.world import World
from worker.embedded.broker import EmbeddedBroker

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]

LANE = """([store, state]) => [...document.querySelectorAll('article h3')]
  .find(one => one.textContent.startsWith(store)).textContent.includes(state)"""
"""Whether the lane of a store has a state."""
PATIENCE_MS = 45_000


@pytest_asyncio.fixture(loop_scope="session")
async def gated(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world whose CRM the worker reaches through a gate."""
    folder = tmp_path_factory.mktemp("gated")
    with EmbeddedBroker(folder / "broker") as broker:
        async with open_world(
            bootstrap=broker.bootstrap,
            server=postgresql,
            folder=folder,
            kafka=False,
            gates=("crm",),
        ) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="session")
async def watched(gated: World) -> AsyncIterator[Served]:
    """The page of that world."""
    async with open_page(gated) as page:
        yield page


async def test_a_store_goes_away_and_comes_back(
    chromium: Browser, gated: World, watched: Served
) -> None:
    """Its lane says that, why and what happens next; others are served, and then it is again."""
    person = Person()
    await gated.stores.add(person)
    request = erasure(person)
    async with open_looker(chromium, watched) as looker:
        await looker.page.evaluate("window.same = true")
        with gated.worker() as worker:
            for store in ("crm", "billing", "newsletter"):
                await looker.page.wait_for_function(
                    LANE, arg=[store, "serving"], timeout=PATIENCE_MS
                )
            await gated.gates["crm"].shut()
            await gated.publish(request)
            await looker.page.wait_for_function(LANE, arg=["crm", "away"], timeout=PATIENCE_MS)
            lane = await looker.page.locator("article", has_text="crm").first.inner_text()
            for words in (
                "Last error: it does not answer",
                "it is tried again by itself and served when it is back",
                "Other stores go on",
                "Tried again at",
                "See that the store runs",
            ):
                assert words in lane
            for store in ("billing", "newsletter"):
                assert await looker.page.evaluate(LANE, [store, "serving"])
            await gated.gates["crm"].open()
            await looker.page.wait_for_function(LANE, arg=["crm", "serving"], timeout=PATIENCE_MS)
            await gated.until_told(request)
            assert await worker.stop() == 0
        assert await looker.page.evaluate("window.same")
        assert looker.said == []
