"""What machines ask of a worker: numbers and probes, over a real socket."""

from __future__ import annotations

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.driving import accept
from tests.support.nordlys import customer, withdrawal
from tests.support.page import Page, open_browser, open_page
from tests.support.world import World
from worker.observe.metrics import EVERY
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_prometheus_reads_every_number(page: Page, village: World) -> None:
    """The text is what Prometheus' own parser takes; each name is declared; cases are counted."""
    person = customer()
    await village.stores.add(person)
    await accept(page.context, withdrawal(person))
    page.site.reading.forget()
    async with open_browser(page, Role.VIEWER) as browser:
        answer = await browser.get("/metrics")
    assert answer.status == 200
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}
    declared = {one.name.removesuffix("_total") for one in EVERY}
    assert {name for name in families if name.startswith("erasure_")} <= declared
    assert families["erasure_ledger_reachable"].samples[0].value == 1
    standing = {s.labels["state"]: s.value for s in families["erasure_standing_cases"].samples}
    assert standing["open"] >= 1
    assert person.email not in answer.text
    assert person.customer_no not in answer.text


async def test_a_ledger_that_is_away_is_a_number_too(village: World) -> None:
    """Prometheus still hears from the worker, and that nothing can be read."""
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with (
        open_page(village, ERASURE_LEDGER=nowhere) as page,
        open_browser(page, Role.VIEWER) as browser,
    ):
        answer = await browser.get("/metrics")
        ready = await browser.get("/readyz")
    assert answer.status == 200
    assert "erasure_ledger_reachable 0.0" in answer.text
    assert "erasure_standing_cases{" not in answer.text
    assert ready.status == 503
    assert orjson.loads(ready.text)["ledger"] == "away"


async def test_probes_say_what_is_missing(page: Page, module_broker: str) -> None:
    """A worker that has not begun is not ready; one whose loop stands does not live."""
    here = page.context.here
    async with open_browser(page, Role.VIEWER) as browser:
        assert (await browser.get("/startupz")).status == 503
        assert (await browser.get("/readyz")).status == 503
        here.started, here.bootstrap = True, module_broker
        assert (await browser.get("/startupz")).status == 200
        ready = await browser.get("/readyz")
        assert (ready.status, orjson.loads(ready.text)["broker"]) == (200, "answers")
    turned = here.turned
    async with open_browser(page) as nobody:
        assert (await nobody.get("/livez")).status == 200
        here.turned = 0.0
        assert (await nobody.get("/livez")).status == 503
    here.turned, here.started = turned, False
