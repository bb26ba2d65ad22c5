"""Serving the page from the worker's own process, and giving way to everything else it does.

One worker of a machine has the port; another takes it when that one ends. A page that cannot be
opened stops no erasure.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import structlog
from aiohttp import web

from worker.context import Context
from worker.observe.web import guard, limits
from worker.observe.web.access import Access, session_key
from worker.observe.web.limits import Tries
from worker.observe.web.look import Look
from worker.observe.web.parts import ROUTES, SITE, Route, Site
from worker.observe.web.reading import Reading
from worker.observe.web.routes import routes
from worker.settings import Settings, key_bytes
from worker.waiting import stopped_within

AGAIN_SECONDS: Final = 5.0
"""How often a port that somebody else has is tried again."""
SWEEP_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 60.0
LEAVE_SECONDS: Final = 2.0
"""How long answers that are being made may take when the worker stops."""

log = structlog.get_logger(__name__)
_QUIET: Final = logging.getLogger("worker.observe.web.http")
# It quotes what was sent, which may hold anything.
_QUIET.setLevel(logging.CRITICAL + 1)


async def serve(context: Context, settings: Settings, stop: asyncio.Event) -> None:
    """Serve the page until ``stop`` is set; ``settings.web.port`` is not 0."""
    site = site_of(context, settings)
    runner = runner_of(site)
    await runner.setup()
    try:
        if not await _listen(runner, settings.web.host, settings.web.port, stop):
            return
        log.info("page", host=settings.web.host, port=settings.web.port)
        while not await stopped_within(stop, SWEEP_SECONDS):
            if runner.server is not None:
                site.patience.close_slow(runner.server.connections)
    finally:
        await runner.cleanup()


def site_of(context: Context, settings: Settings) -> Site:
    """Put the parts of the page together."""
    clock = asyncio.get_running_loop().time
    return Site(
        context=context,
        settings=settings.web,
        access=Access(settings.web, session_key(key_bytes(settings.pseudonym_key)), context.now),
        tries=Tries(clock),
        patience=limits.Patience(clock),
        look=Look(context.policy.time_zone),
        reading=Reading(context, clock),
    )


def runner_of(site: Site) -> web.AppRunner:
    """What serves the page, within limits; it logs no request."""
    return web.AppRunner(
        application(site),
        access_log=None,
        logger=_QUIET,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=LEAVE_SECONDS,
        shutdown_timeout=LEAVE_SECONDS,
    )


def application(site: Site) -> web.Application:
    """The page as aiohttp serves it. The guard answers; routes only say what a path stands for."""
    app = web.Application(middlewares=[guard.guard], client_max_size=limits.BODY_BYTES)
    app.on_response_prepare.append(guard.add_headers)
    app.on_cleanup.append(_leave)
    app[SITE] = site
    known: dict[tuple[str, str], Route] = {}
    for route in routes():
        known[route.method, route.path] = route
        app.router.add_route(route.method, route.path, _never)
    app[ROUTES] = known
    return app


async def _listen(runner: web.AppRunner, host: str, port: int, stop: asyncio.Event) -> bool:
    """Take the port, now or when it becomes free. False: told to stop before."""
    told = False
    while not stop.is_set():
        site = web.TCPSite(runner, host, port, backlog=64)
        try:
            await site.start()
        except OSError as fault:
            await site.stop()
            if not told:
                log.warning("page-waits", host=host, port=port, fault=type(fault).__name__)
                told = True
            await stopped_within(stop, AGAIN_SECONDS)
        else:
            return True
    return False


async def _leave(app: web.Application) -> None:
    await app[SITE].reading.close()


async def _never(_: web.Request) -> web.StreamResponse:
    raise AssertionError("the guard answers")
