"""What machines ask for: numbers for Prometheus, and whether this worker can work."""

from __future__ import annotations

import orjson
from aiohttp import web

from worker.ledger.database import LedgerAway, LedgerConflict
from worker.observe import probes
from worker.observe.exposition import CONTENT_TYPE, exposition
from worker.observe.web.parts import Ask


async def metrics(ask: Ask) -> web.Response:
    """Every number; without those of the ledger when it does not answer, which is one of them."""
    try:
        found = await ask.site.reading.overview()
    except (LedgerAway, LedgerConflict):
        found = None
    text = exposition(ask.site.context, found)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


async def readyz(ask: Ask) -> web.Response:
    """200 when ledger and broker answer and this worker is in its groups, else 503; and why."""
    return told(await probes.readyz(ask.site.context))


async def startupz(ask: Ask) -> web.Response:
    """200 when every part has begun, else 503."""
    return told(probes.startupz(ask.site.context))


def told(answer: probes.Answer) -> web.Response:
    """A probe's answer as machines read it."""
    ok, details = answer
    body = orjson.dumps({"ok": ok, **details})
    return web.Response(body=body, status=200 if ok else 503, content_type="application/json")
