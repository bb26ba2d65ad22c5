"""The page of a worker, served over a real socket, and people who look at it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.world import World
from worker.bootstrap import open_context
from worker.context import Context
from worker.observe.web.parts import Site
from worker.observe.web.server import runner_of, site_of
from worker.settings import Settings, load
from worker.web_settings import Role

TOKENS: Mapping[Role, str] = {role: f"erasure_{role}_{'0' * 40}" for role in Role}
SECRET = "a secret that the proxy and the worker share"
HTML = {"Accept": "text/html"}


def web_settings(**more: str) -> dict[str, str]:
    """Variables that let in one token a role, named like it."""
    variables = dict(more)
    for role, token in TOKENS.items():
        place = f"ERASURE_WEB__TOKENS__{role.upper()}"
        variables[f"{place}__ROLE"] = role.value
        variables[f"{place}__SHA256"] = hashlib.sha256(token.encode()).hexdigest()
    return variables


@dataclass(frozen=True, slots=True)
class Page:
    """A served page."""

    url: URL
    context: Context
    site: Site
    runner: web.AppRunner

    @property
    def origin(self) -> str:
        """What browsers say a form of this page comes from."""
        return str(self.url.origin())


@asynccontextmanager
async def open_page(world: World, **more: str) -> AsyncIterator[Page]:
    """Serve the page of a world at a free port; ``more`` are further variables."""
    with patch.dict(os.environ, {**world.settings, **web_settings(**more)}):
        settings = load()
    async with open_context(settings) as context, serve(context, settings) as page:
        yield page


@asynccontextmanager
async def serve(context: Context, settings: Settings) -> AsyncIterator[Page]:
    """Serve the page of a worker's parts at a free port."""
    context.here.turned = float("inf")  # Nobody runs here who would say that the loop turns.
    site = site_of(context, settings)
    runner = runner_of(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        yield Page(URL(f"http://127.0.0.1:{port}"), context, site, runner)
    finally:
        await runner.cleanup()


class Browser:
    """A browser as far as the page can tell: cookies, its Accept, and whence a form comes."""

    def __init__(self, page: Page, client: aiohttp.ClientSession) -> None:
        self.page = page
        self.client = client

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        async with self.client.get(
            self.page.url.join(URL(path, encoded=True)),
            headers={**HTML, **headers},
            allow_redirects=False,
        ) as response:
            return await Answer.of(response)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        """Send a form as it is; :meth:`send` fills in its proof."""
        async with self.client.post(
            self.page.url.join(URL(path, encoded=True)),
            data=dict(form),
            headers={**HTML, "Origin": self.page.origin, **headers},
            allow_redirects=False,
        ) as response:
            return await Answer.of(response)

    async def send(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form with the proof that the first page gives."""
        return await self.post(path, {"proof": await self.proof(), **form})

    async def proof(self) -> str:
        """The proof of this person's forms."""
        found = re.search(r'name="proof" value="([^"]+)"', (await self.get("/")).text)
        assert found is not None
        return found[1]

    @property
    def session(self) -> str:
        """The cookie of the session."""
        return self.client.cookie_jar.filter_cookies(self.page.url)["erasure_session"].value

    async def sign_in(self, token: str, **more: str) -> Answer:
        """Sign in with a token."""
        return await self.post("/login", {"token": token, **more})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page answered."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: Mapping[str, Any]

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Answer:
        """Read an answer whole."""
        text = await response.text()
        return cls(response.status, response.headers, text, response.cookies)


@asynccontextmanager
async def open_browser(page: Page, role: Role | None = None) -> AsyncIterator[Browser]:
    """Open a browser, signed in when a role is given."""
    jar = aiohttp.CookieJar(unsafe=True)  # The address has no name.
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        browser = Browser(page, client)
        if role is not None:
            assert (await browser.sign_in(TOKENS[role])).status == 303
        yield browser
