"""The page as a part of the running worker."""

from __future__ import annotations

import aiohttp

from tests.support.world import World
from worker.embedded.child import free_port


async def livez(port: int) -> int | None:
    """What ``/livez`` at a port says; None where nobody listens."""
    async with aiohttp.ClientSession() as client:
        try:
            async with client.get(f"http://127.0.0.1:{port}/livez") as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return None


async def test_one_worker_of_a_machine_has_the_page_and_another_takes_over(world: World) -> None:
    """A port that is taken stops no worker; when the first ends, the second serves the page."""
    port = free_port()
    world.settings["ERASURE_WEB__PORT"] = str(port)

    async def answers() -> bool:
        return await livez(port) == 200

    first = world.worker(only="crm")
    await world.until(answers, "the page answers")
    world.worker(only="billing")
    await world.until_log("page-waits")
    assert await first.stop() == 0
    await world.until(answers, "the page answers again")
