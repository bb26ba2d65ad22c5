"""Language and theme, as somebody chooses them; kept in their browser alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from worker.observe.web import guard
from worker.observe.web.look import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from worker.observe.web.parts import Ask
from worker.observe.web.words import LANGUAGES

YEAR: Final = timedelta(days=365)


async def choose(ask: Ask) -> web.Response:
    """Keep a choice and go back to where it was made."""
    response = web.Response(
        status=303, headers={"Location": guard.own_path(ask.form.get("back", ""))}
    )
    for cookie, field, known in (
        (LANGUAGE_COOKIE, "language", LANGUAGES),
        (THEME_COOKIE, "theme", THEMES),
    ):
        value = ask.form.get(field, "")
        if value in known:
            response.set_cookie(
                cookie,
                value,
                path="/",
                max_age=int(YEAR.total_seconds()),
                httponly=True,
                samesite="Strict",
                secure=guard.is_secure(ask.site, ask.request),
            )
    return response
