"""Who reads Norwegian is told everything in Norwegian, whatever stands in the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from tests.support.english import english as found_english
from tests.support.english import shown
from tests.support.every_state import FAULTS, SAID, fill, look_away
from tests.support.page import Browser, Page, open_browser
from worker import stores_operate
from worker.observe.web.deeds import DEEDS
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS: tuple[str, ...] = (
    "/",
    "/search",
    "/holds",
    "/sweeps",
    "/actions",
    "/dead-letters",
    "/nothing",
)
PATHS += tuple(f"/cases?state={state}" for state in ("parked", "held", "open"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cases(page: Page) -> list[UUID]:
    """Everything that can be shown."""
    return await fill(page.context)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(page: Page) -> AsyncIterator[Browser]:
    """Somebody who may everything and reads Norwegian."""
    async with open_browser(page, Role.APPROVER) as opened:
        opened.client.headers["Accept-Language"] = "nb-NO,nb;q=0.9,en;q=0.8"
        yield opened


def english(page: str) -> list[str]:
    """What is English on a page, but for the name of whoever is signed in."""
    return [text for text in found_english(page) if text != Role.APPROVER]


async def read(browser: Browser, path: str) -> str:
    """Open a page, and see that nothing on it is English."""
    text = (await browser.get(path)).text
    assert '<html lang="nb"' in text
    assert english(text) == [], path
    return text


async def test_every_page(page: Page, browser: Browser, cases: list[UUID]) -> None:
    """Every list, every state, every reason, every fault, and the story of every case."""
    texts = {path: await read(browser, path) for path in (*PATHS, *(f"/cases/{c}" for c in cases))}
    assert SAID in texts["/actions"]
    assert "en utløser i systemet avviste det (P0001)" in texts["/dead-letters"]
    assert "5y etter regnskapsårets slutt" in texts[f"/cases/{cases[5]}"]


async def test_every_fault_and_state_of_a_store(
    page: Page, browser: Browser, cases: list[UUID]
) -> None:
    """What is wrong with a store is told in Norwegian; what only its hint knows is marked."""
    for fault in FAULTS:
        await look_away(page.context, fault)
        page.site.reading.forget()
        text = await read(browser, "/")
        assert ("crm.customer has no column fax" in text) is fault.startswith("mapping")
    for do in (stores_operate.drain_store, stores_operate.pause_store):
        await do(page.context, "newsletter", by=SAID, reason=SAID)
        page.site.reading.forget()
        await read(browser, "/")


async def test_every_form_and_what_it_answers(
    page: Page, browser: Browser, cases: list[UUID]
) -> None:
    """The form of every deed, what it says when it is not whole, and when there is nothing."""
    soon = (page.context.day() + timedelta(days=9)).isoformat()
    proof = {"proof": await browser.proof()}
    order = {"by": SAID, "reason": SAID, "sure": "yes", "review": soon}
    for deed in DEEDS:
        for on in (str(cases[1]), "crm", "1", "8888"):
            path = deed.path.replace("{on}", on)
            await read(browser, path)
            for form in ({}, {**order, "by": "a@b"}, {**order, "reason": " "}, order):
                answer = await browser.post(path, {**proof, **form})
                assert english(answer.text) == [], (path, form)
    for kind, value in (("email", "x"), ("phone", "x"), ("customer_id", " "), ("fax", "1")):
        answer = await browser.send("/search", {"kind": kind, "value": value})
        assert english(answer.text) == [], kind


async def test_english_would_be_found(page: Page) -> None:
    """What is looked for is there where somebody reads English."""
    async with open_browser(page, Role.APPROVER) as opened:
        for path in PATHS:
            text = (await opened.get(path)).text
            found = set(english(text))
            ours = [one for one in shown(text) if len(one.split()) > 3 and one in found]
            assert ours, path
