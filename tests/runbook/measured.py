"""What Prometheus would read, and time that passes without anybody waiting for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tests.runbook import words
from tests.support.page import TOKENS, web_settings
from tests.support.world import World
from worker.embedded.child import free_port
from worker.ledger.observing_tables import metadata
from worker.ledger.types import Instant
from worker.observe.exposition import exposition
from worker.observe.overview import look
from worker.web_settings import Role

_NOW = {"leases", "samples", "store_states"}
"""Tables of what is so at this moment: a worker that runs writes them anew, at its own pace."""

_ALWAYS = {"schedules"}
"""Of which no time passes: what was missed would begin sweeps that no test has asked for."""


def open_metrics(world: World) -> None:
    """Have the workers of a world serve ``/metrics``, with a token for Prometheus."""
    world.settings.update(web_settings(ERASURE_WEB__PORT=str(free_port())))


async def scrape(world: World, token: str = TOKENS[Role.VIEWER]) -> str | None:
    """What the worker tells Prometheus; None when nobody answers, or not to this token."""
    url = f"http://127.0.0.1:{world.settings['ERASURE_WEB__PORT']}/metrics"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as client:
        try:
            async with client.get(url, headers=headers) as answer:
                return await answer.text() if answer.status == 200 else None
        except aiohttp.ClientError:
            return None


async def of_ledger(world: World) -> str:
    """What a worker would tell Prometheus of the ledger, where none runs."""
    async with world.context() as context:
        overview = await look(context.ledger, context.policy, context.now())
        return exposition(context, overview).decode()


def number(text: str | None, section: str, name: str, **labels: str) -> float | None:
    """The largest number of a metric that the alarm of a section asks for; None: there is none."""
    assert name in words.expression(section), f"the alarm of {section} does not ask for {name}"
    found = [
        sample.value
        for family in text_string_to_metric_families(text or "")
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return max(found, default=None)


async def pass_time(world: World, time: timedelta) -> None:
    """Make everything that the ledger knows so much older, as if that time had passed.

    Days pass in its dates too, when it is whole days.
    """
    somebody_runs = any(one.ended is None for one in world.workers)
    async with world.ledger.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name in _ALWAYS or (somebody_runs and table.name in _NOW):
                continue
            moved = [
                f'"{column.name}" = "{column.name}" - {_as_sql(column, time)}'
                for column in table.columns
                if isinstance(column.type, Instant)
                or (isinstance(column.type, sa.Date) and time % timedelta(days=1) == timedelta())
            ]
            if moved:
                await connection.execute(sa.text(f'UPDATE "{table.name}" SET {", ".join(moved)}'))


def _as_sql(column: sa.Column[object], time: timedelta) -> str:
    if isinstance(column.type, sa.Date):
        return str(time.days)
    return f"interval '{time.total_seconds()} seconds'"


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    """A worker with all its parts; it goes on for the next test of the module that wants one."""
    if all(one.ended is not None for one in world.workers):
        world.worker()
    yield


async def alone(world: World) -> None:
    """Let no worker run: whoever does stops in good order."""
    for one in world.workers:
        if one.ended is None:
            assert await one.stop() == 0
