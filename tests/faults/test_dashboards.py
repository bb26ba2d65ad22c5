"""Each query of deploy/grafana, asked of a real Prometheus that watches a running worker."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.grafana.dashboards import DASHBOARDS, EVERY
from tests.support.alarming import watching
from tests.support.nordlys import Person, customer, erasure, withdrawal
from tests.support.page import TOKENS, web_settings
from tests.support.world import World
from worker.embedded.child import free_port
from worker.web_settings import Role

QUERIES = [
    (f"{title}: {panel.title}", query.replace("$store", EVERY))
    for _, title, rows in DASHBOARDS.values()
    for panels in rows.values()
    for panel in panels
    for query, _ in panel.queries
]


async def test_every_panel_has_something_to_show(world: World, tmp_path: Path) -> None:
    """After people were erased, no query is refused, and none stays without an answer."""
    port = free_port()
    world.settings.update(web_settings(ERASURE_WEB__PORT=str(port)))
    first, second, third = customer(), customer(), Person()
    await world.stores.add(first, second, third)
    with world.worker() as worker:
        async with watching(tmp_path / "watch", port, TOKENS[Role.VIEWER]) as watch:
            for event in (withdrawal(first), withdrawal(second), erasure(third)):
                await world.publish(event)
                await world.until_states(event)
            silent = QUERIES
            async with asyncio.timeout(90):
                while silent:
                    answers = [(await watch.value(query), name, query) for name, query in silent]
                    left = [(name, query) for value, name, query in answers if value is None]
                    if left == silent:
                        await asyncio.sleep(0.5)
                    silent = left
        assert await worker.stop() == 0
