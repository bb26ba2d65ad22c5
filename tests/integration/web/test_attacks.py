"""What somebody may try at the page who means it ill."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.support.page import TOKENS, Page, open_browser, open_page
from tests.support.world import World
from worker.observe.web import limits
from worker.observe.web.limits import BODY_BYTES
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVIL = "https://evil.example"


async def spoken(page: Page, *parts: bytes) -> bytes:
    """Send bytes and read until the other side ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.url.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_every_answer_is_careful(page: Page) -> None:
    """Each answer forbids scripts in it, frames around it and guesses about it."""
    async with open_browser(page) as nobody, open_browser(page, Role.VIEWER) as viewer:
        answers = [await nobody.get("/"), await nobody.get("/livez"), await viewer.get("/")]
        answers += [await viewer.get("/nothing"), await viewer.get("/static/style.css")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Server"] == "erasure"
    for answer in answers[:-1]:
        assert answer.headers["Cache-Control"] == "no-store"
    assert "<script>" not in answers[2].text
    assert " on" + "click" not in answers[2].text
    assert "style=" not in answers[2].text


FORGED: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "without a proof": ({"proof": ""}, {}),
    "with another's proof": ({"proof": "AAAA"}, {}),
    "from another site": ({}, {"Origin": EVIL}),
    "from nowhere": ({}, {"Origin": "null"}),
    "across sites, as the browser says": ({}, {"Sec-Fetch-Site": "cross-site"}),
    "from a sister site": ({}, {"Sec-Fetch-Site": "same-site"}),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_form_changes_nothing(page: Page, how: str) -> None:
    """A form that another site sends with somebody's cookie is refused before it is read."""
    form, headers = FORGED[how]
    async with open_browser(page, Role.OPERATOR) as browser:
        sent = {"proof": await browser.proof(), "by": "x", "reason": "x", "sure": "yes", **form}
        answer = await browser.post("/stores/crm/pause", sent, **headers)
        assert answer.status == 403
        assert "crm" not in (await browser.get("/actions")).text


async def test_a_proof_is_good_for_one_person(page: Page) -> None:
    """The proof of one session opens no form of another, also of the same token."""
    async with open_browser(page, Role.OPERATOR) as one, open_browser(page, Role.OPERATOR) as two:
        answer = await two.post("/logout", {"proof": await one.proof()})
    assert answer.status == 403


async def test_a_form_of_another_site_signs_nobody_in(page: Page) -> None:
    """Nobody is signed in with somebody else's token by a form of another site."""
    async with open_browser(page) as browser:
        for headers in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await browser.post("/login", {"token": TOKENS[Role.VIEWER]}, **headers)
            assert answer.status == 403
            assert "erasure_session" not in answer.cookies


async def test_a_body_that_is_too_large(page: Page) -> None:
    """More than a form can need is refused, said or not said how much it is."""
    async with open_browser(page, Role.OPERATOR) as browser:
        answer = await browser.send("/search", {"id": "x" * (BODY_BYTES + 1)})
        assert answer.status == 413

        headers = {"Origin": page.origin, "Content-Type": "application/x-www-form-urlencoded"}
        url = page.url.with_path("/search")
        async with browser.client.post(url, data=_chunks(), headers=headers) as response:
            assert response.status == 413


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(BODY_BYTES // 1000 + 2):
        yield b"x" * 1000


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json", "text/x"])
async def test_what_is_no_form_is_not_read(page: Page, kind: str) -> None:
    """Files and other bodies are refused."""
    async with (
        open_browser(page, Role.OPERATOR) as browser,
        browser.client.post(
            page.url.with_path("/search"),
            data=b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\nx\r\n--x--',
            headers={"Origin": page.origin, "Content-Type": kind},
        ) as answer,
    ):
        assert answer.status == 415


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
async def test_a_head_that_is_none(page: Page, head: bytes) -> None:
    """A head that is too long, smuggles or is no HTTP is refused, and nothing runs."""
    said = await spoken(page, head)
    assert said.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"text/html" not in said


async def test_nobody_writes_a_header_by_an_address(page: Page) -> None:
    """A line break in a path, a form or a name becomes no header of an answer."""
    async with open_browser(page, Role.OPERATOR) as browser:
        for form in ({"back": "/x\r\nSet-Cookie: a=b"}, {"language": "nb\r\nSet-Cookie: a=b"}):
            answer = await browser.send("/preferences", form)
            assert "a" not in answer.cookies
        answer = await browser.get("/%0d%0aSet-Cookie:%20a=b")
        assert answer.status == 404
        assert "a" not in answer.cookies


async def test_a_client_that_sends_no_head_is_let_go(page: Page) -> None:
    """A connection on which no whole head comes is closed; one that is answered is not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.url.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
    await writer.drain()
    server = page.runner.server
    assert server is not None
    clock = [0.0]
    patience = limits.Patience(lambda: clock[0])
    async with open_browser(page) as browser:
        assert (await browser.get("/livez")).status == 200  # The other one was accepted before.
    assert patience.close_slow(server.connections) == 0
    clock[0] = limits.HEAD_SECONDS + 1
    assert patience.close_slow(server.connections) >= 1
    try:
        said = await reader.read()
    except ConnectionResetError:
        said = b""
    writer.close()
    assert said == b""


async def test_a_body_that_never_comes_is_given_up(
    village: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that is announced and not sent holds a connection for a few seconds alone."""
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)
    async with open_page(village) as page:
        head = (
            f"POST /login HTTP/1.1\r\nHost: {page.url.authority}\r\nOrigin: {page.origin}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntoken="
        )
        said = await spoken(page, head.encode())
    assert said.startswith(b"HTTP/1.1 503")


async def test_a_client_that_does_not_read_holds_up_nobody(page: Page) -> None:
    """Somebody who asks for much and reads nothing keeps no other from being answered."""
    lazy = [socket.create_connection(("127.0.0.1", page.url.port or 0)) for _ in range(20)]
    ask = (
        f"GET /static/style.css HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS[Role.VIEWER]}"
    )
    for one in lazy:
        one.sendall((ask + "\r\n\r\n").encode() * 50)
    async with open_browser(page) as browser:
        assert (await browser.get("/livez")).status == 200
    for one in lazy:
        one.close()
