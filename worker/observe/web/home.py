"""The first page, signing out, and the page's own files."""

from __future__ import annotations

from aiohttp import web

from worker.health import troubles
from worker.observe.web import guard
from worker.observe.web.parts import Ask


async def overview(ask: Ask) -> web.Response:
    """Show whether the promise is kept now, and what waits for somebody."""
    context = ask.site.context
    found = await troubles(context.ledger, context.now())
    return ask.show("overview.html", troubles=found)


async def signed_in(_: Ask) -> web.Response:
    """Lead who is signed in already to the first page."""
    return see_other("/")


async def sign_out(_: Ask) -> web.Response:
    """Take the session out of the browser and show the form that signs in."""
    response = see_other("/")
    guard.sign_out(response)
    return response


async def static(ask: Ask) -> web.Response:
    """Give a file that was read when the worker started: no path leads to a disk."""
    found = ask.site.look.statics.get(ask.part["name"])
    if found is None:
        return ask.site.look.trouble(ask.request, 404, "nothing-here")
    response = web.Response(body=found.content, content_type=found.type, charset="utf-8")
    # Its address changes with its content.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def see_other(path: str) -> web.Response:
    """Lead a browser to a page by GET."""
    return web.Response(status=303, headers={"Location": path})
