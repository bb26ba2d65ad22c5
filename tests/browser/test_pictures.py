"""The pictures of the README; with ERASURE_SCREENSHOTS=docs/pictures they are made again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.conftest import open_looker
from tests.support.evening import evening
from tests.support.page import Page as Served
from tests.support.page import open_page
from tests.support.world import World
from worker.web_settings import new_token

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]

SCALE = 0.7
LIMIT = 150_000
"""Bytes of a picture: a README is read on telephones too."""
KARI = new_token()
"""A token of somebody with a name."""


@pytest_asyncio.fixture(loop_scope="session")
async def named(village: World) -> AsyncIterator[Served]:
    """The page of the village, for Kari."""
    place = "ERASURE_WEB__TOKENS__KARI"
    async with open_page(
        village, **{f"{place}__ROLE": "approver", f"{place}__SHA256": KARI[1]}
    ) as page:
        yield page


async def test_the_pictures(
    chromium: Browser, named: Served, village: World, screenshots: Path
) -> None:
    """Overview, light and English, dark and Norwegian, and a case: made anew, and small."""
    case = await evening(village, named.context)
    pictures: tuple[tuple[str, str, str, str, int], ...] = (
        ("page-overview", "/", "en-GB", "light", 1160),
        ("page-overview-norwegian", "/", "nb-NO", "dark", 1160),
        ("page-case", f"/cases/{case}", "en-GB", "light", 1260),
    )
    for name, path, locale, colours, height in pictures:
        async with open_looker(
            chromium,
            named,
            token=KARI[0],
            locale=locale,
            color_scheme=colours,
            viewport={"width": 1440, "height": height},
            device_scale_factor=SCALE,
        ) as looker:
            await looker.open(path)
            assert await looker.too_wide() <= 0
            file = screenshots / f"{name}.png"
            await looker.page.screenshot(path=file)
            assert 20_000 < file.stat().st_size < LIMIT, name
