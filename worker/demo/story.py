"""``erasure demo``: starts everything, tells the story, shows how to look further, cleans up."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
import traceback
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack

from topics.admin import TopicFailed
from worker.demo import chapters
from worker.demo.company import CompanyFiles, find_company
from worker.demo.crowd import crowd
from worker.demo.dashboard import Dashboard
from worker.demo.ending import look_further, wait_for_ctrl_c
from worker.demo.failing import DemoFailed
from worker.demo.narrate import Narrator
from worker.demo.opening import open_stage
from worker.demo.people import Cast, Person
from worker.demo.retention import retention
from worker.demo.servers import Servers
from worker.demo.stage import Stage
from worker.embedded.child import ServerFailed
from worker.policy_file import PolicyError

FEWEST_PEOPLE = 20
HISTORY = 20_000
"""Customers of twelve years, whom the last chapter sweeps."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TURN_SECONDS = 0.1
_EXPECTED = (DemoFailed, ServerFailed, PolicyError, TopicFailed)


def run_demo(keep: bool = False, people: int = 2000, *, dashboard: bool = False) -> int:
    """Run the demo; returns the exit code: 0, 1 when it failed, 130 after Ctrl-C.

    ``people`` are made up, and half of them ask for something in the last chapter. With ``keep``
    everything goes on running after the story until Ctrl-C, which is then the good end; so it does
    with ``dashboard``, which serves the worker's page and opens it before the story. Whatever
    the end, no process and no file is left; after a failure the log files stay, and it says where.
    """
    # A client that loses its broker at the end has nothing to say that matters.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    page = Dashboard() if dashboard else None
    return asyncio.run(_until_told(Narrator(), keep, max(people, FEWEST_PEOPLE), page))


async def _until_told(narrator: Narrator, keep: bool, people: int, page: Dashboard | None) -> int:
    """The demo as a task that signals cancel: so that whatever was started is stopped again."""
    telling = asyncio.create_task(_demo(narrator, keep or page is not None, people, page))
    told: list[int] = []

    def stop(number: int) -> None:
        if not told:
            narrator.say("Stopping ...")
        told.append(number)
        telling.cancel()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await telling
    except asyncio.CancelledError:
        if not told:
            raise
    except Exception as failure:  # noqa: BLE001 - whatever it was, the user is told what to do
        # Ctrl-C reaches also what a server starts for a moment, and makes it fail; that we were
        # told as well is known a turn of the loop later.
        await asyncio.sleep(_TURN_SECONDS)
        if not told:
            expected = isinstance(failure, _EXPECTED)
            if not expected:
                narrator.error(traceback.format_exc())
            narrator.error(f"The demo failed: {failure if expected else type(failure).__name__}")
            return 1
    else:
        return 0
    narrator.say("Stopped; nothing is left behind.")
    return 128 + told[0]


async def _demo(narrator: Narrator, keep: bool, people: int, page: Dashboard | None) -> None:
    company = find_company()
    narrator.title(
        "Erasure worker: the demo",
        "Nordlys Handel AS, a company that does not exist, keeps personal data in three stores: "
        "a customer system and an accounts system (PostgreSQL) and a newsletter (SQLite). "
        "Upstream systems publish on Kafka what people ask for. The worker decides by the "
        "company's policy what must go and what must stay, has it done, reads every store again "
        "and leaves a receipt. Everything is real but the people.",
    )
    began = time.monotonic()
    with ExitStack() as stack:
        with narrator.waiting("Starting a broker and PostgreSQL"):
            servers = stack.enter_context(Servers())
        try:
            await _play(narrator, company, servers, keep, people, page, began)
        except Exception:
            servers.keep_logs()
            narrator.error(f"What the worker and the servers said: {servers.directory}/*.log")
            raise


async def _play(
    narrator: Narrator,
    company: CompanyFiles,
    servers: Servers,
    keep: bool,
    people: int,
    page: Dashboard | None,
    began: float,
) -> None:
    """The story on running servers."""
    async with AsyncExitStack() as stack:
        with narrator.waiting(f"Making up {people:,} people and starting `erasure run`"):
            stage, cast, others = await stack.enter_async_context(
                open_stage(narrator, company, servers, people, page)
            )
        ready = time.monotonic() - began
        narrator.say(f"{people:,} people are in the stores, and the worker listens ({ready:.0f} s)")
        if page is not None:
            page.show(narrator)
        await _tell(stage, cast, others[: people // 2])
        narrator.say(f"The whole story took {time.monotonic() - began:.0f} s.")
        look_further(narrator, servers, ("erasure", "objection", "late-withdrawal"), keep)
        if keep:
            await wait_for_ctrl_c(stage)


async def _tell(stage: Stage, cast: Cast, others: Sequence[Person]) -> None:
    """The chapters, in order."""
    await chapters.withdrawal(stage, cast.subscriber)
    request = await chapters.erasure(stage, cast.customer)
    await chapters.objection(stage, cast.former)
    await chapters.duplicate(stage, request)
    await chapters.unreadable(stage)
    await chapters.consent_again(stage, cast.subscriber)
    await crowd(stage, others)
    await retention(stage, HISTORY)
