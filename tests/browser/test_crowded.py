"""The page when 100,000 cases are parked and 100,000 letters are dead."""

from __future__ import annotations

from time import perf_counter

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import open_looker
from tests.support.crowded import crowd
from tests.support.page import Page as Served

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]

ROWS = 100_000
BUDGET = 4.0
"""How much longer the first paint may take than on the same pages of an empty ledger."""
PATHS = ("/", "/cases", "/dead-letters")
TIMES = 7


async def first_paint(chromium: Browser, served: Served, path: str) -> float:
    """Milliseconds until something is seen, when nothing else keeps the machine busy."""
    found = []
    async with open_looker(chromium, served) as looker:
        for _ in range(TIMES):
            served.site.reading.forget()
            await looker.open(path)
            await looker.page.wait_for_function(
                # A function: the page's own policy lets no browser evaluate a text again.
                "() => performance.getEntriesByName('first-contentful-paint').length > 0"
            )
            found.append(
                await looker.page.evaluate(
                    "performance.getEntriesByName('first-contentful-paint')[0].startTime"
                )
            )
    return min(found)


async def test_very_many_rows_are_shown_as_fast_as_none(chromium: Browser, served: Served) -> None:
    """The first paint stays within a budget, as a ratio to the same page of an empty ledger."""
    empty = {path: await first_paint(chromium, served, path) for path in PATHS}
    await crowd(served.context.ledger, ROWS)
    full = {path: await first_paint(chromium, served, path) for path in PATHS}
    for path in PATHS:
        print(f"{path}: {empty[path]:.0f} ms empty, {full[path]:.0f} ms full")
        assert full[path] <= BUDGET * empty[path], path
    async with open_looker(chromium, served) as looker:
        for path in ("/cases", "/dead-letters"):
            await looker.open(path)
            first = await looker.page.locator("tbody tr").all_inner_texts()
            began = perf_counter()
            await looker.page.click("a[rel=next]")
            await looker.page.wait_for_load_state()
            print(f"{path}: the next page in {1000 * (perf_counter() - began):.0f} ms")
            second = await looker.page.locator("tbody tr").all_inner_texts()
            assert len(first) == len(second) == 50
            assert not set(first) & set(second)
