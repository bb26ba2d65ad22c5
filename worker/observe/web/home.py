"""The first page: whether the promise is kept now, every store as a lane, and what is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from worker.core.lifecycle import CaseState
from worker.ledger.batches import Lane
from worker.observe.overview import Overview
from worker.observe.situations import situations
from worker.observe.stores import StoreNow
from worker.observe.web import guard
from worker.observe.web.look import language_of
from worker.observe.web.parts import Ask
from worker.observe.web.pictures import Trend, budget_bars
from worker.web_settings import Role

AHEAD_ROWS: Final = 12
"""Obligations that the first page tells; the command line has all."""


async def overview(ask: Ask) -> web.Response:
    """Show how everything stands now."""
    found, trends = await ask.site.reading.overview(), await ask.site.reading.trends()
    return ask.show("overview.html", **_content(found, trends, ask))


async def now(ask: Ask) -> web.Response:
    """Give the part of the first page that changes, or say that it is what the browser has."""
    trends = await ask.site.reading.trends()

    def make(found: Overview) -> str:
        return ask.site.look.render("now.html", ask.request, **_content(found, trends, ask))

    whom = (language_of(ask.request).language, ask.somebody.role.value)
    shown = await ask.site.reading.shown(whom, make)
    if ask.request.headers.get("If-None-Match") == shown.tag:
        return web.Response(status=304, headers={"ETag": shown.tag})
    return web.Response(text=shown.text, content_type="text/html", headers={"ETag": shown.tag})


def _content(found: Overview, trends: Mapping[str, Trend], ask: Ask) -> dict[str, Any]:
    lanes: dict[str, list[StoreNow]] = {}
    for one in found.stores:
        # A lane of sweeps on which nothing is and nothing is wrong says nothing.
        if one.lane is Lane.PEOPLE or one.lag_people or one.rate_out:
            lanes.setdefault(one.store, []).append(one)
    told = {one.kind for one in found.troubles}
    every = situations(found, groups=ask.site.context.here.groups)
    return {
        "overview": found,
        "kept": not every,
        "situations": [one for one in every if one.kind not in told],
        "lanes": lanes,
        "trends": trends,
        "bars": {
            state: budget_bars(found.budget.parts[state])
            for state in _ORDER
            if state is CaseState.OPEN or found.cases[state]
        },
        "ahead": found.ahead[:AHEAD_ROWS],
        "may_operate": ask.may(Role.OPERATOR),
        "may_approve": ask.may(Role.APPROVER),
    }


_ORDER: Final = (CaseState.OPEN, CaseState.PARKED, CaseState.HELD)


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
        return ask.nothing_here()
    response = web.Response(body=found.content, content_type=found.type, charset="utf-8")
    # Its address changes with its content.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def see_other(path: str) -> web.Response:
    """Lead a browser to a page by GET."""
    return web.Response(status=303, headers={"Location": path})
