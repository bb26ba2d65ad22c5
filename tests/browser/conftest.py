"""A Chromium, a page to look at, and a place for screenshots."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.page import TOKENS, open_page
from tests.support.page import Page as Served
from tests.support.world import World
from worker.embedded.broker import EmbeddedBroker
from worker.web_settings import Role

SCREENSHOTS = "ERASURE_SCREENSHOTS"
"""Names a directory where screenshots stay; ``.ci/run`` sets it."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Give the system's own Chromium."""
    path = shutil.which("chromium")
    assert path is not None
    async with async_playwright() as playwright:
        # Containers have no user namespaces for its sandbox; it looks at our own page alone.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def village(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world in which nobody works by themselves."""
    folder = tmp_path_factory.mktemp("village")
    with EmbeddedBroker(folder / "broker") as broker:
        async with open_world(
            bootstrap=broker.bootstrap, server=postgresql, folder=folder, kafka=False
        ) as made:
            made.may_erase(10_000)
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(village: World) -> AsyncIterator[Served]:
    """The page of that world."""
    async with open_page(village) as page:
        yield page


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    named = os.environ.get(SCREENSHOTS)
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(slots=True)
class Looker:
    """Somebody with a browser window; ``said`` is what the browser complained of."""

    served: Served
    page: Page
    said: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Open a page of ours and wait until it is there."""
        await self.page.goto(self.served.origin + path)

    async def text(self) -> str:
        """What can be read in the main part."""
        return await self.page.locator("main").inner_text()

    async def too_wide(self) -> int:
        """Pixels that the page is wider than the window."""
        wide: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide


@asynccontextmanager
async def open_looker(
    chromium: Browser,
    served: Served,
    role: Role = Role.APPROVER,
    *,
    token: str | None = None,
    **options: Any,
) -> AsyncIterator[Looker]:
    """Open a window of somebody who is signed in; ``options`` are those of the browser.

    ``token`` is theirs, where it is none of those that are named like a role.
    """
    context = await chromium.new_context(**{"locale": "en-GB", **options})
    page = await context.new_page()
    looker = Looker(served, page)
    await looker.open("/")
    await page.fill("#token", token or TOKENS[role])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("header.top")
    # Only now: the answer 401 to who is not signed in is told there as well.
    page.on("console", lambda message: looker.said.append(message.text))
    page.on("pageerror", lambda error: looker.said.append(str(error)))
    page.on("dialog", lambda dialog: looker.said.append(dialog.message))
    yield looker
    await context.close()
