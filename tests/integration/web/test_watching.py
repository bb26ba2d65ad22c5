"""Many who watch at once: the ledger is read once for all of them, and also fails once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession

from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.page import HTML, TOKENS, Page, open_page
from worker.ledger.database import Ledger
from worker.observe.web import reading
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSERS, SCRAPES = 50, 5


@contextmanager
def reads_of(ledger: Ledger) -> Iterator[Counter[str]]:
    """Count transactions, and by table the statements that SQLAlchemy sees."""
    found: Counter[str] = Counter()

    def line(*_: Any) -> None:
        found["transactions"] += 1

    def statement(_: Any, __: Any, text: str, *___: Any) -> None:
        found.update(re.findall(r"FROM (\w+)", text)[:1])

    engine = ledger.engine.sync_engine
    sa.event.listen(engine.pool, "checkout", line)
    sa.event.listen(engine, "before_cursor_execute", statement)
    try:
        yield found
    finally:
        sa.event.remove(engine.pool, "checkout", line)
        sa.event.remove(engine, "before_cursor_execute", statement)


async def ask(client: ClientSession, page: Page, path: str) -> tuple[int, str]:
    """One answer."""
    async with client.get(page.url.with_path(path), headers=HTML) as answer:
        return answer.status, await answer.text()


@asynccontextmanager
async def watchers(page: Page) -> AsyncIterator[list[asyncio.Task[tuple[int, str]]]]:
    """Fifty browsers and some Prometheuses that ask at the same time."""
    bearer = {"Authorization": f"Bearer {TOKENS[Role.VIEWER]}"}
    async with ClientSession(headers=bearer) as client, asyncio.TaskGroup() as group:
        yield [
            group.create_task(ask(client, page, path))
            for path in ["/now"] * BROWSERS + ["/metrics"] * SCRAPES
        ]


async def test_fifty_browsers_and_prometheus_cause_one_reading(page: Page) -> None:
    """Two transactions, one of them of the day's pictures; no statement is asked twice."""
    for _ in range(2):
        page.site.reading.forget()
        with reads_of(page.context.ledger) as asked:
            async with watchers(page) as answers:
                told = await asyncio.gather(*answers)
            async with watchers(page) as answers:
                told += await asyncio.gather(*answers)
        assert [status for status, _ in told] == [200] * 2 * (BROWSERS + SCRAPES)
        assert len({text for _, text in told[:BROWSERS]}) == 1
        assert asked.pop("transactions") == 2
        assert asked["brakes"] == asked["batches"] == asked["obligations"] == 1


async def test_a_ledger_that_says_nothing_is_waited_for_once(
    module_broker: str, postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its line and is silent: all hear so within one patience, and of its return."""
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.5)
    async with (
        open_world(
            bootstrap=module_broker, server=postgresql, folder=tmp_path, gates=["ledger"]
        ) as world,
        open_page(world) as page,
    ):
        async with watchers(page) as answers:
            assert {status for status, _ in await asyncio.gather(*answers)} == {200}
        page.site.reading.forget()
        gate = world.gates["ledger"]
        gate.silence()
        with reads_of(page.context.ledger) as asked:
            async with watchers(page) as answers:
                told = await asyncio.gather(*answers)
        assert {status for status, _ in told[:BROWSERS]} == {503}
        for status, text in told[BROWSERS:]:
            assert status == 200
            assert "erasure_ledger_reachable 0.0" in text
        assert asked["transactions"] == 2
        await gate.open()

        async def back() -> bool:
            async with watchers(page) as answers:
                return {status for status, _ in await asyncio.gather(*answers)} == {200}

        await world.until(back, "the page shows the ledger again")
