"""Every path of the page and who may; what is not here does not exist.

``/livez`` and the form that signs in are open and stand in :mod:`worker.observe.web.guard`.
"""

from __future__ import annotations

from worker.observe.web import case, deeds, home, lists, machines, preferences
from worker.observe.web.parts import Route
from worker.web_settings import Role


def routes() -> list[Route]:
    """Return the table."""
    view = Role.VIEWER
    return [
        Route("GET", "/", view, home.overview),
        Route("GET", "/now", view, home.now),
        Route("GET", "/cases", view, lists.cases),
        Route("GET", "/cases/{case}", view, case.show),
        Route("GET", "/search", view, case.search_form),
        Route("POST", "/search", view, case.search),
        Route("GET", "/dead-letters", view, lists.dead_letters),
        Route("GET", "/holds", view, lists.standing_holds),
        Route("GET", "/sweeps", view, lists.all_sweeps),
        Route("GET", "/actions", view, lists.did),
        *deeds.routes(),
        Route("GET", "/metrics", view, machines.metrics),
        Route("GET", "/readyz", view, machines.readyz),
        Route("GET", "/startupz", view, machines.startupz),
        Route("GET", "/login", view, home.signed_in),
        Route("POST", "/logout", view, home.sign_out),
        Route("POST", "/preferences", view, preferences.choose),
        Route("GET", "/static/{name}", view, home.static),
    ]
