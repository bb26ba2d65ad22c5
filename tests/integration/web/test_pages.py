"""What the pages show, of a world in which everything has happened that can be shown."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.support.driving import accept, settle
from tests.support.nordlys import Person, customer, erasure, today, withdrawal
from tests.support.page import Page, open_browser
from tests.support.world import World, id_of
from worker import hold, retention_operate
from worker.core.deadline import working_days_left
from worker.core.lifecycle import CaseState
from worker.ledger import commands, paging
from worker.observe.history import sample
from worker.observe.web.case import FOUND
from worker.observe.web.telling import words_of
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


@dataclass(frozen=True, slots=True)
class Told:
    """What happened."""

    closed: dict[str, Any]
    person: Person
    dead: int
    hold: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(village: World, page: Page) -> AsyncIterator[Told]:
    """A closed case, a dead letter, a held person and a sweep."""
    person, second, third = Person(), customer(), customer()
    await village.stores.add(person, second, third)
    closed = erasure(person, event_id=HOSTILE, source=HOSTILE)
    context = page.context
    await accept(context, closed)
    await settle(context)
    await accept(context, withdrawal(second))
    async with context.ledger.begin() as connection:
        letter = (await commands.listed(connection, state="open"))[0]
        await commands.bury(connection, letter.id, HOSTILE, rolled_back=False)
    placed = await hold.place_on_subject(
        context,
        {"customer_id": third.customer_no},
        by=HOSTILE,
        reason=HOSTILE,
        review_on=today() + timedelta(days=9),
    )
    await accept(context, withdrawal(third))
    await retention_operate.run(context, "crm")
    page.site.reading.forget()
    yield Told(closed, person, letter.id, placed.hold)


PATHS = ["/", "/now", "/cases", "/cases?state=held", "/cases?state=open", "/dead-letters", "/holds"]
PATHS += ["/sweeps", "/actions", "/search", "/hold"]


@pytest.mark.parametrize("language", ["en", "nb"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_page_shows_what_happened_and_runs_nothing_of_it(
    page: Page, told: Told, path: str, language: str
) -> None:
    """Every page opens in both languages, and no text from outside becomes a part of it."""
    async with open_browser(page, Role.APPROVER) as browser:
        answer = await browser.get(path, **{"Accept-Language": language})
    assert answer.status == 200
    assert "<script>" not in answer.text
    assert "49" not in re.sub(r"[0-9a-f-]{36}|value=\"[^\"]*\"", "", answer.text)
    if path != "/now":
        assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("language", ["en", "nb"])
async def test_no_promise_is_called_kept_while_something_waits_for_a_person(
    page: Page, told: Told, language: str
) -> None:
    """What ``erasure status`` tells, the first page tells too: a dead letter, nobody at work."""
    t = words_of(language)
    async with open_browser(page, Role.VIEWER) as browser:
        text = (await browser.get("/", **{"Accept-Language": language})).text
    assert t("promise.broken") in text
    assert t("promise.kept") not in text
    stores = page.context.policy.stores
    assert [t("wrong.dead-letters", store=one) in text for one in stores].count(True) == 1
    assert t("wrong.no-worker") in text
    assert "<code>erasure dead-letters list</code>" in text


@pytest.mark.parametrize("language", ["en", "nb"])
async def test_the_page_of_a_case_tells_its_story(page: Page, told: Told, language: str) -> None:
    """Timeline, outcomes of every store and the event stand there, escaped."""
    async with open_browser(page, Role.VIEWER) as browser:
        answer = await browser.get(f"/cases/{id_of(told.closed)}", **{"Accept-Language": language})
    assert answer.status == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    for word in ("crm", "billing", "newsletter", "subscriber.email+name"):
        assert word in answer.text
    assert ("slettet" if language == "nb" else "erased") in answer.text


async def test_each_standing_case_says_what_is_left_of_its_deadline(page: Page, told: Told) -> None:
    """In working days, on its page and in the list; a closed one has nothing left to be late."""
    context = page.context
    async with context.ledger.begin() as connection:
        (standing,) = await paging.standing_cases(connection, CaseState.HELD, 1, None)
    left = working_days_left(context.day(), standing.due_on, context.policy.country)
    assert left > 1
    async with open_browser(page, Role.VIEWER) as browser:
        for path in (f"/cases/{standing.id}", "/cases?state=held"):
            text = (await browser.get(path)).text
            assert re.search(rf"{standing.due_on} <span[^>]*>{left} working days left<", text), path
        assert "working day" not in (await browser.get(f"/cases/{id_of(told.closed)}")).text


async def test_a_search_finds_a_case_by_an_identifier_that_is_kept_nowhere(
    page: Page, told: Told
) -> None:
    """An e-mail address leads to the case, and stands in no address that the page gives."""
    async with open_browser(page, Role.VIEWER) as browser:
        answer = await browser.send("/search", {"kind": "email", "value": told.person.email})
    assert answer.status == 303
    assert answer.headers["Location"] == f"/cases/{id_of(told.closed)}"


async def test_a_search_by_event_and_by_case(page: Page, told: Told) -> None:
    """The id of a case, and that of an event with or without its source, lead to the case."""
    where = f"/cases/{id_of(told.closed)}"
    async with open_browser(page, Role.VIEWER) as browser:
        for form in (
            {"id": str(id_of(told.closed))},
            {"id": HOSTILE},
            {"id": HOSTILE, "source": HOSTILE},
        ):
            answer = await browser.send("/search", form)
            assert (answer.status, answer.headers.get("Location")) == (303, where)
        nothing = await browser.send("/search", {"id": "nothing of ours"})
        assert nothing.status == 200
        assert "Cases found: 0" in nothing.text


async def test_a_search_for_what_is_no_identifier(page: Page, told: Told) -> None:
    """A value that is no e-mail address is refused in words that do not repeat it."""
    async with open_browser(page, Role.VIEWER) as browser:
        answer = await browser.send("/search", {"kind": "email", "value": "z-no-address-z"})
        assert answer.status == 409
        assert "z-no-address-z" not in answer.text
        assert (await browser.send("/search", {"kind": "fax", "value": "1"})).status == 409
        mixed_up = await browser.send("/search", {"kind": "z-kari-z@example.no", "value": "email"})
        assert mixed_up.status == 409
        assert "z-kari-z" not in mixed_up.text


async def test_a_list_is_read_in_pages(page: Page, told: Told, village: World) -> None:
    """Every case that stands is shown on exactly one page of its list, the nearest first."""
    people = [customer() for _ in range(FOUND + 20)]
    await village.stores.add(*people)
    await accept(page.context, *[withdrawal(one) for one in people])
    (open_cases,) = await village.fetch(sa.text("SELECT count(*) FROM cases WHERE state = 'open'"))
    seen: list[str] = []
    async with open_browser(page, Role.VIEWER) as browser:
        path: str | None = "/cases?state=open"
        while path is not None:
            answer = await browser.get(path)
            seen += re.findall(r'<th scope="row"><a href="/cases/([0-9a-f-]{36})"', answer.text)
            following = re.search(r'rel="next" href="([^"]+)"', answer.text)
            path = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == open_cases[0]


@pytest.mark.parametrize("after", ["x", "2026-01-01", "2026-01-01_x", "9" * 40, "-1", "%C2%B2"])
async def test_a_page_that_nobody_gave_out_is_the_first(page: Page, told: Told, after: str) -> None:
    """A mark that was made up shows the beginning of a list, and breaks nothing."""
    async with open_browser(page, Role.VIEWER) as browser:
        for path in ("/cases?state=open&after=", "/dead-letters?after="):
            assert (await browser.get(f"{path}{after}")).status == 200


async def test_what_changes_is_sent_once(page: Page, told: Told) -> None:
    """A browser that has the newest part gets no second one."""
    async with open_browser(page, Role.VIEWER) as browser:
        first = await browser.get("/now")
        again = await browser.get("/now", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_preferences_are_kept(page: Page) -> None:
    """Language and colours that somebody chooses stay, and nothing else is taken."""
    async with open_browser(page, Role.VIEWER) as browser:
        chosen = await browser.send(
            "/preferences", {"language": "nb", "theme": "dark", "back": "/holds"}
        )
        assert (chosen.status, chosen.headers["Location"]) == (303, "/holds")
        assert '<html lang="nb" data-theme="dark">' in (await browser.get("/")).text
        await browser.send("/preferences", {"language": "xx", "theme": '"><x', "back": "//evil"})
        assert '<html lang="nb" data-theme="dark">' in (await browser.get("/")).text


async def test_the_first_page_draws_each_stores_last_day(page: Page, told: Told) -> None:
    """As a picture, and in words for whoever does not see it; the live part has it as well."""
    assert told.dead
    await sample(page.context)
    page.site.reading.forget()
    async with open_browser(page, Role.VIEWER) as browser:
        for path in ("/", "/now"):
            text = (await browser.get(path, **{"Accept-Language": "nb"})).text
            stores = len(page.context.policy.stores)
            assert text.count('<polyline class="line" points="') == stores
            assert text.count("Siste døgn: på det meste") == stores
