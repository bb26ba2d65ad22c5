"""The page as people see it who use different languages, colours, windows and senses."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.browser.conftest import open_looker
from tests.support.driving import accept, settle
from tests.support.nordlys import Person, customer, erasure, today, withdrawal
from tests.support.page import Page as Served
from tests.support.world import World, id_of
from worker import hold, retention_operate
from worker.context import Context
from worker.ledger import brakes, commands, store_states
from worker.ledger.batches import Lane
from worker.ledger.store_states import StoreState

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
PATHS: tuple[str, ...] = (
    "/",
    "/cases",
    "/cases?state=held",
    "/cases?state=open",
    "/dead-letters",
    "/holds",
)
PATHS += ("/sweeps", "/actions", "/search", "/hold", "/stores/crm/pause", "/nothing")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def story(village: World, served: Served) -> AsyncIterator[dict[str, Any]]:
    """Everything that can be shown has happened; one store is away, another asks."""
    context = served.context
    person, second, third = Person(), customer(), customer()
    await village.stores.add(person, second, third)
    event = erasure(person, event_id=HOSTILE, source=HOSTILE)
    await accept(context, event)
    await settle(context)
    await accept(context, withdrawal(second), erasure(second))
    async with context.ledger.begin() as connection:
        letter = (await commands.listed(connection, state="open"))[0]
        await commands.bury(connection, letter.id, HOSTILE, rolled_back=False)
        asks = {"would": 1900, "of": 20_000, "limit": 1000, "usual": 12}
        await brakes.note(connection, "billing", asks, context.now())
    await hold.place_on_subject(
        context,
        {"customer_id": third.customer_no},
        by=HOSTILE,
        reason=HOSTILE,
        review_on=today() + timedelta(days=9),
    )
    await accept(context, withdrawal(third))
    await retention_operate.run(context, "crm")
    await away(context, "newsletter")
    served.site.reading.forget()
    yield event


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def paths(village: World, served: Served, story: dict[str, Any]) -> tuple[str, ...]:
    """Every page, with a case, and with the form for one that waits for somebody."""
    twins = Person(), Person()
    await village.stores.add(*twins)
    await village.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{twins[0].email}'"
        f" WHERE customer_no = '{twins[1].customer_no}'",
    )
    event = erasure(twins[0])
    await accept(served.context, event)
    return (*PATHS, f"/cases/{id_of(story)}", f"/cases/{id_of(event)}/resume")


async def away(context: Context, store: str) -> None:
    """Let a worker say that a store is away, and that it serves the others."""
    now = context.now()
    states = [
        StoreState(
            name,
            lane,
            "tests:1",
            "away" if name == store else "serving",
            "no-answer" if name == store else None,
            "start it again" if name == store else None,
            now - timedelta(minutes=7),
            now + timedelta(seconds=20) if name == store else None,
            now + timedelta(minutes=9),
        )
        for name in context.connectors
        for lane in Lane
    ]
    async with context.ledger.begin() as connection:
        await store_states.write(connection, "tests:1", states)


@pytest.mark.parametrize(
    ("locale", "colours"), list(itertools.product(("en-GB", "nb-NO"), ("light", "dark")))
)
async def test_axe_finds_nothing(
    chromium: Browser,
    served: Served,
    paths: tuple[str, ...],
    screenshots: Path,
    locale: str,
    colours: str,
) -> None:
    """No page has a fault that axe knows, in either language and either colours."""
    options: dict[str, Any] = {"locale": locale, "color_scheme": colours}
    async with open_looker(chromium, served, **options) as looker:
        for path in paths:
            await looker.open(path)
            found = (await Axe().run(looker.page)).response["violations"]
            told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
            assert told == [], path
            name = path.strip("/").replace("/", "-").replace("?", "-").partition("-%")[0][:30]
            picture = screenshots / f"{name or 'overview'}-{locale[:2]}-{colours}.png"
            await looker.page.screenshot(path=picture, full_page=True)


async def test_axe_finds_nothing_before_somebody_signs_in(
    chromium: Browser, served: Served
) -> None:
    """The form that signs in has no fault that axe knows."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(str(served.url))
    assert (await Axe().run(page)).response["violations"] == []
    await context.close()


