"""Bench (n) and (o): what a worker spends on those who look, over a ledger with a bad week in it.

A watcher asks for the live part of the page as the page's script does: every five seconds, with the
tag of what it has. What it costs is CPU time, since the whole path is bound by that: a share of a
core that goes to watchers is gone from the path.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

import aiohttp
import psutil
import sqlalchemy as sa
from ruamel.yaml import YAML

from tests.bench.report import Row
from tests.bench.world import POLICY, World
from tests.support.crowded import crowd
from tests.support.page import TOKENS, Page, serve, web_settings
from worker.bootstrap import open_context
from worker.ledger.batches import Lane
from worker.settings import load
from worker.web_settings import Role

BROWSERS: Final = 50
EVERY_SECONDS: Final = 5.0
STORES: Final = 20
PARKED: Final = 100_000
SCRAPE_BAR_MS: Final = 50.0
WATCHING_BAR: Final = 0.05

_WATCHED_SECONDS: Final = 60.0
"""The pictures of the day are drawn anew once in them."""
_SCRAPES: Final = 30


def measure(world: World) -> list[Row]:
    """Measure both."""
    return asyncio.run(_measure(world))


async def _measure(world: World) -> list[Row]:
    async with _serving(world) as page:
        await crowd(page.context.ledger, PARKED)
        await _a_day(page)
        scrape = await _scrape(page)
        idle = await _spent(world)
        browsers = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.watching", str(page.url)),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
        )
        try:
            assert browsers.stdout is not None
            await browsers.stdout.readline()  # All of them look by now.
            watched = await _spent(world)
        finally:
            browsers.terminate()
            await browsers.communicate()
    share = watched - idle
    return [
        Row(
            (f"(n) CPU of a scrape with {STORES} stores, ms", f"{scrape:.1f}", "", "",
             f"at most {SCRAPE_BAR_MS:g}"),
            scrape <= SCRAPE_BAR_MS,
        ),
        Row(
            (f"(o) {BROWSERS} watching browsers, share of a core, servers included",
             f"{share:.1%}", "", "", f"at most {WATCHING_BAR:.0%}"),
            share <= WATCHING_BAR,
        ),
    ]  # fmt: skip


@asynccontextmanager
async def _serving(world: World) -> AsyncIterator[Page]:
    """The page of a worker of twenty stores that has counted something of everything."""
    policy = world.directory / "twenty.yaml"
    names = _write(policy)
    with patch.dict(os.environ, web_settings()):
        settings = load(
            **world.settings()
            | {"policy": str(policy), "stores": dict.fromkeys(names, world.url("crm"))}
        )
    async with open_context(settings) as context:
        context.metrics.begin(names)
        for name in names:
            for pool in ("people", "sweeps"):
                for kind in ("read", "write"):
                    context.metrics.statement(name, pool, kind, 0.01)
            for lane in Lane:
                context.metrics.command_batch.observe((name, lane.value), (500,))
                context.metrics.command_seconds.observe((name, lane.value), (0.1,))
        async with serve(context, settings) as page:
            yield page


async def _a_day(page: Page) -> None:
    """A day of each store's samples, for the pictures."""
    statement = """
        INSERT INTO samples (at, store, lag, oldest, dead, away)
        SELECT date_trunc('minute', now()) - n * interval '1 minute', store, n % 50, 1.0, 0, 0
        FROM generate_series(1, 1439) AS n, unnest(CAST(:stores AS text[])) AS store
    """
    async with page.context.ledger.begin() as connection:
        await connection.execute(sa.text(statement), {"stores": list(page.context.policy.stores)})


async def _scrape(page: Page) -> float:
    """CPU of this process for a scrape that reads the ledger, in ms; the client's is in it too."""
    spent = []
    headers = {"Authorization": f"Bearer {TOKENS[Role.VIEWER]}"}
    async with aiohttp.ClientSession(headers=headers) as client:
        for _ in range(_SCRAPES):
            page.site.reading.forget()
            begun = time.process_time()
            async with client.get(page.url / "metrics") as answer:
                answer.raise_for_status()
                await answer.read()
            spent.append(1000 * (time.process_time() - begun))
    return median(spent)


async def _spent(world: World) -> float:
    """CPU of this process and of PostgreSQL over a while, in seconds a second."""
    servers = psutil.Process(world.postgres.pid).children(recursive=True)

    def so_far() -> float:
        times = [one.cpu_times() for one in servers if one.is_running()]
        return time.process_time() + sum(one.user + one.system for one in times)

    begun, before = time.perf_counter(), so_far()
    await asyncio.sleep(_WATCHED_SECONDS)
    return (so_far() - before) / (time.perf_counter() - begun)


def _write(policy: Path) -> list[str]:
    """The policy of the bench, its CRM twenty times."""
    yaml = YAML(typ="safe")
    # A parent must stand before its child.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # typed as None alone
    read: dict[str, Any] = yaml.load(POLICY)
    others = len(read["stores"]) - 1
    first = read["stores"].pop("crm")
    for number in range(STORES - others):
        read["stores"][f"crm-{number}"] = deepcopy(first)  # YAML would write it once, else
    yaml.dump(read, policy)
    return list(read["stores"])


async def _watch(url: str) -> None:
    """Look at the page fifty times over, until somebody ends it."""
    looking = 0

    async def look(client: aiohttp.ClientSession, number: int) -> None:
        nonlocal looking
        await asyncio.sleep(EVERY_SECONDS * number / BROWSERS)
        tag = ""
        first = True
        while True:
            asked = {"Accept": "text/html", "If-None-Match": tag}
            async with client.get(f"{url}/now", headers=asked) as answer:
                assert answer.status in {200, 304}, answer.status
                await answer.read()
                tag = answer.headers["ETag"]
            if first:
                looking, first = looking + 1, False
                if looking == BROWSERS:
                    sys.stdout.write("looking\n")
                    sys.stdout.flush()
            await asyncio.sleep(EVERY_SECONDS)

    token = {"Authorization": f"Bearer {TOKENS[Role.VIEWER]}"}
    async with aiohttp.ClientSession(headers=token) as client, asyncio.TaskGroup() as group:
        for number in range(BROWSERS):
            group.create_task(look(client, number))


if __name__ == "__main__":
    asyncio.run(_watch(sys.argv[1].rstrip("/")))
