"""What every request passes: who asks, whether they may, and what the answer must carry.

Whoever may not gets the same answer whether there is something or not.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from worker.context import NotPossible
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.observe.probes import livez
from worker.observe.web import limits
from worker.observe.web.access import Somebody, WrongCredentials
from worker.observe.web.look import language_of
from worker.observe.web.parts import ROUTES, SITE, Ask, Route, Site
from worker.where import where

FORM: Final = "application/x-www-form-urlencoded"
COOKIE: Final = "erasure_session"
LIVEZ: Final = "/livez"
LOGIN: Final = "/login"
PROOF: Final = "proof"
"""The field of a form that shows that it was ours."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not no-referrer: browsers send no Origin with a form then.
    "Referrer-Policy": "same-origin",
    "Server": "erasure",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}

log = structlog.get_logger(__name__)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer what keeps browsers careful; an answer's own headers win."""
    for name, value in HEADERS.items():
        if name not in response.headers or name == "Server":
            response.headers[name] = value


@web.middleware
async def guard(request: web.Request, handler: object) -> web.StreamResponse:  # noqa: ARG001 - aiohttp hands it in
    """Answer a request, within limits. The router's own handler is never called."""
    site = request.app[SITE]
    site.patience.begin(request)
    try:
        async with asyncio.timeout(limits.REQUEST_SECONDS):
            return await _answer(site, request)
    except TimeoutError:
        return site.look.trouble(request, 503, "slow")
    except (LedgerAway, LedgerConflict):
        return site.look.trouble(request, 503, "ledger-away")
    except web.HTTPRequestEntityTooLarge:
        return _closing(site.look.trouble(request, 413, "too-large"))
    except Exception as fault:  # noqa: BLE001 - the page's fault must not end the worker
        # Never its text, which may quote a row; nor the address that was asked for.
        log.error("page-fault", fault=type(fault).__name__, where=where(fault))
        return site.look.trouble(request, 500, "fault")
    finally:
        site.patience.end(request)


async def _answer(site: Site, request: web.Request) -> web.StreamResponse:
    if request.path == LIVEZ and request.method == "GET":
        ok, _ = livez(site.context)
        return web.Response(text="ok\n" if ok else "stuck\n", status=200 if ok else 503)
    if request.path == LOGIN and request.method == "POST":
        return await _sign_in(site, request)
    try:
        somebody = site.access.who(request.headers, request.cookies.get(COOKIE))
    except WrongCredentials:
        return _refused(site, request)
    if somebody is None:
        return site.look.sign_in(request, 401)
    route = request.app[ROUTES].get((request.method, _path(request)))
    if route is None or not somebody.role.may(route.needs):
        return _closing(site.look.trouble(request, 404, "nothing-here"))
    if request.method == "POST":
        return await _submitted(site, request, somebody, route)
    return await _handled(route, Ask(site, request, somebody, MultiDictProxy(MultiDict())))


async def _submitted(
    site: Site, request: web.Request, somebody: Somebody, route: Route
) -> web.StreamResponse:
    """A form: from our own page when a browser sends it, and one that we gave this person."""
    if not somebody.is_machine and not _same_origin(site, request):
        return _closing(site.look.trouble(request, 403, "not-our-form"))
    form = await _form(request)
    if form is None:
        return _closing(site.look.trouble(request, 415, "no-form"))
    if not somebody.is_machine and not site.access.is_own_form(somebody, form.get(PROOF, "")):
        return site.look.trouble(request, 403, "not-our-form")
    return await _handled(route, Ask(site, request, somebody, form))


async def _handled(route: Route, ask: Ask) -> web.StreamResponse:
    try:
        return await route.handle(ask)
    except NotPossible as why:
        return ask.show("not_possible.html", status=409, why=language_of(ask.request).refused(why))


async def _sign_in(site: Site, request: web.Request) -> web.StreamResponse:
    """Turn a token into a session. A page that is not ours cannot send it: browsers say whence."""
    if wait := site.tries.wait(request.remote):
        return _too_many(site, request, wait)
    form = await _form(request) if _same_origin(site, request) else None
    if form is None:
        return _closing(site.look.sign_in(request, 403, said="not-our-form"))
    try:
        cookie = site.access.sign_in(form.get("token", ""))
    except WrongCredentials:
        site.tries.failed(request.remote)
        log.warning("sign-in-refused")
        return site.look.sign_in(request, 401, said="wrong-token")
    response = web.Response(status=303, headers={"Location": own_path(form.get("next", ""))})
    _set_session(site, request, response, cookie)
    return response


def _refused(site: Site, request: web.Request) -> web.Response:
    """Wrong credentials, or too many of them."""
    if wait := site.tries.wait(request.remote):
        return _too_many(site, request, wait)
    site.tries.failed(request.remote)
    log.warning("credentials-refused")
    response = site.look.sign_in(request, 401)
    response.del_cookie(COOKIE, path="/")
    return _closing(response)


def _too_many(site: Site, request: web.Request, wait: float) -> web.Response:
    response = site.look.trouble(request, 429, "too-many-tries")
    response.headers["Retry-After"] = str(int(wait) + 1)
    return _closing(response)


async def _form(request: web.Request) -> MultiDictProxy[str] | None:
    """Read a form; None for what is none. Files are never taken."""
    if request.content_type != FORM:
        return None
    async with asyncio.timeout(limits.BODY_SECONDS):
        sent = await request.post()
    return MultiDictProxy(MultiDict((name, str(value)) for name, value in sent.items()))


def _same_origin(site: Site, request: web.Request) -> bool:
    """Whether a browser says that a page of ours sends this; who says nothing is no browser."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return "Sec-Fetch-Site" in request.headers
    if site.settings.public_url is not None and origin == own_origin(site):
        return True
    return urlsplit(origin).netloc == request.host


def own_origin(site: Site) -> str | None:
    """Scheme, host and port of the address that browsers use, when the settings say it."""
    url = site.settings.public_url
    if url is None:
        return None
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.netloc}"


def is_secure(site: Site, request: web.Request) -> bool:
    """Whether browsers reach the page by https alone."""
    url = site.settings.public_url
    return request.secure or (url is not None and url.scheme == "https")


def _set_session(site: Site, request: web.Request, response: web.Response, value: str) -> None:
    response.set_cookie(
        COOKIE,
        value,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_secure(site, request),
    )


def sign_out(response: web.Response) -> None:
    """Take the session out of the browser."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")


def own_path(wanted: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere becomes the first page."""
    plain = all(sign.isalnum() or sign in "/-_.?=&" for sign in wanted) and wanted.isascii()
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def _path(request: web.Request) -> str:
    """The path as the table of routes has it, with ``{name}`` for what stands for something."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _closing(response: web.Response) -> web.Response:
    """End the connection after this answer: what is left of the request is not read."""
    response.force_close()
    return response