@pytest.mark.parametrize("width", [320, 768, 3840])
async def test_every_width(
    chromium: Browser, served: Served, paths: tuple[str, ...], screenshots: Path, width: int
) -> None:
    """From a small telephone to a wall, nothing must be scrolled sideways."""
    async with open_looker(chromium, served, viewport={"width": width, "height": 900}) as looker:
        for path in paths:
            await looker.open(path)
            assert await looker.too_wide() <= 0, path
        await looker.open("/")
        await looker.page.screenshot(path=screenshots / f"overview-{width}.png", full_page=True)


async def test_nothing_hostile_runs(
    chromium: Browser, served: Served, story: dict[str, Any]
) -> None:
    """Names, ids and reasons written as scripts are text, and the browser finds no fault."""
    async with open_looker(chromium, served) as looker:
        for path in (*PATHS[:-1], f"/cases/{id_of(story)}"):
            await looker.open(path)
            assert await looker.page.locator("main img, main script").count() == 0
        assert looker.said == []


async def test_a_dead_store_is_told_with_what_to_do(
    chromium: Browser, served: Served, story: dict[str, Any]
) -> None:
    """A store that is away says so, why, since when it is tried again, and what to do."""
    async with open_looker(chromium, served) as looker:
        await looker.open("/")
        lane = await looker.page.locator("article", has_text="newsletter").inner_text()
    for words in ("away", "it does not answer", "start it again", "Tried again at", "What to do"):
        assert words in lane
    async with open_looker(chromium, served, locale="nb-NO") as looker:
        assert "det svarer ikke" in await looker.text()


async def test_it_changes_without_being_loaded_again(
    chromium: Browser, served: Served, village: World, story: dict[str, Any]
) -> None:
    """A case that comes is counted on a page that somebody just looks at."""
    async with open_looker(chromium, served) as looker:
        count = looker.page.locator('a[href="/cases?state=open"]')
        before = int(await count.first.inner_text())
        await looker.page.evaluate("window.same = true")
        people = [customer(), customer()]
        await village.stores.add(*people)
        await accept(served.context, *map(withdrawal, people))
        await looker.page.wait_for_function(
            "n => document.querySelector('a[href=\"/cases?state=open\"]').textContent == n",
            arg=str(before + 2),
        )
        assert await looker.page.evaluate("window.same")


async def test_without_script_it_is_read_and_used(
    chromium: Browser, served: Served, story: dict[str, Any]
) -> None:
    """With JavaScript off everything stands there, and a store is paused and goes on."""
    async with open_looker(chromium, served, java_script_enabled=False) as looker:
        assert "The promise is in danger" in await looker.text()
        for deed, said in (("pause", "crm is being paused"), ("resume", "crm goes on")):
            await looker.open(f"/stores/crm/{deed}")
            await looker.page.fill("#reason", "work on its disk")
            await looker.page.check('input[name="sure"]')
            await looker.page.click("main button")
            assert said in await looker.text()


async def test_the_keyboard_is_enough(
    chromium: Browser, served: Served, story: dict[str, Any]
) -> None:
    """Tab reaches the way past the head, every page and every form; Enter follows it."""
    async with open_looker(chromium, served) as looker:
        await looker.open("/search")
        keyboard = looker.page.keyboard
        await keyboard.press("Tab")
        assert await _focus(looker.page) == "#main"
        await keyboard.press("Enter")
        await keyboard.press("Tab")
        assert await looker.page.evaluate("document.activeElement.id") == "id"
        await keyboard.type(HOSTILE)
        await keyboard.press("Enter")
        await looker.page.wait_for_url(f"**/cases/{id_of(story)}")
        outline = await looker.page.evaluate(
            "() => { const a = document.querySelector('header a'); a.focus({focusVisible: true});"
            " return getComputedStyle(a).outlineStyle }"
        )
        assert outline == "solid"


async def _focus(page: Any) -> str:
    """Where the link that has the focus leads."""
    where: str = await page.evaluate("document.activeElement.getAttribute('href')")
    return where
