"""Who is let in at the page, and what nobody learns who is not."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict, CIMultiDictProxy

from tests.support.page import (
    HTML,
    SECRET,
    TOKENS,
    Page,
    open_browser,
    open_page,
)
from tests.support.world import World
from worker.observe.web.access import Access, WrongCredentials
from worker.observe.web.limits import TRIES, TRY_SECONDS, Tries
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROXY = {
    "ERASURE_WEB__PROXY__SECRET": SECRET,
    "ERASURE_WEB__PROXY__ROLES": '{"watchers": "viewer", "night": "operator"}',
}


async def raw(page: Page, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Ask without a browser's cookies."""
    async with (
        ClientSession() as client,
        client.request(method, page.url.with_path(path, encoded=True), headers=headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_livez_is_open_and_nothing_else(page: Page) -> None:
    """Whoever asks hears that the worker lives, and learns nothing of any other path."""
    assert await raw(page, "/livez") == (200, "ok\n")
    answers = {await raw(page, path) for path in ("/", "/nothing", "/static/style.css", "/logout")}
    assert answers == {(401, "401 sign in with: Authorization: Bearer TOKEN\n")}


async def test_the_form_that_signs_in_is_the_same_on_every_path(page: Page) -> None:
    """A browser gets the form everywhere, and it says nothing but the path it was asked for."""
    texts = set()
    for path in ("/", "/nothing"):
        _, text = await raw(page, path, **HTML)
        texts.add(text.replace(f'value="{path}"', ""))
    assert len(texts) == 1


async def test_somebody_signs_in_and_out(page: Page) -> None:
    """A token becomes a session in a cookie that no script and no other site can use."""
    async with open_browser(page) as browser:
        answer = await browser.sign_in(TOKENS[Role.VIEWER], next="/static/style.css")
        assert (answer.status, answer.headers["Location"]) == (303, "/static/style.css")
        cookie = answer.cookies["erasure_session"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert TOKENS[Role.VIEWER] not in cookie.value
        assert (await browser.get("/")).status == 200
        assert (await browser.send("/logout", {})).status == 303
        assert (await browser.get("/")).status == 401


@pytest.mark.parametrize("token", ["", "x", "erasure_viewer", TOKENS[Role.VIEWER] + "0", "é" * 50])
async def test_a_wrong_token_lets_nobody_in(village: World, token: str) -> None:
    """A token that is not whole, not known or not text gets no session and no other words."""
    async with open_page(village) as page, open_browser(page) as browser:
        answer = await browser.sign_in(token)
    assert answer.status == 401
    assert "erasure_session" not in answer.cookies
    assert "lets nobody in" in answer.text


async def test_a_token_that_people_invented_is_never_let_in(village: World) -> None:
    """A short token is refused even where the settings have its hash: it could be guessed."""
    hashed = {"ERASURE_WEB__TOKENS__WEAK__ROLE": "approver"}
    hashed["ERASURE_WEB__TOKENS__WEAK__SHA256"] = hashlib.sha256(b"hunter2").hexdigest()
    async with open_page(village, **hashed) as page, open_browser(page) as browser:
        assert (await browser.sign_in("hunter2")).status == 401


async def test_a_token_that_was_taken_away_ends_its_sessions(village: World) -> None:
    """A session of a token that has another hash, or none, or under another key, is over."""
    async with open_page(village) as page, open_browser(page, Role.OPERATOR) as browser:
        tokens = page.site.settings.tokens
        before = tokens["operator"]
        tokens["operator"] = before.model_copy(update={"sha256": "0" * 64})
        assert (await browser.get("/")).status == 401
        del tokens["operator"]
        assert (await browser.get("/")).status == 401
        tokens["operator"] = before
        assert (await browser.get("/")).status == 200
        other_key = Access(page.site.settings, b"another key", page.context.now)
        with pytest.raises(WrongCredentials):
            other_key.who(_headers(), browser.session)


async def test_a_session_ends_by_itself(village: World) -> None:
    """After twelve hours a cookie opens nothing any more."""
    async with open_page(village) as page:
        now = datetime.now(UTC)
        clock = [now]
        access = Access(page.site.settings, b"key", lambda: clock[0])
        cookie = access.sign_in(TOKENS[Role.VIEWER])
        somebody = access.who(_headers(), cookie)
        assert somebody is not None
        proof = access.form_proof(somebody)
        clock[0] = now + timedelta(hours=11, minutes=59)
        assert access.who(_headers(), cookie) == somebody
        assert access.is_own_form(somebody, proof)
        clock[0] = now + timedelta(hours=12, seconds=1)
        assert access.who(_headers(), cookie) is None
        clock[0] = now + timedelta(hours=25)
        assert not access.is_own_form(somebody, proof)


async def test_a_forged_session_is_refused(village: World) -> None:
    """A cookie that was changed, or signed with another key, opens nothing and is counted."""
    async with open_page(village) as page, open_browser(page, Role.VIEWER) as browser:
        body, _, signature = browser.session.partition(".")
        role_up = base64.urlsafe_b64encode(
            base64.urlsafe_b64decode(body).replace(b'"viewer"', b'"approver"')
        ).decode()
        for cookie in (
            f"{role_up}.{signature}",
            f"{body}.",
            body,
            "",
            f".{signature}",
            "é.ü",
            "\udcff.\udcff",
        ):
            with pytest.raises(WrongCredentials):
                page.site.access.who(_headers(), cookie)


async def test_a_machine_signs_in_by_bearer(page: Page) -> None:
    """Prometheus sends its token in a header; another scheme and a wrong token are refused."""
    right = f"Bearer {TOKENS[Role.VIEWER]}"
    assert (await raw(page, "/", Authorization=right))[0] == 200
    assert (await raw(page, "/", Authorization=right[:-1]))[0] == 401
    assert (await raw(page, "/", Authorization=f"Basic {TOKENS[Role.VIEWER]}"))[0] == 401


async def test_a_proxy_is_believed_by_its_secret(village: World) -> None:
    """Its secret and a user in a group let somebody in, by name; the highest role counts."""
    async with open_page(village, **PROXY) as page:
        told = {"X-Erasure-Proxy-Secret": SECRET, "X-Forwarded-Preferred-Username": "kari@firm.no"}
        status, text = await raw(page, "/", **told, **HTML)
        assert status == 401  # in no group
        told["X-Forwarded-Groups"] = "other, watchers,night"
        status, text = await raw(page, "/", **told, **HTML)
        assert status == 200
        assert "kari at firm.no" in text
        assert "(operator)" in text
        wrong = {**told, "X-Erasure-Proxy-Secret": SECRET + "!"}
        assert (await raw(page, "/", **wrong))[0] == 401
        del told["X-Erasure-Proxy-Secret"]
        assert (await raw(page, "/", **told))[0] == 401


async def test_nobody_adds_a_header_to_the_proxys(village: World) -> None:
    """A user or a group that stands there twice, one of them the client's, lets nobody in."""
    async with open_page(village, **PROXY) as page:
        base = [
            ("X-Erasure-Proxy-Secret", SECRET),
            ("X-Forwarded-Preferred-Username", "kari"),
            ("X-Forwarded-Groups", "watchers"),
        ]
        for name, value in base:
            twice = CIMultiDictProxy(CIMultiDict([*base, (name, value)]))
            with pytest.raises(WrongCredentials):
                page.site.access.who(twice, None)
        once = CIMultiDictProxy(CIMultiDict(base))
        somebody = page.site.access.who(once, None)
        assert somebody is not None
        assert (somebody.name, somebody.role) == ("kari", Role.VIEWER)


async def test_without_a_proxy_in_the_settings_its_headers_mean_nothing(page: Page) -> None:
    """Headers of a proxy that nobody has set up let nobody in."""
    told = {
        "X-Erasure-Proxy-Secret": SECRET,
        "X-Forwarded-Preferred-Username": "kari",
        "X-Forwarded-Groups": "night",
    }
    assert (await raw(page, "/", **told))[0] == 401


async def test_tries_are_limited(village: World) -> None:
    """After ten wrong tries also a right token waits; who is signed in goes on."""
    async with (
        open_page(village) as page,
        open_browser(page, Role.VIEWER) as inside,
        open_browser(page) as outside,
    ):
        for _ in range(TRIES):
            assert (await outside.sign_in("x" * 50)).status == 401
        refused = await outside.sign_in(TOKENS[Role.VIEWER])
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert (await raw(page, "/", Authorization="Bearer wrong"))[0] == 429
        assert (await inside.get("/")).status == 200


async def test_tries_come_back_with_time() -> None:
    """Every few seconds one more try is given; one address does not use up another's."""
    clock = [0.0]
    tries = Tries(lambda: clock[0])
    for _ in range(TRIES):
        assert tries.wait("192.0.2.1") == 0
        tries.failed("192.0.2.1")
    assert tries.wait("192.0.2.1") > 0
    assert tries.wait("192.0.2.2") == 0
    clock[0] += TRY_SECONDS
    assert tries.wait("192.0.2.1") == 0
    for _ in range(TRIES):
        tries.failed("2001:db8:0:1::1")
    assert tries.wait("2001:db8:0:1:ffff::2") > 0
    assert tries.wait("2001:db8:0:2::1") == 0


@pytest.mark.parametrize(
    ("url", "secure"), [("https://erasure.nordlys.no", True), ("http://erasure.nordlys.no", False)]
)
async def test_the_cookie_is_secure_behind_https(village: World, url: str, secure: bool) -> None:
    """Where browsers come by https, the cookie never travels without it."""
    async with open_page(village, ERASURE_WEB__PUBLIC_URL=url) as page, open_browser(page) as one:
        answer = await one.post("/login", {"token": TOKENS[Role.VIEWER]}, Origin=url)
    assert answer.status == 303
    assert bool(answer.cookies["erasure_session"]["secure"]) is secure


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", ""]
)
async def test_signing_in_leads_nowhere_else(page: Page, wanted: str) -> None:
    """An address to go on to that is none of ours leads to the first page."""
    async with open_browser(page) as browser:
        answer = await browser.sign_in(TOKENS[Role.VIEWER], next=wanted)
    assert answer.headers["Location"] == "/"


def _headers() -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict())
