"""Every path with every role, tried one by one; the table in the documentation is made of it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from tests.support.driving import accept
from tests.support.nordlys import customer, erasure
from tests.support.page import HTML, TOKENS, Browser, Page, open_browser
from tests.support.world import World, id_of
from worker.observe.web.routes import routes
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT = Path(__file__).parents[3] / "docs" / "dashboard.md"
PATHS = sorted({(route.path, route.method) for route in routes()})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NEVER = ("/admin", "/cases/", "/static", "/static/../server.py", "/.git/config", "/livez/x")


async def tried(browser: Browser, method: str, path: str) -> bool:
    """Whether the page answers as somewhere where there is something."""
    if method == "GET":
        status = (await browser.get(path)).status
    else:
        status = (await browser.send(path, {})).status
    assert status in {200, 303, 404, 409, 503}
    return status != 404


async def test_every_path_and_role(page: Page, village: World) -> None:
    """Who may open what is what the documentation says; nobody unknown may anything."""
    person = customer()
    await village.stores.add(person)
    request = erasure(person)
    await accept(page.context, request)
    rows = ["| | path | nobody | viewer | operator | approver |", "|---|---|---|---|---|---|"]
    rows.append("| GET | `/livez` | yes | yes | yes | yes |")
    for path, method in PATHS:
        real = path.replace("{case}", str(id_of(request))).replace("{name}", "style.css")
        real = real.replace("{on}", "1")
        cells = []
        async with open_browser(page) as nobody:
            answer = await (nobody.get(real) if method == "GET" else nobody.post(real, {}))
            assert answer.status in {401, 403}
            cells.append("no")
        for role in Role:
            async with open_browser(page, role) as browser:
                cells.append("yes" if await tried(browser, method, real) else "no")
        rows.append(f"| {method} | `{path}` | {' | '.join(cells)} |")
    rows.insert(3, "| POST | `/login` | with a token | yes | yes | yes |")
    table = "\n".join(rows)
    assert table in DOCUMENT.read_text(encoding="utf-8"), f"put this into {DOCUMENT}:\n{table}"


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_tells_what_exists(page: Page, method: str) -> None:
    """With any method, whoever may not hears the same on paths that exist and that do not."""
    unknown, known = set(), set()
    async with ClientSession() as client:
        for path in ("/nothing", "/cases", "/holds/1/release", "/static/style.css", f"/{uuid4()}"):
            url = page.url.with_path(path)
            async with client.request(method, url, headers=HTML) as answer:
                text = (await answer.text()).replace(f'value="{path}"', "")
                unknown.add((answer.status, text))
            bearer = {**HTML, "Authorization": f"Bearer {TOKENS[Role.VIEWER]}"}
            if path not in ("/cases", "/static/style.css") or method != "GET":
                async with client.request(method, url, headers=bearer) as answer:
                    known.add((answer.status, await answer.text()))
    assert {status for status, _ in unknown} == {401}
    assert len(unknown) == 1
    assert {status for status, _ in known} == {404}
    assert len(known) == 1


@pytest.mark.parametrize("path", NEVER)
async def test_paths_that_lead_nowhere(page: Page, path: str) -> None:
    """No path leads to a file, to a list of files or around the table."""
    async with open_browser(page, Role.APPROVER) as browser:
        answer = await browser.get(path)
    assert answer.status in {400, 404}
    assert "worker" not in answer.text.lower().replace("erasure worker", "")
