"""The page of ``erasure demo --dashboard``, watched in a browser while the story is told."""

from __future__ import annotations

import asyncio
import signal

import pytest
from playwright.async_api import Browser, Page

from tests.support.demo import Demo, nothing_left, short_directory

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]

NOW = """([state, waits]) => {
  const count = document.querySelector('a[href="/cases?state=open"]').textContent;
  const lane = [...document.querySelectorAll('article h3')]
    .find(one => one.textContent.includes('newsletter'));
  return lane.textContent.includes(state) && (Number(count.replace(/\\D/g, '')) > 0) === waits;
}"""
"""Whether the page says this of the newsletter, and whether cases wait."""
PATIENCE_MS = 60_000


async def do(page: Page, path: str) -> None:
    """Do something on a page of its own, as an operator does in another tab."""
    other = await page.context.new_page()
    await other.goto(path)
    await other.fill("#reason", "shown to somebody")
    await other.check('input[name="sure"]')
    await other.click("main button")
    await other.wait_for_selector("p[role=status]")
    await other.close()


async def test_the_story_is_watched(chromium: Browser) -> None:
    """Numbers move without a reload: a store that rests lets cases wait, and then they close."""
    with short_directory() as directory, Demo(directory, "--dashboard") as demo:
        await asyncio.to_thread(demo.wait_for, "sign in there with this token: erasure_")
        url, token = demo.page
        context = await chromium.new_context(base_url=url, locale="en-GB")
        page = await context.new_page()
        await page.goto("/")
        await page.fill("#token", token)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("header.top")
        await page.evaluate("window.same = true")

        await do(page, "/stores/newsletter/pause")
        await page.wait_for_function(NOW, arg=["paused", True], timeout=PATIENCE_MS)
        other = await context.new_page()
        await other.goto("/cases?state=open")
        case = await other.locator("tbody th a").first.get_attribute("href")
        assert case is not None
        await other.goto(case)
        assert "newsletter" in await other.locator("main dl").first.inner_text()

        await do(page, "/stores/newsletter/resume")
        await page.wait_for_function(NOW, arg=["serving", False], timeout=PATIENCE_MS)
        await other.goto(case)
        assert await other.locator("main .tag").first.inner_text() == "closed"
        assert await page.evaluate("window.same")
        await context.close()
        demo.send(signal.SIGINT)
        await asyncio.to_thread(demo.end)
        assert nothing_left(demo)
