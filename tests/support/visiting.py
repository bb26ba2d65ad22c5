"""Somebody who opens everything that a worker serves, and keeps all that it answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

import aiohttp
from yarl import URL

from tests.support.nordlys import Person, today
from tests.support.page import HTML, TOKENS
from worker.observe.web.routes import routes
from worker.web_settings import Role

LANGUAGES: Final = ("en", "nb")
Answers = list[tuple[str, bytes]]
"""What was asked, and status, headers and body of the answer."""


async def visit(url: URL, cases: Iterable[UUID]) -> Answers:
    """Open each case, every other path and whatever a page leads to, in each language.

    By the token of an approver, who is shown most. Links to where nothing is are none.
    """
    found: Answers = []
    async with _client() as client:
        for language in LANGUAGES:
            waiting = [*_paths(), *(f"/cases/{case}" for case in cases)]
            seen: set[str] = set()
            while waiting:
                path = waiting.pop()
                if path not in seen:
                    seen.add(path)
                    status, answer = await _ask(client, "GET", url, path, language)
                    assert status in {200, 303, 404, 409, 503}, (path, status)
                    found.append((f"GET {path} {language}", answer))
                    waiting += re.findall(r'href="(/[^"#]*)"', answer.decode())
    return found


async def look_for(url: URL, person: Person) -> Answers:
    """Search for somebody by every identifier, hold them, and ask in ways that are refused."""
    by = {"email": person.email, "phone": person.phone, "customer_id": person.customer_no}
    order = {"by": "Night", "reason": "a court asks", "sure": "yes"}
    soon = (today() + timedelta(days=40)).isoformat()
    forms = [("/search", {"kind": kind, "value": value}) for kind, value in by.items()]
    forms += [
        ("/search", {"kind": "email", "value": person.mark}),
        ("/search", {"kind": person.mark, "value": person.email}),
        ("/search", {"id": person.email, "source": person.mark}),
        ("/hold", {**order, "kind": "email", "value": person.email, "review": soon}),
        ("/hold", {**order, "kind": "phone", "value": person.mark, "review": soon}),
        ("/hold", {**order, "kind": "email", "value": person.email, "review": person.mark}),
    ]
    found: Answers = []
    async with _client() as client:
        for language in LANGUAGES:
            for number, (path, form) in enumerate(forms):
                _, answer = await _ask(client, "POST", url, path, language, form)
                found.append((f"POST form {number} {language}", answer))
            for number, path in enumerate(("/cases/", "/", "/holds?after=", "/cases?state=")):
                _, answer = await _ask(client, "GET", url, f"{path}{person.email}", language)
                found.append((f"GET address {number} {language}", answer))
    return found


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKENS[Role.APPROVER]}"})


async def _ask(
    client: aiohttp.ClientSession,
    method: str,
    url: URL,
    path: str,
    language: str,
    form: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    async with client.request(
        method,
        url.join(URL(path)),
        data=form,
        headers={**HTML, "Accept-Language": language},
        allow_redirects=False,
    ) as answer:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        return answer.status, f"{answer.status}\n{headers}\n\n".encode() + await answer.read()


def _paths() -> Iterator[str]:
    """Every path that can be opened; where it is about something, about the first."""
    for route in routes():
        if route.method == "GET" and "{case}" not in route.path and "{name}" not in route.path:
            yield route.path.replace("{on}", "crm" if route.path.startswith("/stores") else "1")
